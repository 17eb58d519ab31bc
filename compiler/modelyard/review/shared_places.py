"""Find environments that start to use what belongs to another environment.

A trial environment must not use the store or cluster of a non-trial environment, and no two environments may manage the
same namespace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from modelyard.inputs import BASE_FOLDER
from modelyard.records import replace
from modelyard.review.findings import Finding, Level
from modelyard.review.rules.base import matches
from modelyard.review.sides import is_for_trials
from modelyard.spec import System
from modelyard.stages import Outcome

_PLACES: Final = (("stores", "*", "adopt"), ("deployment", "targets", "*", "context"))

_NAMESPACES: Final = (("deployment", "targets", "*", "context"), ("deployment", "targets", "*", "namespace"))


def on_shared_places(findings: Iterable[Finding], after: Mapping[str, Outcome]) -> Iterator[Finding]:
    """Yield the findings, raising those where an environment starts to use another environment's places."""
    systems = {name: outcome.system for name, outcome in after.items() if outcome.system is not None}
    real = {name: system for name, system in systems.items() if not is_for_trials(system)}
    for finding in findings:
        users = _users(finding, systems, real)
        if others := _in_same_namespace(finding, systems):
            reason = f"{' and '.join(others)}: each `pulumi up` overwrites the other environment's objects"
            yield replace(finding, level=Level.DANGER, reasons=(reason,))
        elif users:
            reason = f"{' and '.join(users)} {'uses' if len(users) == 1 else 'use'} {finding.after} too"
            yield replace(finding, level=Level.DANGER, reasons=(reason,))
        else:
            yield finding


def _in_same_namespace(finding: Finding, systems: Mapping[str, System]) -> list[str]:
    """Return what other environments run in, if an environment moves to their namespaces or is new there.

    The base may only be what environments have in common, so it does not count.
    """
    moves = any(matches(place, finding.path) for place in _NAMESPACES)
    (own, *more) = finding.environments or ("",)
    if more or own not in systems or not (moves or finding.code == "R911"):
        return []
    places = _namespaces(systems[own])
    return [
        f"{name} is in namespace {namespace} of {context} too"
        for name, system in systems.items()
        if name not in {own, BASE_FOLDER}
        for context, namespace in sorted(places & _namespaces(system))
    ]


def _namespaces(system: System) -> set[tuple[str, str]]:
    """Return the cluster contexts and namespaces that a system's targets use, except for targets with sites."""
    targets = [target for target in system.deployment.targets if target.context and target.sites is None]
    return {(target.context, target.namespace or system.metadata.name) for target in targets}


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
