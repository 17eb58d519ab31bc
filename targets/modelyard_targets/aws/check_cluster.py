"""Checks for a cluster created on AWS, applying the rules shared by all clouds to AWS data."""

from __future__ import annotations

from functools import partial
from typing import Final

from modelyard_targets.aws.diagnostics import plan as problems
from modelyard_targets.aws.options import account_of
from modelyard_targets.aws.versions import releases
from modelyard_targets.cloud import check_cluster as clouds
from modelyard_targets.cloud import check_existing as existing
from modelyard_targets.kube.checks.check import Rule

STORAGE_CLASS: Final = "gp3"
"""The only storage class in a new cluster."""

CHECKS: Final[tuple[Rule, ...]] = (
    clouds.check_without_cluster,
    *existing.CHECKS,
    partial(existing.check_adopted_once, account_of=account_of),
    partial(clouds.check_version, versions=releases, report=problems.unknown_version),
    partial(clouds.check_created_cluster, storage_class=STORAGE_CLASS),
    clouds.check_envoy_clients,
    partial(clouds.check_currency, report=problems.budget_in_dollars),
)
