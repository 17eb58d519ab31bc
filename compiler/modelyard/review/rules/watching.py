"""Rules about monitors and channels: what they detect, when they run, whom they notify, and what they start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from modelyard.review.changes import Change, Direction
from modelyard.review.reach import alerting_oncall
from modelyard.review.rules.base import (
    DANGER,
    NOTE,
    REVIEW,
    Rule,
    Verdict,
    always,
    by_way,
    described_by,
    plainly,
    stated,
    was,
)
from modelyard.review.rules.looking import looks, looks_says, unseen, unseen_why
from modelyard.review.sides import Sides
from modelyard.spec import System

_SIGNS: Final = {"min": "<", "max": ">"}


def _check_says(change: Change, sides: Sides) -> str:
    monitor, name, field = change.path[1], change.path[3], change.path[-1]
    definition = sides.after.monitors.get(monitor)
    checks = definition.checks if definition is not None else ()
    metric = next((check.metric for check in checks if check.name == name), name)
    if field in _SIGNS:
        if not change.after.text:
            return f"{monitor} no longer reports {metric} {_SIGNS[field]} {change.before.text}"
        return f"{monitor} reports {metric} {_SIGNS[field]} {was(change.after.text, change.before.text or 'not set')}"
    return stated(f"check {name} of {monitor}: {field}", change)


def _entry(change: Change, _: Sides) -> Verdict:
    return ("R214", NOTE) if change.added else ("R213", DANGER)


def _entry_says(change: Change, sides: Sides) -> str:
    name = change.path[1]
    system = sides.after if change.added else sides.before
    monitor = system.monitors.get(name)
    if monitor is None or len(change.path) > 2:
        return f"check {change.path[-1]} of {name} is {'new' if change.added else 'removed'}"
    return f"monitor {name} is {'new' if change.added else 'removed'}: {monitor.type} of {monitor.watch}"


def _window(change: Change, sides: Sides) -> Verdict:
    before, after = change.before.number, change.after.number
    if change.path[0] == "monitors" and (verdict := unseen(change, sides)):
        return verdict
    if before is None or after is None:
        return "R215", REVIEW
    return ("R215", REVIEW) if after > before else ("R216", REVIEW)


def _delay_why(change: Change, _: Sides) -> str:
    before, after = change.before.number, change.after.number
    if before is not None and after is not None and after < before:
        return "checks no longer wait for labels that arrive later, and judge without them"
    if change.removed:
        return "checks no longer wait for late labels, and judge rows whose labels have not arrived"
    return "checks that need labels wait that long"


def _recipients(change: Change, _: Sides) -> Verdict:
    nobody = change.after.items == ()
    return {
        Direction.LOOSER: ("R217", DANGER if nobody or change.removed else REVIEW),
        Direction.STRICTER: ("R218", NOTE),
        Direction.OTHER: ("R217", REVIEW),
    }[change.way]


def _notified(change: Change, _: Sides) -> str:
    if change.removed:
        return f"{change.path[1]} no longer notifies anyone (was {change.before.text})"
    if change.added:
        return f"{change.path[1]} notifies {was(change.after.text, 'nobody')}"
    return stated(f"channels that {change.path[1]} notifies", change)


def _cooldown_why(change: Change, sides: Sides) -> str:
    """Describe the actions that another breach doesn't trigger during a longer cooldown, or return ""."""
    monitor = sides.after.monitors.get(change.path[1])
    if change.way is not Direction.LOOSER or monitor is None:
        return ""
    breach = monitor.on_breach
    acts = [*(["rolls nothing back"] if breach.rollback else []), *(["starts no run"] if breach.run else [])]
    return f"until then, another breach {' and '.join(acts)}" if acts else ""


def _rollback_says(change: Change, _: Sides) -> str:
    verb = "no longer rolls" if change.way is Direction.LOOSER else "rolls"
    return f"a breach of {change.path[1]} {verb} the version back"


_Alerts: TypeAlias = tuple[str, str, tuple[str, ...]]
"""Alerts: what they are about, their severity, and their channels."""


def _alerts(system: System) -> Iterator[_Alerts]:
    """Yield a system's alerts.

    Alerts that don't come from monitors go to the on-call channel, and can have either severity.
    """
    oncall = (system.governance.owner.oncall,)
    for monitor in system.monitors.values():
        channels = monitor.on_breach.notify or oncall
        yield from ((f"{check.name} of {monitor.name}", check.severity, channels) for check in monitor.checks)
    for address in alerting_oncall(system):
        if not address.startswith("monitors."):
            yield from ((address, severity, oncall) for severity in ("page", "ticket"))


def _severity_sent(severity: str, channels: tuple[str, ...], system: System) -> str:
    """Return the severity an alert is sent with. It changes if none of the alert's channels accepts its own."""
    taken = [each for name in channels if name in system.channels for each in system.channels[name].severities]
    return severity if severity in taken or not taken else taken[0]


def _severities_why(change: Change, sides: Sides) -> str:
    """Name the alerts that are now sent with a different severity, and those that only reach other channels."""
    texts: dict[str, list[str]] = {}
    known = set(_alerts(sides.before))
    for about, severity, channels in _alerts(sides.after):
        if change.path[1] not in channels or (about, severity, channels) not in known:
            continue
        old, new = (_severity_sent(severity, channels, system) for system in (sides.before, sides.after))
        if old != new:
            texts.setdefault(f"sent as {new} instead of {old}", []).append(about)
        elif new in (change.before.items or ()) and new not in (change.after.items or ()):
            texts.setdefault(f"now sent only to other channels, as {new}", []).append(about)
    return "; ".join(f"{text}: {', '.join(about)}" for text, about in texts.items())


