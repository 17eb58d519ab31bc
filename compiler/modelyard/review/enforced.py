"""Detect changes to allow rules that don't affect any emitted network policy, so nothing enforces them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.plan import Plan
from modelyard.records import replace
from modelyard.review.findings import Finding, lowered_to_review
from modelyard.review.lowered import lowered
from modelyard.review.sides import Sides
from modelyard.spec import System
from modelyard.target import Targets

_FIELD: Final = "egress"
_POLICY: Final = "NetworkPolicy"
_NOTHING: Final = (
    "nothing enforces it now: no workload there calls an address that only this list could allow, so no network policy "
    "changes"
)


def with_enforcement(findings: Iterable[Finding], sides: Sides, after: Plan, targets: Targets) -> Iterator[Finding]:
    """Yield the findings, lowering those about a target's `egress` to review if no network policy changes."""
    for finding in findings:
        is_egress = (
            len(finding.path) == 4 and finding.path[:2] == ("deployment", "targets") and finding.path[3] == _FIELD
        )
        if is_egress and not _is_enforced(finding.path[2], sides, after, targets):
            yield replace(lowered_to_review(finding, _NOTHING), reached=())
        else:
            yield finding


def _is_enforced(target: str, sides: Sides, after: Plan, targets: Targets) -> bool:
    """Return whether a target's old and new `egress` lists result in different network policies."""
    old = next((entry.egress for entry in sides.before.deployment.targets if entry.name == target), ())
    other = replace(after, system=_with_egress(after.system, target, old))
    return _policies(other, target, targets) != _policies(after, target, targets)


def _with_egress(system: System, target: str, ranges: tuple[str, ...]) -> System:
    changed = tuple(
        replace(entry, egress=ranges) if entry.name == target else entry for entry in system.deployment.targets
    )
    return replace(system, deployment=replace(system.deployment, targets=changed))


def _policies(plan: Plan, target: str, targets: Targets) -> list[object]:
    """Return the network policies of a target."""
    return [(key, item.values) for key, item in lowered(plan, target, targets).items() if _is_policy(item.kind)]


def _is_policy(kind: str) -> bool:
    return kind.endswith(f"/{_POLICY}")
