"""ConfigMaps holding workload identities in other clouds, filled from the outputs of those clouds' projects."""

from __future__ import annotations

from typing import Final

from modelyard.manifest import labels, metadata
from modelyard.program import Call, Literal, Ref
from modelyard_targets.kube.data.crossing_secrets import COMPONENT, GROUP
from modelyard_targets.kube.data.federated import (
    Federated,
    crossings_project,
    crossings_setting,
    federated_on,
    identity_output,
)
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.platform import Argument, as_literal

_SUFFIX: Final = "crossings"


def federation_calls(context: Context, foundation: Ref) -> tuple[Call, ...]:
    """Return references to the projects that trust this cluster, and a ConfigMap for each workload and target."""
    entries = federated_on(context)
    first = {entry.target: entry for entry in reversed(entries)}
    targets = dict.fromkeys(entry.target for entry in entries)
    return (
        *(_project(first[target], context) for target in targets),
        *(_config_map(entry, foundation, context) for entry in entries),
    )


def _project(access: Federated, context: Context) -> Call:
    setting: tuple[str, Literal] = ("setting", crossings_setting(access.target))
    name = crossings_project(context.system, access.target)
    return Call(_variable(access.target), "Infrastructure", name, (setting,), GROUP, access.identity.origin)


def _config_map(access: Federated, foundation: Ref, context: Context) -> Call:
    name, project = access.config_map, _variable(access.target)
    outputs = {value: identity_output(access.identity, value) for value in access.federation.values}
    labelled = labels(context.system.metadata.name, access.identity.name, access.workload, COMPONENT)
    document: dict[str, Argument] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(name, context.namespace, labelled),
        "data": {value: Ref(project, key=output) for value, output in outputs.items()},
    }
    arguments: tuple[tuple[str, Literal], ...] = (
        ("cluster", Ref("cluster")),
        ("document", as_literal(document)),
        ("depends_on", (foundation,)),
    )
    variable = identity_output(access.identity, f"map_{access.target}")
    return Call(variable, "kubernetes.Object", name, arguments, GROUP, access.identity.origin)


def _variable(target: str) -> str:
    return f"{target}_{_SUFFIX}"
