"""Cluster and database logs with limited retention."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import monitor, operationalinsights

from .cluster import Cluster
from .database import Database
from .group import ResourceGroup

_LEAST_DAYS, _MOST_DAYS = 30, 730
_OF_CLUSTER = (
    "kube-audit-admin",  # without reads, which are by far the most frequent requests
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "cluster-autoscaler",
    "guard",  # logins through Entra ID
)
_OF_DATABASE = ("PostgreSQLLogs",)


class ClusterLogs(pulumi.ComponentResource):
    """A workspace for logs of control planes and databases. Lines are kept for `days`, from 30 to 730.

    Azure encrypts it with its own key. Anyone with a role in the workspace can query it from anywhere, and lines are
    accepted only from clients with an identity. Workload logs stay in the cluster.
    """

    def __init__(
        self,
        name: str,
        *,
        group: ResourceGroup,
        cluster: Cluster,
        days: int,
        databases: Sequence[Database] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if not _LEAST_DAYS <= days <= _MOST_DAYS:
            raise pulumi.RunError(f"logs {name}: Azure keeps them for {_LEAST_DAYS} to {_MOST_DAYS} days, not {days}")
        super().__init__("modelyard:azure:ClusterLogs", name, None, group.options(opts))
        self._child = pulumi.ResourceOptions(parent=self)
        workspace = operationalinsights.Workspace(
            name,
            operationalinsights.WorkspaceArgs(
                resource_group_name=group.group,
                location=group.region_name,
                sku=operationalinsights.WorkspaceSkuArgs(name="PerGB2018"),
                retention_in_days=days,
                features=operationalinsights.WorkspaceFeaturesArgs(disable_local_auth=True),
                tags=group.common_tags,
            ),
            self._child,
        )
        self._send(name, cluster.id, workspace, _OF_CLUSTER)
        for database in databases:
            self._send(database.pulumi_resource_name, database.id, workspace, _OF_DATABASE)
        self.register_outputs({})

    def _send(
        self,
        title: str,
        resource: pulumi.Output[str],
        workspace: operationalinsights.Workspace,
        categories: Sequence[str],
    ) -> None:
        monitor.DiagnosticSetting(
            f"{title}-logs",
            monitor.DiagnosticSettingArgs(
                resource_uri=resource,
                name="logs",
                workspace_id=workspace.id,
                # a table for each category; by default, all of Azure shares one table
                log_analytics_destination_type="Dedicated",
                logs=[monitor.DiagnosticsLogSettingsArgs(category=category, enabled=True) for category in categories],
            ),
            self._child,
        )
