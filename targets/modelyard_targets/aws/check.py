"""Check that AWS can provide what the plan requires."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics.base import Diagnostic, quote
from modelyard.plan import Identity, NodePool, Plan
from modelyard.spec import target_path
from modelyard_targets.aws import check_cluster as cluster
from modelyard_targets.aws.check_machines import check_disks, check_machines
from modelyard_targets.aws.check_network import check_images, check_network, check_public, check_region
from modelyard_targets.aws.check_rights import check_rights
from modelyard_targets.aws.check_stores import check_locks, check_stores
from modelyard_targets.aws.diagnostics import plan as problems
from modelyard_targets.aws.diagnostics import stores as store_problems
from modelyard_targets.aws.foundation import nat_of, tags
from modelyard_targets.aws.gateway import filled_in
from modelyard_targets.aws.names import cluster_name
from modelyard_targets.aws.options import options_of, vpc_of
from modelyard_targets.aws.pools import pool_nodes
from modelyard_targets.cloud.access import circles
from modelyard_targets.kube.checks.check import Rule, check_cluster
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.storage.buckets import region_of
from modelyard_targets.kube.storage.clouds import federates_from

_LONGEST_CLUSTER: Final = 100
_NODE_GROUPS: Final = 30
_NODES: Final = 450
"""The default quotas for node groups in a cluster and for nodes in a group (docs.aws.amazon.com/eks, "Amazon EKS
service quotas", 2026-11-24).
"""

_LONGEST_TAG: Final = 128
_CONNECT: Final = "connect the network to the internet with `vpc: {nat: one}`"

_MOST_TAGS: Final = 45
"""AWS allows fifty tags. Components use five of them (docs.aws.amazon.com/tag-editor, read 2026-11-24)."""


def check(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Run all checks that lowering relies on, reporting each problem at its line in the spec."""
    if plan.on(placement):
        yield from check_cluster(plan, placement, filled_in(plan, placement), CHECKS, _context)


def _context(plan: Plan, placement: str) -> Context:
    from modelyard_targets.aws.platform import context_of

    return context_of(plan, placement)


def check_names(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report a cluster name that is too long. It is also used for the cluster's KMS key and log groups."""
    name = cluster_name(plan.system, placement)
    if len(name) > _LONGEST_CLUSTER:
        yield problems.name_too_long(plan.system.at("metadata", "name"), "the cluster", name, _LONGEST_CLUSTER)


def check_tags(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Check that the spec's labels are valid AWS tags, because all resources are tagged with them."""
    system = plan.system
    aws_tags = tuple(tags(system, placement))
    for key, _ in system.metadata.labels:
        if len(key) + len("label:") > _LONGEST_TAG:
            why = f"its key is longer than {_LONGEST_TAG - len('label:')} characters"
            yield problems.not_a_tag(system.key("metadata", "labels", key), key, why)
    if len(aws_tags) > _MOST_TAGS:
        label, _ = system.metadata.labels[-1]
        why = f"it raises the number of tags to {len(aws_tags)}, but only {_MOST_TAGS} are allowed"
        yield problems.not_a_tag(system.key("metadata", "labels", label), label, why)


def check_accounts(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report buckets that workloads can't access.

    A bucket created in another account doesn't grant access to this one. A bucket in another region or cloud can't be
    reached from a network without internet access, because the S3 endpoint only covers the network's own region.
    """
    system = plan.system
    targets = {target.name: target for target in system.deployment.targets}
    here = targets[placement]
    for resource in plan.of(Identity, placement):
        for store in dict.fromkeys(access.store for access in resource.value.access):
            bucket, other = system.stores[store], targets[system.stores[store].target]
            where, region = system.key(*resource.origin), region_of(bucket, system)
            closed = not vpc_of(here).adopt and nat_of(system, here) == "none"
            if closed and federates_from(bucket, here, system):
                what = f"cloud of {quote(other.name)}"
                yield store_problems.bucket_out_of_reach(where, store, placement, what, _CONNECT)
            if other.provider != "aws" or bucket.endpoint:
                continue
            accounts = {options_of(here).account, options_of(other).account}
            if not bucket.adopt and len(accounts) > 1:  # an adopted bucket grants access by its own policy
                what, instead = f"account of {quote(other.name)}", f"place the workload on {quote(other.name)}"
                yield store_problems.bucket_out_of_reach(where, store, placement, what, instead)
            if region != here.region and closed:
                yield store_problems.bucket_out_of_reach(where, store, placement, f"region {quote(region)}", _CONNECT)


def check_order(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report targets that depend on each other's buckets, directly or indirectly."""
    for other, store, resource in circles("aws", plan, placement):
        yield store_problems.each_first(plan.system.key(*resource.origin), store, placement, other)


def check_quotas(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report clusters with more node groups, or groups with more nodes, than an account allows by default."""
    pools = plan.of(NodePool, placement)
    groups = 1 + sum(len(pool.value.groups) for pool in pools)
    if groups > _NODE_GROUPS:
        where = plan.system.key(*target_path(plan.system, placement))
        yield problems.beyond_quota(where, "the number of node groups is", groups, _NODE_GROUPS)
    sizes = pool_nodes(plan, placement)
    for pool in pools:
        nodes = sizes.get((pool.value.compute, 0))
        if nodes is not None and nodes.most > _NODES:
            where = plan.system.key(*pool.origin)
            yield problems.beyond_quota(where, "the number of nodes in this group may reach", nodes.most, _NODES)


CHECKS: Final[tuple[Rule, ...]] = (
    check_region,
    *cluster.CHECKS,
    check_names,
    check_tags,
    check_network,
    check_images,
    check_public,
    check_stores,
    check_locks,
    check_accounts,
    check_rights,
    check_order,
    check_quotas,
    check_machines,
    check_disks,
)
