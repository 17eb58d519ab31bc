"""AKS as a platform for the workloads project: node pools, add-ons, databases, identities and network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelyard.indexes import index
from modelyard.plan import Identity, Plan, Resource
from modelyard.program import Ref
from modelyard.records import replace
from modelyard_targets.azure.addons import IDENTITY_ANNOTATION, IDENTITY_LABELS, INSTALLS, addons_of_nodes
from modelyard_targets.azure.existing import INSTALLS as INSTALLS_ON_EXISTING
from modelyard_targets.azure.existing import late_objects
from modelyard_targets.azure.gateway import filled_in, gateway_annotations
from modelyard_targets.azure.identities import client_output
from modelyard_targets.azure.infrastructure import homes_of
from modelyard_targets.azure.names import registry_name, secret_id
from modelyard_targets.azure.network_policies import (
    ENTRA_ID,
    ENTRA_PORTS,
    STORAGE_RANGES,
    WIRE_SERVER,
    api_addresses,
)
from modelyard_targets.azure.services import COPY_IDENTITY, database, foundation_objects, secret_commands
from modelyard_targets.cloud.existing_platform import platform_of, platform_on_existing
from modelyard_targets.cloud.projects import project_name
from modelyard_targets.kube.network.envoy import CLASS, CONTROLLER, ENVOY, PARAMETERS
from modelyard_targets.kube.placement.charts import charts
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.platform import Platform
from modelyard_targets.kube.project.context import context_of as context_on

_OVERCOMMITTED: Final = ("KubeCPUOvercommit", "KubeMemoryOvercommit")
"""Alerts that would always fire, because requests fill the existing nodes and new nodes are added on demand."""


def context_of(plan: Plan, placement: str) -> Context:
    """Return the context of a placement on Azure."""
    return context_on(plan, placement, platform_of(plan, placement, PLATFORM, EXISTING))


def _below(plan: Plan, placement: str) -> str:
    return project_name(plan.system, placement)


def _image_prefix(plan: Plan, placement: str) -> str:
    """Return the runtime image's prefix in the registry that the infrastructure creates.

    The registry's name is known at compile time.
    """
    return f"{registry_name(plan.system, placement)}.azurecr.io/{plan.system.metadata.name}"


def _identity_output(resource: Resource[Identity], context: Context) -> Ref | None:
    """Return the client ID of a workload's managed identity, which is an output of the project that creates it."""
    at = _homes(context).get(resource.name)
    return None if at is None else Ref(_variable(at), key=client_output(resource.name))


def _further_below(context: Context) -> Mapping[str, str]:
    return {
        _variable(at): project_name(context.system, context.placement, at)
        for at in sorted(set(_homes(context).values()))
        if at
    }


def _variable(at: int) -> str:
    return "infrastructure" if at == 0 else f"infrastructure{at + 1}"


@index
def _homes(context: Context) -> Mapping[str, int]:
    return homes_of(context)


PLATFORM: Final = Platform(
    target=filled_in,
    below=_below,
    image_prefix=_image_prefix,
    addons=addons_of_nodes,
    installs=INSTALLS,
    foundation=foundation_objects,
    database=database,
    gateway_class=CLASS,
    gateway_controller=CONTROLLER,
    gateway_parameters=PARAMETERS,
    gateway_annotations=gateway_annotations,
    gateway_namespace=charts()[ENVOY].namespace,
    api_addresses=api_addresses,
    storage_ranges=STORAGE_RANGES,
    storage_is_own=True,
    identity_agents=ENTRA_ID,
    identity_ports=ENTRA_PORTS,
    identity_labels=IDENTITY_LABELS,
    identity_annotation=IDENTITY_ANNOTATION,
    identity_output=_identity_output,
    further_below=_further_below,
    hidden_addresses=WIRE_SERVER,
    secret_name=secret_id,
    secret_commands=secret_commands,
    copy_identity=COPY_IDENTITY,
    meaningless_alerts=_OVERCOMMITTED,
)

EXISTING: Final = replace(platform_on_existing(PLATFORM, INSTALLS_ON_EXISTING), late=late_objects)
