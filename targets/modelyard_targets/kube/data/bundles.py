"""Storage of models: experiments in the registry, and bundles that carry versions to other placements."""

from __future__ import annotations

from typing import Final

from modelyard.plan import Resource, bundle_path, model_path
from modelyard.source import Json
from modelyard.spec import Model, ModelRef
from modelyard_targets.kube.data.disk import disk_folder
from modelyard_targets.kube.placement.context import Context

POLL_S: Final = 60
"""How often, in seconds, a server checks for a new bundle."""


def experiment_name(model: Model, context: Context) -> str:
    """Return the registry's experiment for a model's runs."""
    return f"{context.system.metadata.name}/{model.registered_name}"


def history_name(model: Model, context: Context) -> str:
    """Return the registry's experiment that records a model's alias moves."""
    return f"{experiment_name(model, context)}/aliases"


def soaks_name(model: Model, context: Context) -> str:
    """Return the registry's experiment that records soak results, below the one for alias moves."""
    return f"{history_name(model, context)}/soaks"


def loaded(model: Model, ref: ModelRef | None, resource: Resource, context: Context) -> dict[str, Json]:
    """Return the entries to load and verify a version.

    They name the bundle's location or, if only the promoter moves the alias, the history of its moves, and the
    approvals that a version needs.
    """
    registry = context.system.registry
    if ref is None or registry is None:
        return {}
    bundled = context.plan.bundled(context.placement)
    if registry.adopt or ref.alias not in context.system.promoted().get(model.name, ()):
        return bundle(model, ref, resource, context)
    where = bundle(model, ref, resource, context) if bundled else {"history": history_name(model, context)}
    return {**where, **describe_approvals(context, ref)} if where else {}


def describe_approvals(context: Context, ref: ModelRef) -> dict[str, dict[str, Json]]:
    """Return the entry on who must approve an alias move, with their public keys; empty if nobody has to."""
    governance = context.system.governance
    approval = context.system.approval(ref.model, ref.alias)
    if approval is None:
        return {}
    groups: dict[str, Json] = {
        group.name: {"sshKeys": list(group.ssh_keys)} for group in governance.approvers if group.name in approval.groups
    }
    return {"approvals": {"from": list(approval.groups), "minimum": approval.minimum, "groups": groups}}


def experiment(model: Model, context: Context) -> dict[str, Json]:
    """Return the entries with a model's experiments, and its artifact folder if the registry is installed here."""
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
    """Return the entry on where a model's bundle is read; empty if the registry is reachable."""
    if ref is None or not context.plan.bundled(context.placement):
        return {}
    where = _folder(model, ref.alias, context)
    cache = f"{disk_folder(resource, context)}/bundles/{model.registered_name}/{ref.alias}"
    return {"bundle": {**where, "cache": cache, "pollSeconds": POLL_S}} if where else {}


def delivery(model: Model, alias: str, context: Context) -> dict[str, Json]:
    """Return the entry on where an alias's bundle is written when it moves; empty if no one reads it."""
    if alias not in context.read_elsewhere.get(model.registered_name, ()):
        return {}
    where = _folder(model, alias, context)
    return {"delivery": where} if where else {}


def other_deliveries(model: Model, moved: str, context: Context) -> dict[str, Json]:
    """Return the entry with aliases that are read elsewhere and moved by hand in the registry."""
    found: dict[str, Json] = {}
    for alias in context.read_elsewhere.get(model.registered_name, ()):
        where = _folder(model, alias, context) if alias != moved else {}
        if where:
            found[alias] = where
    return {"otherDeliveries": found} if found else {}


def _folder(model: Model, alias: str, context: Context) -> dict[str, Json]:
    registry = context.system.registry
    if registry is None or not registry.artifacts:
        return {}
    store = context.system.stores[registry.artifacts]
    path = bundle_path(registry.artifact_path, model.registered_name, alias)
    return {"uri": context.uri(store, path), "store": store.name}
