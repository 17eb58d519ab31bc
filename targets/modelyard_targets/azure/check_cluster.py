"""Checks for a cluster created on Azure: its group and tags, and the rules shared by all clouds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Plan
from modelyard.spec import target_path
from modelyard_targets.azure.diagnostics import cluster as problems
from modelyard_targets.azure.names import group_name, tag_key
from modelyard_targets.azure.options import account_of, options_of
from modelyard_targets.azure.versions import kubernetes_versions
from modelyard_targets.cloud import check_cluster as clouds
from modelyard_targets.cloud import check_existing as existing
from modelyard_targets.kube.checks.check import Rule
from modelyard_targets.kube.placement.placed import target_of

STORAGE_CLASS: Final = "premium"
"""The storage class that modelyard creates."""

_TAGS: Final = 15
_OUR_TAGS: Final = 4
"""Maximum number of tags on a private DNS zone, lower than the fifty of other resources (learn.microsoft.com/azure,
"Use tags to organize your Azure resources", read 2026-11-27).
"""


def check_group(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report a target that has the same subscription and resource group as an earlier target."""
    mine = target_of(plan, placement)
    group, account = group_name(plan.system, mine), options_of(mine).account
    for other in plan.system.deployment.targets:
        if other.name == placement:
            return
        if other.provider != "azure" or options_of(other).account != account:
            continue
        if group_name(plan.system, other).lower() == group.lower():
            where = plan.system.key(*target_path(plan.system, placement))
            yield problems.group_shared(where, placement, other.name, group)


def check_tags(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report a spec with more labels than an Azure resource may have tags."""
    labels = plan.system.metadata.labels
    if len(labels) > _TAGS - _OUR_TAGS:
        yield problems.too_many_tags(plan.system.key("metadata", "labels"), len(labels), _TAGS - _OUR_TAGS)


CHECKS: Final[tuple[Rule, ...]] = (
    clouds.check_without_cluster,
    *existing.CHECKS,
    partial(existing.check_adopted_once, account_of=account_of),
    partial(clouds.check_version, versions=kubernetes_versions, report=problems.unknown_version),
    partial(clouds.check_created_cluster, storage_class=STORAGE_CLASS),
    clouds.check_envoy_clients,
    check_group,
    partial(clouds.check_label_keys, key_of=tag_key, report=problems.labels_become_one),
    check_tags,
    partial(clouds.check_currency, report=problems.budget_in_dollars),
)
