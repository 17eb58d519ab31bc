"""EKS as a platform for the workloads project: add-ons, node pools, databases, gateway and network."""

from __future__ import annotations

from typing import Final

from modelyard.plan import Plan
from modelyard.records import replace
from modelyard_targets.aws.addons import INSTALLS, addons_of_nodes
from modelyard_targets.aws.elastic import node_pool
from modelyard_targets.aws.existing import INSTALLS as INSTALLS_ON_EXISTING
from modelyard_targets.aws.existing import late_objects
from modelyard_targets.aws.gateway import filled_in
from modelyard_targets.aws.login import lower_login
from modelyard_targets.aws.names import cluster_name
from modelyard_targets.aws.network_policies import IDENTITY_AGENTS, STORAGE_RANGES, api_addresses, system_policies
from modelyard_targets.aws.options import options_of
from modelyard_targets.aws.services import (
    COPY_IDENTITY,
    database,
    gateway_annotations,
    secret_commands,
    secret_stores,
    storage_classes,
)
from modelyard_targets.cloud.existing_platform import platform_of, platform_on_existing
from modelyard_targets.cloud.projects import project_name
from modelyard_targets.kube.network.envoy import CLASS, CONTROLLER, ENVOY, PARAMETERS
from modelyard_targets.kube.placement.charts import charts
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.kube.placement.platform import Platform
from modelyard_targets.kube.project.context import context_of as context_on

_NOT_KNOWN_YET: Final = "registry.invalid"
"""Placeholder in manifests for the registry's host, if the spec does not name the account."""

_OVERCOMMITTED: Final = ("KubeCPUOvercommit", "KubeMemoryOvercommit")
"""Alerts that would always fire, because requests fill the existing nodes and new nodes are added on demand."""


def context_of(plan: Plan, placement: str) -> Context:
    """Return the context of a placement on AWS."""
    return context_on(plan, placement, platform_of(plan, placement, PLATFORM, EXISTING))


def _below(plan: Plan, placement: str) -> str:
    return project_name(plan.system, placement)


def _image_prefix(plan: Plan, placement: str) -> str:
    """Return the runtime image's prefix in the registry created by the infrastructure project."""
    target = target_of(plan, placement)
    domain = "amazonaws.com.cn" if target.region.startswith("cn-") else "amazonaws.com"
    account = options_of(target).account
    host = f"{account}.dkr.ecr.{target.region}.{domain}" if account else _NOT_KNOWN_YET
    return f"{host}/{cluster_name(plan.system, placement)}"


PLATFORM: Final = Platform(
    target=filled_in,
    below=_below,
    image_prefix=_image_prefix,
    image_registries={_NOT_KNOWN_YET: "image_registry"},
    addons=addons_of_nodes,
    installs=INSTALLS,
    foundation=storage_classes,
    secret_stores=secret_stores,
    machines=node_pool,
    database=database,
    login=lower_login,
    gateway_class=CLASS,
    gateway_controller=CONTROLLER,
    gateway_parameters=PARAMETERS,
    gateway_annotations=gateway_annotations,
    gateway_namespace=charts()[ENVOY].namespace,
    api_addresses=api_addresses,
    storage_ranges=STORAGE_RANGES,
    policies=system_policies,
    identity_agents=IDENTITY_AGENTS,
    secret_commands=secret_commands,
    copy_identity=COPY_IDENTITY,
    meaningless_alerts=_OVERCOMMITTED,
)

EXISTING: Final = replace(platform_on_existing(PLATFORM, INSTALLS_ON_EXISTING), late=late_objects)
