"""Name the stores a token issuer gives access to, in clouds that trust its tokens instead of access keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.diagnostics.base import joined
from modelyard.plan import Identity, Plan
from modelyard.records import replace
from modelyard.review.findings import Finding, facts, lowered_to_review
from modelyard.spec import System

_FIELD: Final = "issuer"
_ACCESS: Final = {"read": "read", "write": "read and write", "append": "add objects to"}
_NOTHING: Final = "no workload there opens a store of a cloud without a key, so no cloud trusts the issuer"


def with_opened_stores(findings: Iterable[Finding], before: Plan | None, after: Plan) -> Iterator[Finding]:
    """Yield the findings. Those about an issuer name the stores it opens, and are no danger if there are none."""
    for finding in findings:
        is_issuer = finding.path[:2] == ("deployment", "targets") and finding.path[3:] == (_FIELD,)
        yield _with_stores(finding, before, after) if is_issuer else finding


def _with_stores(finding: Finding, before: Plan | None, after: Plan) -> Finding:
    plan = after if finding.after else before
    if plan is None:
        return finding
    opened = _opened(plan, finding.path[2])
    if not opened:
        return lowered_to_review(finding, _NOTHING)
    alike: dict[tuple[str, str], list[str]] = {}
    for (store, target), access in opened.items():
        alike.setdefault((access, target), []).append(store)
    names = joined([f"{access} {joined(stores)} on {target}" for (access, target), stores in alike.items()])
    why = f"{finding.why}: {names}" if finding.after else f"its tokens can no longer {names}"
    return replace(finding, why=why, facts=facts(finding.facts, names))


def _opened(plan: Plan, target: str) -> dict[tuple[str, str], str]:
    """Return the stores that a target's workloads access using its issuer's tokens, with their access modes."""
    modes: dict[tuple[str, str], dict[str, None]] = {}
    for identity in plan.of(Identity, target):
        for access in identity.value.access:
            if _is_opened_by_tokens(plan.system, access.store, target):
                modes.setdefault((access.store, plan.system.stores[access.store].target), {})[access.mode] = None
    return {store: _access(granted) for store, granted in sorted(modes.items())}


def _access(modes: Iterable[str]) -> str:
    granted = set(modes)
    return _ACCESS["write"] if "write" in granted else " and ".join(_ACCESS[mode] for mode in sorted(granted)[::-1])


def _is_opened_by_tokens(system: System, name: str, target: str) -> bool:
    store = system.stores[name]
    there = system.target(store.target)
    is_elsewhere = there.in_cloud and there.provider != system.target(target).provider
    return is_elsewhere and store.type == "object" and not store.endpoint and store.credentials is None
