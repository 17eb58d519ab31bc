"""The base of the infrastructure: the account, its encryption key, the network and the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from modelyard.plan import Identity, Kind, NodePool, Plan
from modelyard.program import Call, Literal, Ref
from modelyard.source import Path
from modelyard.spec import System, TargetSpec, target_path
from modelyard_targets.aws.names import cluster_name
from modelyard_targets.aws.options import options_of, vpc_of
from modelyard_targets.aws.versions import Release, default_version, releases
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import addons_needed, managed_stores
from modelyard_targets.kube.storage.buckets import bucket_name, driver_of
from modelyard_targets.kube.storage.s3 import S3

GROUP: Final = "foundation"
_ZONES: Final = 3
_TWO_ZONES: Final = frozenset({"us-west-1"})
"""Regions with only two zones per account (docs.aws.amazon.com/global-infrastructure, "AWS Regions", 2026-11-24)."""

_ENTERPRISE_LOG_DAYS: Final = 365
_LOG_DAYS: Final = 30

_ALWAYS_CALLED: Final = ("ec2", "ecr.api", "ecr.dkr", "eks-auth")
"""Services that nodes and Pods always call, for addresses, volumes, images and credentials. S3 has a gateway
endpoint.
"""


def account_call(context: Context) -> Call:
    """Build the component for the AWS provider, with its region, expected account ID and default tags."""
    target, here = context.target, target_path(context.system, context.placement)
    arguments: list[tuple[str, Literal]] = [("region", target.region)]
    if account := options_of(target).account:
        arguments.append(("account_id", account))
    arguments.append(("tags", dict(tags(context.system, context.placement))))
    return Call("account", "Account", context.placement, tuple(arguments), GROUP, here)


def key_call(context: Context) -> Call:
    """Build the component for the KMS key that encrypts all of the target's data."""
    here, name = target_path(context.system, context.placement), cluster_name(context.system, context.placement)
    arguments: list[tuple[str, Literal]] = [("account", Ref("account"))]
    if not context.plan.has_cluster(context.placement):
        arguments.append(("services", False))
    return Call("key", "Key", name, tuple(arguments), GROUP, here)


def foundation_calls(context: Context) -> Iterator[Call]:
    """Yield the components for the account, the encryption key, the network and the cluster."""
    name = cluster_name(context.system, context.placement)
    yield account_call(context)
    yield key_call(context)
    yield _network(context, name)
    yield _cluster(context, name)


def addon_call(context: Context) -> Call:
    """Build the component for EKS add-ons that run on nodes, which depends on the system pool."""
    name = cluster_name(context.system, context.placement)
    arguments: tuple[tuple[str, Literal], ...] = (
        ("cluster", Ref("cluster")),
        ("versions", dict(release_of(context.target).on_nodes())),
        ("depends_on", (Ref("system_pool"),)),
    )
    return Call("cluster_addons", "ClusterAddons", name, arguments, "pools", _version_path(context))


def tags(system: System, placement: str) -> Iterator[tuple[str, str]]:
    """Yield the tags for all of the system's resources. Budgets and billing reports filter on the first one."""
    yield "modelyard:system", system.metadata.name
    yield "modelyard:environment", system.environment
    yield "modelyard:target", placement
    yield "modelyard:owner", system.governance.owner.team
    for key, value in system.metadata.labels:
        yield f"label:{key}", value


def release_of(target: TargetSpec) -> Release:
    """Return the target's EKS release. `check_version` has already rejected unknown versions."""
    return releases()[target.version or default_version()]


def log_days(system: System) -> int:
    """Return the retention of control plane and flow logs in days."""
    return _ENTERPRISE_LOG_DAYS if system.profile.size == "enterprise" else _LOG_DAYS


def nat_of(system: System, target: TargetSpec) -> str:
    """Return the network's NAT setup: `none`, `one`, or `per-zone` to survive a zone outage."""
    return vpc_of(target).nat or ("per-zone" if system.profile.size == "enterprise" else "one")


