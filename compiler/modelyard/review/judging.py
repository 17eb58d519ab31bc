"""Turn the changes in one environment into findings, with levels that fit the system and the environment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.review.changes import Change, Direction, changes
from modelyard.review.findings import Finding, Level, facts
from modelyard.review.meaning import parsed
from modelyard.review.places import is_written, span_of
from modelyard.review.reach import reached_by
from modelyard.review.rules import rule_for
from modelyard.review.rules.base import Rule
from modelyard.review.sides import Sides
from modelyard.review.values import ABSENT, Leaf, Steps, plain
from modelyard.review.words import spec_text
from modelyard.spec import Inference as Endpoint

_GUARDS: Final = frozenset({"gate", "approval", "evidence", "promotion", "data", "privacy", "residency"})
_OF_OUR_OWN: Final = frozenset({"size", "replicas"})
"""What only a store that the system creates has."""

_NARROWING: Final = frozenset({"R110"})
"""Findings about versions that reach less of the traffic than before."""

_DECISIONS: Final = frozenset({"R123"})
"""Findings about other decisions from the same scores, which no gate notices."""
_ANSWERED: Final = frozenset({"R101", "R104", "R607", "R603"})


def judged(sides: Sides) -> Iterator[Finding]:
    """Yield a finding for each change in an environment."""
    for change in changes(sides.before, sides.after):
        if _is_default_of_place(change, sides) or _follows_adoption(change, sides):
            continue
        yield _finding(change, sides)
        for looser in _brought_along(change):
            yield _finding(looser, sides)


def _is_default_of_place(change: Change, sides: Sides) -> bool:
    """Return whether a target's field differs only because its provider or adopted cluster, judged separately, does."""
    if change.path[:2] != ("deployment", "targets") or len(change.path) < 4 or change.path[3] == "provider":
        return False
    places = [
        {
            (target.provider, target.cluster.adopt)
            for target in system.deployment.targets
            if target.name == change.path[2]
        }
        for system in (sides.before, sides.after)
    ]
    is_other = bool(places[0]) and bool(places[1]) and places[0] != places[1]
    return is_other and not (is_written(sides.after, change.path) or is_written(sides.before, change.path))


def _follows_adoption(change: Change, sides: Sides) -> bool:
    """Return whether a store's size or replicas differ only because it is adopted, or no longer is."""
    if change.path[0] != "stores" or change.path[-1] not in _OF_OUR_OWN:
        return False
    old, new = (system.stores.get(change.path[1]) for system in (sides.before, sides.after))
    return old is not None and new is not None and bool(old.adopt) is not bool(new.adopt)


def _brought_along(change: Change) -> Iterator[Change]:
    """Yield changes for what a new endpoint exposes or captures, to be judged like changes to an existing endpoint."""
    endpoint = change.now
    if not (change.entry and change.added and isinstance(endpoint, Endpoint)):
        return
    if endpoint.endpoint.exposure != "cluster":
        path = (*change.path, "endpoint")
        yield Change((*path, "exposure"), ABSENT, Leaf(endpoint.endpoint.exposure), parsed("opening: added"))
        if endpoint.endpoint.auth.type == "none":
            yield Change((*path, "auth", "type"), ABSENT, Leaf("none"), parsed("access: added"))
    if endpoint.capture is not None:
        summary = Leaf(spec_text("", plain(endpoint.capture)))
        yield Change((*change.path, "capture"), ABSENT, summary, parsed("privacy: added"), True, None, endpoint.capture)


def _finding(change: Change, sides: Sides) -> Finding:
    rule = rule_for(change)
    code, level = rule.verdict(change, sides)
    level, reasons = _weighed(change, code, level, rule, sides)
    system = sides.before if change.removed else sides.after
    old = _old_path(change.path, sides)
    return Finding(
        code=code,
        level=level,
        path=change.path,
        message=f"{rule.says(change, sides)}{_origin(change, old, sides)}",
        why=rule.reason(change, sides),
        before=change.before.text,
        after=change.after.text,
        reasons=reasons,
        reached=reached_by(system, change.path) if level > Level.QUIET else (),
        environments=(sides.after.environment,),
        was_at=None if change.added else span_of(sides.before, old),
        now_at=span_of(sides.after, change.path),
        irreversible=rule.irreversible,
        facts=_exactly(change.before, change.after),
    )


def _exactly(before: Leaf, after: Leaf) -> str:
    """Return exact values that the displayed text may hide, such as further digits of a number."""
    exact = [(leaf.number, leaf.items) for leaf in (before, after)]
    return facts(*exact) if any(part is not None for pair in exact for part in pair) else ""


def _old_path(path: Steps, sides: Sides) -> Steps:
    """Return a field's path in the old version, taking into account that its entry may have been renamed."""
    old = (sides.after.moved or {}).get(".".join(path[:2]), "")
    return (*old.split("."), *path[2:]) if old and path[0] != "moved" else path


def _origin(change: Change, old: Steps, sides: Sides) -> str:
    """Return " (by default)" if neither version writes the value, otherwise ""."""
    if change.entry or is_written(sides.after, change.path) or is_written(sides.before, old):
        return ""
    return " (by default)"


def _weighed(change: Change, code: str, level: Level, rule: Rule, sides: Sides) -> tuple[Level, tuple[str, ...]]:
    """Adjust a finding's level for the profile, environment and traffic. Returns the level and the reasons."""
    reasons: list[str] = []
    if sides.guarded and level is Level.REVIEW and _is_weakened(change, code, sides):
        level = Level.DANGER
        reasons.append(sides.guarded)
    if _is_idle(change, code, sides) and level > Level.NOTE:
        level = Level(level - 1)
        reasons.append("the variant gets no traffic")
    if sides.is_trial and level is Level.DANGER and not rule.irreversible:
        level = Level.REVIEW
        reasons.append(f"environment {sides.after.environment} is for trials")
    return level, tuple(reasons)


def _is_weakened(change: Change, code: str, sides: Sides) -> bool:
    """Return whether a change weakens a safeguard or, in a high-risk system, affects decisions about people."""
    if code in _DECISIONS:
        return sides.is_high_risk
    if code in _NARROWING:
        return False
    return change.meaning.about in _GUARDS and change.way is not Direction.STRICTER and not change.entry


def _is_idle(change: Change, code: str, sides: Sides) -> bool:
    """Return whether a change affects a variant that receives no traffic in either version."""
    if code not in _ANSWERED or len(change.path) < 5 or change.path[2] != "variants":
        return False
    shares = [
        variant.percent
        for system in (sides.before, sides.after)
        for variant in (system.inference[change.path[1]].variants if change.path[1] in system.inference else ())
        if variant.name == change.path[3]
    ]
    return not any(shares)
