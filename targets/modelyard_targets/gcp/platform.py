"""GKE as a platform for the workloads project: node pools, add-ons, databases and network."""

from __future__ import annotations

from typing import Final

from modelyard.plan import Plan
from modelyard.records import replace
from modelyard_targets.cloud.existing_platform import platform_of, platform_on_existing
from modelyard_targets.cloud.projects import project_name
from modelyard_targets.gcp.addons import INSTALLS
from modelyard_targets.gcp.compute_classes import compute_class
from modelyard_targets.gcp.existing import INSTALLS as INSTALLS_ON_EXISTING
from modelyard_targets.gcp.existing import late_objects
from modelyard_targets.gcp.gateway import filled_in, gateway_annotations
from modelyard_targets.gcp.names import repository, secret_id
from modelyard_targets.gcp.network_policies import METADATA_PORTS, METADATA_SERVERS, STORAGE_RANGES, api_addresses
from modelyard_targets.gcp.options import options_of
from modelyard_targets.gcp.services import COPY_IDENTITY, database, secret_commands, storage_classes
from modelyard_targets.kube.network.envoy import CLASS, CONTROLLER, ENVOY, PARAMETERS
from modelyard_targets.kube.placement.charts import charts
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.kube.placement.platform import Platform
from modelyard_targets.kube.project.context import context_of as context_on

_NOT_KNOWN_YET: Final = "registry.invalid"
"""Placeholder in manifests for the repository's host, if the spec does not name the project."""

_OVERCOMMITTED: Final = ("KubeCPUOvercommit", "KubeMemoryOvercommit")
"""Alerts that would always fire, because requests fill the existing nodes and new nodes are added on demand."""


def context_of(plan: Plan, placement: str) -> Context:
    """Return the context of a placement on Google Cloud."""
    return context_on(plan, placement, platform_of(plan, placement, PLATFORM, EXISTING))


def _below(plan: Plan, placement: str) -> str:
    return project_name(plan.system, placement)


def _image_prefix(plan: Plan, placement: str) -> str:
    """Return the runtime image's prefix in the registry created by the infrastructure project."""
    target = target_of(plan, placement)
    project = options_of(target).account
    if not project:
        return _NOT_KNOWN_YET
    return f"{target.region}-docker.pkg.dev/{project}/{repository(plan.system, placement)}"


PLATFORM: Final = Platform(
    target=filled_in,
    below=_below,
    image_prefix=_image_prefix,
    image_registries={_NOT_KNOWN_YET: "image_registry"},
    installs=INSTALLS,
    foundation=storage_classes,
    machines=compute_class,
    database=database,
    gateway_class=CLASS,
    gateway_controller=CONTROLLER,
    gateway_parameters=PARAMETERS,
    gateway_annotations=gateway_annotations,
    gateway_namespace=charts()[ENVOY].namespace,
    api_addresses=api_addresses,
    storage_ranges=STORAGE_RANGES,
    identity_agents=METADATA_SERVERS,
    identity_ports=METADATA_PORTS,
    secret_name=secret_id,
    secret_commands=secret_commands,
    copy_identity=COPY_IDENTITY,
    meaningless_alerts=_OVERCOMMITTED,
)

EXISTING: Final = replace(platform_on_existing(PLATFORM, INSTALLS_ON_EXISTING), late=late_objects)
