"""Where models are kept: the folder of their runs, and the bundles in which they cross to another placement."""

from __future__ import annotations

from typing import Final

from modelyard.plan import Resource, bundle_path, model_path
from modelyard.source import Json
from modelyard.spec import Model, ModelRef
from modelyard_targets.kube.data.disk import disk_folder
from modelyard_targets.kube.placement.context import Context

POLL_S: Final = 60
"""How often a server asks whether another bundle is in use."""


def experiment_name(model: Model, context: Context) -> str:
    """What the registry calls the runs of a model."""
    return f"{context.system.metadata.name}/{model.registered_name}"


def history_name(model: Model, context: Context) -> str:
    """What the registry calls the record of every move of a model's aliases."""
    return f"{experiment_name(model, context)}/aliases"


def soaks_name(model: Model, context: Context) -> str:
    """What the registry calls the record of how versions did in their soaks, beside that of the moves."""
    return f"{history_name(model, context)}/soaks"


def loaded(model: Model, ref: ModelRef | None, resource: Resource, context: Context) -> dict[str, Json]:
    """The entries by which whoever loads a version finds it, and knows that it may: where its bundles are read, else
    the record of the alias's moves, where the promoter alone writes it; and whose approvals it must have.
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
    """The entry that says who must agree before an alias moves, and by which keys; empty where nobody must."""
    governance = context.system.governance
    approval = context.system.approval(ref.model, ref.alias)
    if approval is None:
        return {}
    groups: dict[str, Json] = {
        group.name: {"sshKeys": list(group.ssh_keys)} for group in governance.approvers if group.name in approval.groups
    }
    return {"approvals": {"from": list(approval.groups), "minimum": approval.minimum, "groups": groups}}


def experiment(model: Model, context: Context) -> dict[str, Json]:
    """The entries with a model's experiments, and the folder of its artifacts where the registry is installed here."""
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
    """The entry of a model's description that says where its bundle is read; empty where the registry is in reach."""
    if ref is None or not context.plan.bundled(context.placement):
        return {}
    where = _folder(model, ref.alias, context)
    cache = f"{disk_folder(resource, context)}/bundles/{model.registered_name}/{ref.alias}"
    return {"bundle": {**where, "cache": cache, "pollSeconds": POLL_S}} if where else {}


def delivery(model: Model, alias: str, context: Context) -> dict[str, Json]:
    """The entry that says where bundles of an alias are written when it moves; empty where nobody reads them."""
    if alias not in context.read_elsewhere.get(model.registered_name, ()):
        return {}
    where = _folder(model, alias, context)
    return {"delivery": where} if where else {}


def other_deliveries(model: Model, moved: str, context: Context) -> dict[str, Json]:
    """The entry with the aliases that are read elsewhere and that somebody else moves: a human, in the registry."""
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
