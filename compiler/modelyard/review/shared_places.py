"""Find trial environments that start to use a store or cluster belonging to a non-trial environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from modelyard.records import replace
from modelyard.review.findings import Finding, Level
from modelyard.review.rules.base import matches
from modelyard.review.sides import is_for_trials
from modelyard.spec import System
from modelyard.stages import Outcome

_PLACES: Final = (("stores", "*", "adopt"), ("deployment", "targets", "*", "context"))


def on_shared_places(findings: Iterable[Finding], after: Mapping[str, Outcome]) -> Iterator[Finding]:
    """Yield the findings, raising those where a trial environment starts sharing a non-trial store or cluster."""
    systems = {name: outcome.system for name, outcome in after.items() if outcome.system is not None}
    real = {name: system for name, system in systems.items() if not is_for_trials(system)}
    for finding in findings:
        users = _users(finding, systems, real)
        if users:
            reason = f"{' and '.join(users)} {'uses' if len(users) == 1 else 'use'} {finding.after} too"
            yield replace(finding, level=Level.DANGER, reasons=(reason,))
        else:
            yield finding


def _users(finding: Finding, systems: Mapping[str, System], real: Mapping[str, System]) -> list[str]:
    """Return the non-trial environments that use the store or cluster that a trial environment now uses."""
    (own, *more) = finding.environments or ("",)
    if more or own in real or own not in systems or not any(matches(place, finding.path) for place in _PLACES):
        return []
    return [name for name, system in real.items() if finding.after in _used(system, finding.path)]


def _used(system: System, path: tuple[str, ...]) -> set[str]:
    if path[0] == "stores":
        return {store.adopt for store in system.stores.values()} - {""}
    return {target.context for target in system.deployment.targets} - {""}
