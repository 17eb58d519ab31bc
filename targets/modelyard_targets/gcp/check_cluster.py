"""Checks for a cluster created on Google Cloud, applying the rules shared by all clouds to its data."""

from __future__ import annotations

from functools import partial
from typing import Final

from modelyard_targets.cloud import check_cluster as clouds
from modelyard_targets.cloud import check_existing as existing
from modelyard_targets.gcp.diagnostics import cluster as problems
from modelyard_targets.gcp.names import label_key
from modelyard_targets.gcp.options import account_of
from modelyard_targets.gcp.versions import kubernetes_versions
from modelyard_targets.kube.checks.check import Rule

STORAGE_CLASS: Final = "balanced"
"""The storage class that modelyard creates, because GKE's own classes are not encrypted with the target's key."""

CHECKS: Final[tuple[Rule, ...]] = (
    clouds.check_without_cluster,
    *existing.CHECKS,
    partial(existing.check_adopted_once, account_of=account_of),
    partial(clouds.check_version, versions=kubernetes_versions, report=problems.unknown_version),
    partial(clouds.check_created_cluster, storage_class=STORAGE_CLASS),
    clouds.check_envoy_clients,
    partial(clouds.check_label_keys, key_of=label_key, report=problems.labels_become_one),
    partial(clouds.check_currency, report=problems.budget_in_dollars),
)
"""The number of labels needs no check: the schema allows fifty, and a resource may have sixty-four, including ours."""