def _channel(change: Change, sides: Sides) -> Verdict:
    if not change.entry:
        return _recipients(change, sides)
    return ("R218", NOTE) if change.added else ("R217", REVIEW)


_MONITOR: Final = ("monitors", "*")
_BREACH: Final = (*_MONITOR, "onBreach")
_CHECK: Final = (*_MONITOR, "checks", "*")

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        (*_CHECK, "severity"),
        by_way(("R217", REVIEW), ("R218", NOTE), ("R217", REVIEW)),
        _check_says,
        lambda change, _: "nobody is paged" if change.way is Direction.LOOSER else "someone is paged",
    ),
    Rule(
        (*_CHECK, "*"),
        by_way(("R211", DANGER), ("R212", NOTE), ("R223", REVIEW)),
        _check_says,
        lambda change, _: (
            "some breaches reported before are no longer reported" if change.way is Direction.LOOSER else ""
        ),
    ),
    Rule(_CHECK, _entry, _entry_says),
    Rule((*_MONITOR, "window"), _window, described_by("the window of {name} is {moves}"), unseen_why),
    Rule(
        (*_MONITOR, "reference"),
        always("R215", REVIEW),
        described_by("the reference of {name}: {last} is {moves}"),
        "the same requests may be a breach or not, because they are compared with different data",
    ),
    Rule((*_MONITOR, "schedule"), looks, looks_says, unseen_why),
    Rule(
        (*_MONITOR, "coverage"),
        by_way(("R211", DANGER), ("R212", NOTE), ("R212", NOTE)),
        described_by("the share of predictions for which {name} needs labels is {moves}"),
    ),
    Rule((*_MONITOR, "labels"), always("R223", REVIEW), described_by("{name} takes labels from {moves}")),
    Rule(
        (*_MONITOR, "key"), always("R223", REVIEW), described_by("the columns by which {name} matches labels: {moves}")
    ),
    Rule(
        (*_MONITOR, "watch"),
        always("R223", DANGER),
        described_by("{name} watches {moves}"),
        "it no longer watches what it watched before",
    ),
    Rule(
        (*_MONITOR, "type"),
        always("R223", DANGER),
        described_by("the type of monitor {name} is {moves}"),
        "it no longer notices what it noticed before",
    ),
    Rule((*_BREACH, "notify"), _recipients, _notified),
    Rule(
        (*_BREACH, "cooldown"),
        by_way(("R219", REVIEW), ("R220", REVIEW), ("R219", REVIEW)),
        described_by("the cooldown of {name} after a breach is {moves}"),
        _cooldown_why,
    ),
    Rule(
        (*_BREACH, "run"),
        by_way(("R219", REVIEW), ("R220", REVIEW), ("R219", REVIEW)),
        described_by("a breach of {name} starts {moves}", "a breach of {name} no longer starts {before}"),
    ),
    Rule(
        (*_BREACH, "rollback"),
        by_way(("R219", DANGER), ("R220", REVIEW), ("R219", REVIEW)),
        _rollback_says,
    ),
    Rule((*_MONITOR, "compute"), always("R607", NOTE), described_by("{name} runs on compute class {moves}")),
    Rule(
        ("channels", "*", "severities"),
        _recipients,
        lambda change, _: stated(f"severities that channel {change.path[1]} takes", change),
        _severities_why,
    ),
    Rule(
        ("channels", "*", "smarthost"),
        lambda change, _: ("R401", REVIEW if change.added else DANGER),
        described_by("channel {name} sends its mail through {moves}"),
        "alerts, and the login if there is one, are sent to a different server",
    ),
    Rule(
        ("channels", "*", "type"),
        always("R217", REVIEW),
        described_by("the type of channel {name} is {moves}"),
        "the people it notifies have to be reachable there",
    ),
    *(
        Rule(
            ("channels", "*", field),
            always("R405", REVIEW),
            plainly,
            lambda change, _: (
                "" if change.removed else "it must exist before this is applied, and decides who is alerted"
            ),
        )
        for field in ("key", "url")
    ),
    *(
        Rule(
            ("channels", "*", field),
            always("R217", REVIEW),
            described_by("channel {name} now notifies: {moves}", "channel {name} no longer notifies {before}"),
            "different people are notified",
        )
        for field in ("to", "room")
    ),
    Rule(
        ("governance", "owner", "oncall"),
        _recipients,
        described_by(
            "alerts about the system go to: {moves}", "alerts about the system go to no channel (was {before})"
        ),
    ),
    Rule(
        ("data", "*", "delay"),
        _window,
        described_by("labels in {name} arrive after {moves}", "labels in {name} have no delay (was {before})"),
        _delay_why,
    ),
)

ENTRIES: Final[tuple[Rule, ...]] = (
    Rule(("monitors", "*"), _entry, _entry_says),
    Rule(("channels", "*"), _channel, described_by("{owner} is {moves}")),
)
"""The rules for monitors and channels that are new or removed."""