def zones_of(target: TargetSpec) -> int:
    """Return how many availability zones the network spans."""
    return 2 if target.region in _TWO_ZONES else _ZONES


def endpoints_of(plan: Plan, placement: str) -> tuple[str, ...]:
    """Return the services that nodes and Pods call through an interface endpoint.

    An endpoint costs about 8 dollars per month and zone. Small systems make few calls, so they use their NAT gateway
    instead. S3, which also stores image layers, has a free gateway endpoint.
    """
    system = plan.system
    if system.profile.size == "small" and nat_of(system, system.target(placement)) != "none":
        return ()
    called = [*_ALWAYS_CALLED, "autoscaling", "eks"]  # the autoscaler reads and resizes node groups
    if "external-secrets" in addons_of(plan, placement):
        called.append("secretsmanager")
    if managed_stores(plan, placement, Kind.DATABASE):
        called.append("rds")  # the login Job looks up the database
    if has_elastic_pool(plan, placement):
        called += ["sqs", "ssm"]  # for interruption events and AMI look-ups
    return tuple(sorted(called))


def buckets_of(context: Context) -> tuple[str, ...]:
    """Return the S3 buckets used by a placement's workloads, taken from stores and dataset URIs.

    The network's S3 endpoint allows these names. Stores of other clouds are omitted, because anyone could create an S3
    bucket with the same name.
    """
    system = context.system
    identities = context.plan.of(Identity, context.placement)
    stores = [system.stores[access.store] for identity in identities for access in identity.value.access]
    in_s3 = [store for store in stores if not store.endpoint and driver_of(store, system) is S3]
    bucket_names = [bucket_name(store, system) for store in in_s3]
    uris = [urlsplit(dataset.uri) for dataset in system.data.values()]
    return tuple(sorted({*bucket_names, *(uri.netloc for uri in uris if uri.scheme == "s3")}))


def has_elastic_pool(plan: Plan, placement: str) -> bool:
    """Return whether any compute class is elastic, in which case Karpenter runs."""
    return any(pool.value.elastic for pool in plan.of(NodePool, placement))


def addons_of(plan: Plan, placement: str) -> tuple[str, ...]:
    """Return the add-ons that workloads need, excluding those that nodes need."""
    return addons_needed(plan, placement)


def _network(context: Context, name: str) -> Call:
    vpc, here = vpc_of(context.target), target_path(context.system, context.placement)
    if vpc.adopt:
        adopted: tuple[tuple[str, Literal], ...] = (
            ("account", Ref("account")),
            ("vpc_id", vpc.adopt),
            ("subnet_ids", vpc.subnets),
            ("cidr", vpc.cidr),
        )
        return Call("network", "AdoptedNetwork", name, adopted, GROUP, (*here, "vpc"))
    created: tuple[tuple[str, Literal], ...] = (
        ("account", Ref("account")),
        ("key", Ref("key")),
        ("cidr", vpc.cidr),
        ("zones", zones_of(context.target)),
        ("nat", nat_of(context.system, context.target)),
        ("endpoints", endpoints_of(context.plan, context.placement)),
        ("buckets", buckets_of(context)),
        ("log_days", log_days(context.system)),
    )
    return Call("network", "Network", name, created, GROUP, (*here, "vpc"))


def _cluster(context: Context, name: str) -> Call:
    release = release_of(context.target)
    arguments: list[tuple[str, Literal]] = [
        ("account", Ref("account")),
        ("network", Ref("network")),
        ("key", Ref("key")),
        ("version", release.version),
        ("addons", dict(release.before_nodes())),
    ]
    if context.target.access:
        arguments.append(("public_access_cidrs", context.target.access))
    arguments.append(("log_days", log_days(context.system)))
    return Call("cluster", "Cluster", name, tuple(arguments), GROUP, _version_path(context))


def _version_path(context: Context) -> Path:
    return (*target_path(context.system, context.placement), "version")
