"""Rules for captured columns. Monitors can't check a column, or match labels by it, unless it is captured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.capabilities import monitor_type
from modelyard.checks.captures import checked_columns, model_inputs
from modelyard.diagnostics.base import joined
from modelyard.review.changes import Change, Direction
from modelyard.review.rules.base import DANGER, NOTE, REVIEW, Rule, Verdict, Wording, stated
from modelyard.review.sides import Sides
from modelyard.spec import Check, Inference, Monitor, System
from modelyard.spec.captures import capture_keys

_COLUMN_CHECKS: Final = frozenset({*monitor_type("data-drift").checks, "out_of_range"})
"""Metrics that are computed for each column."""


def _columns(change: Change, sides: Sides) -> Verdict:
    """Judge a change to the captured columns. Losing a column that monitors use is a danger."""
    if any(_lost(change, sides)):
        return "R211", DANGER
    if change.way is Direction.STRICTER:
        return "R308", NOTE
    is_more = change.way is Direction.LOOSER and bool(sides.sensitive)
    return "R307", DANGER if is_more else REVIEW


def _why(change: Change, sides: Sides) -> str:
    if lost := list(_lost(change, sides)):
        return "; ".join(lost)
    classes = ", ".join(sorted(sides.sensitive))
    return f"the system handles {classes}" if classes and change.way is not Direction.STRICTER else ""


def _lost(change: Change, sides: Sides) -> Iterator[str]:
    """Yield what each monitor of the endpoint can no longer do because of columns that are no longer captured."""
    for monitor in sides.after.monitors.values():
        old = _before(monitor, sides)
        if monitor.watch != f"inference.{change.path[1]}" or old is None:
            continue
        unchecked: dict[str, None] = {}
        for check in monitor.checks:
            if not check.features and check.metric in _COLUMN_CHECKS and monitor_type(monitor.type).features:
                unchecked |= dict.fromkeys(_unchecked(change, sides, (old, monitor), check))
        if unchecked:
            yield f"{monitor.name} no longer checks {joined(list(unchecked))}"
        if keys := _lost_keys(change, sides, old, monitor):
            yield f"{monitor.name} no longer matches labels by {joined(keys)}"


def _before(monitor: Monitor, sides: Sides) -> Monitor | None:
    """Return a monitor in the old version, even if it was renamed."""
    address = f"monitors.{monitor.name}"
    old = (sides.after.moved or {}).get(address, address).partition(".")[2]
    return sides.before.monitors.get(old) or sides.before.monitors.get(monitor.name)


def _endpoint(system: System, monitor: Monitor) -> Inference | None:
    section, _, name = monitor.watch.partition(".")
    return system.inference.get(name) if section == "inference" else None


def _unchecked(change: Change, sides: Sides, monitors: tuple[Monitor, Monitor], check: Check) -> list[str]:
    """Return columns that a check without `features` used to cover and that are no longer captured.

    If the endpoint's columns are unknown, they are described by the columns that remain.
    """
    before, after = (
        _covered(system, monitor, check) for system, monitor in zip((sides.before, sides.after), monitors, strict=True)
    )
    if before is not None:
        return sorted(column for column in before if _is_lost(column, change, sides, monitors))
    if change.path[-1] == "columns" and change.added and after is not None:
        return [f"any column except {joined(sorted(after))}" if after else "any column"]
    named = {*(change.before.items or ()), *(change.after.items or ())}
    return sorted(column for column in named if _is_lost(column, change, sides, monitors))


def _covered(system: System, monitor: Monitor, check: Check) -> set[str] | None:
    """Return the columns that a check without `features` covers, or None if they are unknown."""
    endpoint = _endpoint(system, monitor)
    if endpoint is None or endpoint.capture is None:
        return set()
    columns = checked_columns(system, monitor, check, model_inputs(system))
    return None if columns is None else columns - {*_redacted(endpoint)}


def _is_lost(column: str, change: Change, sides: Sides, monitors: tuple[Monitor, Monitor]) -> bool:
    """Return whether a column is no longer captured because of a change to a field of `capture`."""
    old, new = (
        (_endpoint(system, monitor), model_inputs(system))
        for system, monitor in zip((sides.before, sides.after), monitors, strict=True)
    )
    was_redacted, is_redacted = (column in _redacted(endpoint) for endpoint, _ in (old, new))
    if was_redacted or not _is_chosen(column, sides.before, *old):
        return False
    return is_redacted if change.path[-1] == "redact" else not _is_chosen(column, sides.after, *new)


def _redacted(endpoint: Inference | None) -> tuple[str, ...]:
    return endpoint.capture.redact if endpoint is not None and endpoint.capture is not None else ()


def _is_chosen(column: str, system: System, endpoint: Inference | None, inputs: Mapping[str, tuple[str, ...]]) -> bool:
    """Return whether a column is captured, redacted or not. If an endpoint's inputs are unknown, any column may be."""
    if endpoint is None or endpoint.capture is None:
        return False
    known = [inputs.get(variant.model.model, ()) for variant in endpoint.variants]
    is_input = not all(known) or any(column in columns for columns in known)
    chosen = endpoint.capture.columns
    return (column in chosen if chosen else is_input) or column in capture_keys(system, endpoint)


def _lost_keys(change: Change, sides: Sides, old: Monitor, monitor: Monitor) -> list[str]:
    """Return the columns by which a monitor without `key` no longer matches labels."""
    labels = sides.before.data.get(old.labels)
    if labels is None or old.key or monitor.key:
        return []
    return [
        column
        for column, _ in labels.schema
        if column not in (labels.label, labels.timestamp) and _is_lost(column, change, sides, (old, monitor))
    ]


def _says(subject: str) -> Wording:
    return lambda change, _: stated(subject.format(change.path[1]), change)


_CAPTURE: Final = ("inference", "*", "capture")

RULES: Final[tuple[Rule, ...]] = (
    Rule((*_CAPTURE, "redact"), _columns, _says("fields that {} leaves out of its captures"), _why),
    Rule((*_CAPTURE, "columns"), _columns, _says("inputs that {} keeps"), _why),
    Rule((*_CAPTURE, "keys"), _columns, _says("keys that {} keeps"), _why),
)
