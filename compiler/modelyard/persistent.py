"""Find resources that remain after a plan is applied, and those that the next plan would remove."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.plan import stack_left_running, would_be_destroyed
from modelyard.diagnostics.sites import site_left_running
from modelyard.nearest import nearest_name
from modelyard.plan import Kind, Plan, is_adopted
from modelyard.spec import target_path

_WORKLOADS = frozenset({Kind.MODEL_SERVER, Kind.TRAINING_JOB, Kind.BATCH_JOB, Kind.CUSTOM_JOB, Kind.MONITOR})
_STORES = frozenset({Kind.OBJECT_STORE, Kind.DATABASE})
_SITE = "site/"
_MOVABLE = frozenset({"inference", "pipelines", "monitors", "stores"})


def persistent_resources(plan: Plan) -> dict[str, dict[str, str]]:
    """Map each target to the addresses of resources that keep running or hold data, along with their owners.

    An owner is given by section and name. Adopted resources are excluded, because modelyard neither creates nor removes
    them. Every site of a target is included, because each has its own stack.
    """
    addresses: dict[str, dict[str, str]] = {name: {} for name in plan.placements()}
    for resource in plan.resources:
        if resource.kind in _WORKLOADS:
            addresses[resource.placement][resource.address] = resource.workload
        elif resource.kind in _STORES and not is_adopted(resource):
            addresses[resource.placement][resource.address] = ".".join(map(str, resource.origin))
    for target in plan.system.deployment.targets:
        if target.sites is not None and target.name in addresses:
            owner = ".".join(map(str, target_path(plan.system, target.name)))
            addresses[target.name] |= {f"{_SITE}{name}": owner for name in target.sites.names}
    return addresses


def removed(plan: Plan, before: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return the resources in `before` that the plan no longer contains, by target and address."""
    now = persistent_resources(plan)
    gone = {
        target: {address: owner for address, owner in addresses.items() if address not in now.get(target, {})}
        for target, addresses in before.items()
    }
    return {target: addresses for target, addresses in gone.items() if addresses}


def check_gone(plan: Plan, before: Mapping[str, Mapping[str, str]]) -> Iterator[Diagnostic]:
    """Warn about resources in `before` that the plan no longer has, once per owner or removed target."""
    now = persistent_resources(plan)
    providers = {target.name: target.provider for target in plan.system.deployment.targets}
    for target, gone in removed(plan, before).items():
        if target not in now:
            yield stack_left_running(plan.system.key("deployment"), target, plan.system.environment)
            continue
        sites = [address.removeprefix(_SITE) for address in gone if address.startswith(_SITE)]
        if sites:
            where = plan.system.key(*target_path(plan.system, target), "sites")
            yield site_left_running(where, target, sites, plan.system.environment)
        owners: dict[str, list[str]] = {}
        for address, owner in gone.items():
            if address.startswith(_SITE):
                continue
            owners.setdefault(owner, []).append(address)
        known = set(before[target].values())
        fresh = [owner for owner in dict.fromkeys(now[target].values()) if owner not in known]
        for owner, addresses in owners.items():
            section = owner.partition(".")[0]
            where = plan.system.key("inference" if section == "pool" else section)
            fate = _fate(addresses, providers[target])
            yield would_be_destroyed(where, addresses, target, fate, _hint(owner, fresh))


def _fate(gone: Sequence[str], provider: str) -> str:
    """Describe what happens to resources of one kind when the program no longer contains them."""
    kind = gone[0].partition("/")[0]
    if kind == Kind.OBJECT_STORE and provider == "kubernetes":
        return "its bucket remains, but is no longer used"
    if kind in _STORES:
        return "it is protected, so `pulumi up` fails until you decide what to do with its data"
    return f"`pulumi up` will destroy {'them' if len(gone) > 1 else 'it'}"


def _hint(owner: str, fresh: Iterable[str]) -> str:
    """Suggest a rename to the closest new name, in case the removal wasn't intended."""
    section, _, name = owner.partition(".")
    renamed = [owner.partition(".")[2] for owner in fresh if owner.startswith(f"{section}.")]
    if not renamed:
        return ""
    if section not in _MOVABLE:
        return "if you renamed it, restore the old name"
    near = nearest_name(name, renamed) or renamed[0]
    return f"if you renamed it, add `moved: {{{section}.{near}: {section}.{name}}}`"
