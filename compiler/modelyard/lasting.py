"""What a plan leaves behind when it is applied, and what of it the next plan would take away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.plan import stack_left_running, would_be_destroyed
from modelyard.nearest import nearest_name
from modelyard.plan import Kind, Plan
from modelyard.spec import Store

_WORKLOADS = frozenset({Kind.MODEL_SERVER, Kind.TRAINING_JOB, Kind.BATCH_JOB, Kind.CUSTOM_JOB, Kind.MONITOR})
_STORES = frozenset({Kind.OBJECT_STORE, Kind.DATABASE})
_MOVABLE = frozenset({"inference", "pipelines", "monitors", "stores"})


def lasting(plan: Plan) -> dict[str, dict[str, str]]:
    """By target, the address of everything that works or holds data, and the section and name that asked for it.

    What is adopted is not in it: it was there before, and stays.
    """
    found: dict[str, dict[str, str]] = {name: {} for name in plan.placements()}
    for resource in plan.resources:
        if resource.kind in _WORKLOADS:
            found[resource.placement][resource.address] = resource.workload
        elif isinstance(resource.value, Store) and not resource.value.adopt:
            found[resource.placement][resource.address] = f"stores.{resource.value.name}"
    return found


def removed(plan: Plan, before: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """What of `before` the plan does not name any more, by target and address; targets with nothing are left out."""
    now = lasting(plan)
    gone = {
        target: {address: owner for address, owner in addresses.items() if address not in now.get(target, {})}
        for target, addresses in before.items()
    }
    return {target: addresses for target, addresses in gone.items() if addresses}


def check_gone(plan: Plan, before: Mapping[str, Mapping[str, str]]) -> Iterator[Diagnostic]:
    """Warnings about everything that `before` has and the plan has not: one for each owner, one for a whole target."""
    now = lasting(plan)
    providers = {target.name: target.provider for target in plan.system.deployment.targets}
    for target, gone in removed(plan, before).items():
        if target not in now:
            yield stack_left_running(plan.system.key("deployment"), target, plan.system.environment)
            continue
        owners: dict[str, list[str]] = {}
        for address, owner in gone.items():
            owners.setdefault(owner, []).append(address)
        known = set(before[target].values())
        fresh = [owner for owner in dict.fromkeys(now[target].values()) if owner not in known]
        for owner, addresses in owners.items():
            section = owner.partition(".")[0]
            where = plan.system.key("inference" if section == "pool" else section)
            fate = _fate(addresses, providers[target])
            yield would_be_destroyed(where, addresses, target, fate, _hint(owner, fresh))


def _fate(gone: Sequence[str], provider: str) -> str:
    """What becomes of things of one kind that no program names any more."""
    kind = gone[0].partition("/")[0]
    if kind == Kind.OBJECT_STORE and provider == "kubernetes":
        return "its bucket stays, and nothing uses it"
    if kind in _STORES:
        return "`pulumi up` stops at it, since it is protected, until you decide about its data"
    return f"`pulumi up` will destroy {'them' if len(gone) > 1 else 'it'}"


def _hint(owner: str, fresh: Iterable[str]) -> str:
    """How a rename is told apart from a removal, with the new name that comes nearest."""
    section, _, name = owner.partition(".")
    renamed = [owner.partition(".")[2] for owner in fresh if owner.startswith(f"{section}.")]
    if not renamed:
        return ""
    if section not in _MOVABLE:
        return "if it was renamed: give it its name back"
    near = nearest_name(name, renamed) or renamed[0]
    return f"if it was renamed: moved: {{{section}.{near}: {section}.{name}}}"
