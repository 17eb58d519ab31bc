"""The base of the infrastructure: the project, its encryption key, the network and the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.program import Call, Literal, Ref
from modelyard.spec import System, target_path
from modelyard_targets.cloud.data import has_registry, managed_databases
from modelyard_targets.cloud.pools import training_pools
from modelyard_targets.gcp.names import cluster_name, labels
from modelyard_targets.gcp.network_policies import GOOGLE_APIS
from modelyard_targets.gcp.options import has_nat, options_of, subnetwork_of, vpc_of
from modelyard_targets.gcp.versions import version_of
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import addons_needed

GROUP: Final = "foundation"

CHANNEL: Final = "REGULAR"
"""GKE's release channel, which keeps `version` until its support ends (docs.cloud.google.com/kubernetes-engine/docs/
concepts/release-channels, read 2026-11-27).
"""

_ALWAYS: Final = (
    "cloudkms.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "iam.googleapis.com",
    "serviceusage.googleapis.com",
    "storage.googleapis.com",
)
_OF_A_CLUSTER: Final = (
    "binaryauthorization.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "dns.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "sts.googleapis.com",
)

_ENCRYPTED: Final = {
    f"{name}.googleapis.com": name
    for name in ("artifactregistry", "compute", "container", "logging", "secretmanager", "sqladmin", "storage")
}
"""The services that encrypt data with the target's key, by the name of their API."""

_OF_AN_EXISTING_CLUSTER: Final = (
    "compute.googleapis.com",
    "container.googleapis.com",
    "iamcredentials.googleapis.com",
    "monitoring.googleapis.com",
    "sts.googleapis.com",
)
_ENCRYPTED_BY_OWNER: Final = frozenset({"compute", "container", "logging"})

_ENTERPRISE_LOG_DAYS: Final = 365
_LOG_DAYS: Final = 30


def foundation_calls(context: Context) -> Iterator[Call]:
    """Yield the components for the project, the encryption key, the network, the logs and the cluster."""
    yield project_call(context)
    yield key_call(context)
    yield _network(context)
    yield _logs(context)
    yield _cluster(context)


def project_call(context: Context, *, first: bool = True, services: tuple[str, ...] = ()) -> Call:
    """Build the component for the provider, including its project, region and labels.

    In the first infrastructure project, it also enables the APIs in use. `services` are the APIs to enable in another
    Pulumi project.
    """
    arguments: list[tuple[str, Literal]] = [
        ("region", context.target.region),
        ("labels", dict(labels(context.system, context.placement))),
    ]
    if project := options_of(context.target).account:
        arguments.append(("project_id", project))
    if first or services:
        arguments.append(("services", services or services_of(context)))
    here = target_path(context.system, context.placement)
    return Call("project", "Project", context.placement, tuple(arguments), GROUP, here)


def key_call(context: Context) -> Call:
    """Build the component for the Cloud KMS key that encrypts all of the target's data."""
    here = target_path(context.system, context.placement)
    services = dict.fromkeys(_ENCRYPTED[api] for api in services_of(context) if api in _ENCRYPTED)
    if context.target.cluster.adopt:  # its owner encrypts the cluster's Secrets and logs, and its nodes' disks
        own = {"compute"} if context.target.cluster.creates_pools else set[str]()
        services = dict.fromkeys(service for service in services if service not in _ENCRYPTED_BY_OWNER - own)
    arguments = (("project", Ref("project")), ("services", tuple(services)))
    return Call("key", "Key", _name(context), arguments, GROUP, here)


def services_of(context: Context) -> tuple[str, ...]:
    """Return the Google Cloud APIs that a placement's programs and workloads call."""
    plan, placement = context.plan, context.placement
    services = {*_ALWAYS}
    if plan.has_cluster(placement):
        services |= {*(_OF_AN_EXISTING_CLUSTER if context.target.cluster.adopt else _OF_A_CLUSTER)}
        if has_registry(context):
            services.add("artifactregistry.googleapis.com")
        if "external-secrets" in addons_needed(plan, placement):
            services.add("secretmanager.googleapis.com")
    if managed_databases(context):
        services.add("sqladmin.googleapis.com")
    if context.system.governance.budget is not None:
        services |= {"billingbudgets.googleapis.com", "cloudbilling.googleapis.com", "monitoring.googleapis.com"}
    return tuple(sorted(services))


def log_days(system: System) -> int:
    """Return the retention of cluster and network logs in days."""
    return _ENTERPRISE_LOG_DAYS if system.profile.size == "enterprise" else _LOG_DAYS


def _name(context: Context) -> str:
    return cluster_name(context.system, context.placement)


def _logs(context: Context) -> Call:
    here = target_path(context.system, context.placement)
    arguments = (
        ("project", Ref("project")),
        ("key", Ref("key")),
        ("network", Ref("network")),
        ("days", log_days(context.system)),
    )
    return Call("logs", "ClusterLogs", _name(context), arguments, GROUP, here)


def _network(context: Context) -> Call:
    vpc, here = vpc_of(context.target), (*target_path(context.system, context.placement), "vpc")
    project: tuple[str, Literal] = ("project", Ref("project"))
    if vpc.adopt:
        adopted: tuple[tuple[str, Literal], ...] = (
            project,
            ("network", vpc.adopt),
            ("subnetwork", subnetwork_of(context.target)),
            ("pods_range", vpc.pods),
            ("services_range", vpc.services),
            ("cidr", vpc.cidr),
            ("google_ranges", GOOGLE_APIS),
        )
        return Call("network", "AdoptedNetwork", _name(context), adopted, GROUP, here)
    created = (project, ("cidr", vpc.cidr), ("nat", has_nat(context.target)))
    return Call("network", "Network", _name(context), created, GROUP, here)


def _cluster(context: Context) -> Call:
    arguments: list[tuple[str, Literal]] = [
        ("project", Ref("project")),
        ("network", Ref("network")),
        ("key", Ref("key")),
        ("version", version_of(context.target)),
        ("channel", CHANNEL),
    ]
    if together := training_pools(context.plan, context.placement):
        arguments.append(("training_pools", together))
    if context.target.access:
        arguments.append(("public_access_cidrs", context.target.access))
    here = (*target_path(context.system, context.placement), "version")
    return Call("cluster", "Cluster", _name(context), tuple(arguments), GROUP, here)
