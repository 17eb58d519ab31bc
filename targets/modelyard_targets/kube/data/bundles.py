"""Model storage, including experiments in the registry, and bundles where the registry can't be reached."""

from __future__ import annotations

from typing import Final

from modelyard.plan import Resource, bundle_path, model_path
from modelyard.source import Json
from modelyard.spec import Model, ModelRef
from modelyard.spec.scoring import models_of
from modelyard_targets.kube.data.crossing import keeps_models
from modelyard_targets.kube.data.disk import disk_folder
from modelyard_targets.kube.placement.context import Context

POLL_S: Final = 60
"""How often, in seconds, a server checks for a new bundle."""


def experiment_name(model: Model, context: Context) -> str:
    """Return the name of the registry experiment for a model's runs."""
    return f"{context.system.metadata.name}/{model.registered_name}"


def history_name(model: Model, context: Context) -> str:
    """Return the name of the registry experiment for a model's alias moves."""
    return f"{experiment_name(model, context)}/aliases"


def soaks_name(model: Model, context: Context) -> str:
    """Return the name of the registry experiment for a model's soak results."""
    return f"{history_name(model, context)}/soaks"


def loaded(model: Model, ref: ModelRef | None, resource: Resource, context: Context) -> dict[str, Json]:
    """Describe how a workload loads and verifies a model version.

    The description contains the bundle location. If only the promoter moves the alias, it also contains the required
    approvals and, without a bundle, the history of alias moves.
    """
    registry = context.system.registry
    if ref is None or registry is None:
        return {}
    bundled = context.plan.bundled(context.placement)
    if registry.adopt or ref.alias not in context.system.promoted().get(model.name, ()):
        return {**bundle(model, ref, resource, context), **local_copies(model, ref, resource, context)}
    where = bundle(model, ref, resource, context) if bundled else {"history": history_name(model, context)}
    return {**where, **describe_approvals(context, ref)} if where else {}


def describe_approvals(context: Context, ref: ModelRef) -> dict[str, dict[str, Json]]:
    """Describe the required approvals and the approvers' public keys, or return {} if none are required."""
    governance = context.system.governance
    approval = context.system.approval(ref.model, ref.alias)
    if approval is None:
        return {}
    groups: dict[str, Json] = {
        group.name: {"sshKeys": list(group.ssh_keys)} for group in governance.approvers if group.name in approval.groups
    }
    return {"approvals": {"from": list(approval.groups), "minimum": approval.minimum, "groups": groups}}


def experiment(model: Model, context: Context) -> dict[str, Json]:
    """Describe a model's experiments and, if we run the registry, its artifact folder."""
    registry = context.system.registry
    described: dict[str, Json] = {
        "experiment": experiment_name(model, context),
        "history": history_name(model, context),
    }
    if registry is not None and registry.artifacts:
        store = context.system.stores[registry.artifacts]
        described["artifacts"] = context.uri(store, model_path(registry.artifact_path, model.registered_name))
    return described


def bundle(model: Model, ref: ModelRef | None, resource: Resource, context: Context) -> dict[str, Json]:
    """Describe the bundle that a workload reads, or return {} if the placement can reach the registry."""
    if ref is None or not context.plan.bundled(context.placement):
        return {}
    where = _folder(model, ref.alias, context)
    cache = f"{disk_folder(resource, context)}/bundles/{model.registered_name}/{ref.alias}"
    sites = context.target.sites
    wave: dict[str, Json] = {"pointer": wave_pointer(context.placement, sites.wave)} if sites and sites.wave else {}
    return {"bundle": {**where, **wave, "cache": cache, "pollSeconds": POLL_S}} if where else {}


def wave_pointer(target: str, wave: str) -> str:
    """Return the name of the file that points to the active bundle for the sites in a wave."""
    return f"{target}-{wave}.json"


def _waves(model: Model, alias: str, context: Context) -> list[Json]:
    """Describe the targets whose sites get a model's bundle in waves, with each wave's pointer file in order."""
    waves: list[Json] = []
    for target in context.system.deployment.targets:
        if target.waves is None or ModelRef(model.name, alias) not in _read_on(target.name, context):
            continue
        names = ("canary", *(f"wave-{number}" for number in range(1, target.waves.count)))
        pointers: list[Json] = [wave_pointer(target.name, name) for name in names]
        waves.append({"target": target.name, "pointers": pointers, "soakSeconds": target.waves.soak_s})
    return waves


def _read_on(target: str, context: Context) -> set[ModelRef]:
    """Return the model versions that workloads on a target use."""
    system = context.system
    served = {
        variant.model
        for workload in system.inference.values()
        if workload.target == target
        for variant in workload.variants
    }
    return served | {
        ref for workload in system.pipelines.values() if workload.target == target for ref in models_of(workload)
    }


def local_copies(model: Model, ref: ModelRef, resource: Resource, context: Context) -> dict[str, Json]:
    """Describe where a workload stores versions loaded from a registry, or return {} if it doesn't store any."""
    if not keeps_models(resource, context.plan):
        return {}
    cache = f"{disk_folder(resource, context)}/bundles/{model.registered_name}/{ref.alias}"
    return {"kept": {"cache": cache, "pollSeconds": POLL_S}}


def delivery(model: Model, alias: str, context: Context) -> dict[str, Json]:
    """Describe the bundle to write when a model's alias moves, or return {} if no workload reads it."""
    if alias not in context.read_elsewhere.get(model.registered_name, ()):
        return {}
    where = _folder(model, alias, context)
    return {"delivery": _delivered(where, model, alias, context)} if where else {}


def _delivered(where: dict[str, Json], model: Model, alias: str, context: Context) -> dict[str, Json]:
    waves = _waves(model, alias, context)
    return {**where, "waves": waves} if waves else where


def other_deliveries(model: Model, moved: str, context: Context) -> dict[str, Json]:
    """Describe the bundles for a model's other aliases, which are moved manually."""
    deliveries: dict[str, Json] = {}
    for alias in context.read_elsewhere.get(model.registered_name, ()):
        where = _folder(model, alias, context) if alias != moved else {}
        if where:
            deliveries[alias] = _delivered(where, model, alias, context)
    return {"otherDeliveries": deliveries} if deliveries else {}


def _folder(model: Model, alias: str, context: Context) -> dict[str, Json]:
    registry = context.system.registry
    if registry is None or not registry.artifacts:
        return {}
    store = context.system.stores[registry.artifacts]
    path = bundle_path(registry.artifact_path, model.registered_name, alias)
    return {"uri": context.uri(store, path), "store": store.name}
