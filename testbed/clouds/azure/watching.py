"""Logs, alarms and budgets."""

from __future__ import annotations

from datetime import UTC, datetime

from testbed.clouds.azure.api import Api, not_found, refused
from testbed.clouds.azure.kinds import kind
from testbed.clouds.shared.stored import at
from testbed.clouds.shared.values import Values

WORKSPACE = "azure-native:operationalinsights:Workspace"
SETTING = "azure-native:monitor:DiagnosticSetting"
ACTIONS = "azure-native:monitor:ActionGroup"
ALERT = "azure-native:monitor:MetricAlert"
BUDGET = "azure-native:consumption:Budget"

_CATEGORIES = {
    "Microsoft.ContainerService/managedClusters": {
        *("kube-apiserver", "kube-audit", "kube-audit-admin", "kube-controller-manager", "kube-scheduler"),
        *("cluster-autoscaler", "cloud-controller-manager", "guard", "csi-azuredisk-controller"),
        *("csi-azurefile-controller", "csi-snapshot-controller"),
    },
    "Microsoft.DBforPostgreSQL/flexibleServers": {
        *("PostgreSQLLogs", "PostgreSQLFlexSessions", "PostgreSQLFlexQueryStoreRuntime"),
        *("PostgreSQLFlexQueryStoreWaitStats", "PostgreSQLFlexTableStats", "PostgreSQLFlexDatabaseXacts"),
    },
}
"""Log categories by resource type (https://learn.microsoft.com/en-us/azure/azure-monitor/reference/logs-index, read
2026-11-27).
"""

_METRICS = {
    "Microsoft.DBforPostgreSQL/flexibleServers": {
        *("storage_percent", "cpu_percent", "active_connections", "is_db_alive", "memory_percent"),
    },
    "Microsoft.Network/natGateways": {"SNATConnectionCount", "DatapathAvailability", "PacketDropCount", "ByteCount"},
}
"""Metrics by resource type (https://learn.microsoft.com/en-us/azure/azure-monitor/reference/metrics-index, read
2026-11-27).
"""


def _type(identifier: str) -> str:
    return "/".join(identifier.partition("/providers/")[2].split("/")[:2])


def _categories(api: Api, values: Values) -> None:
    """Reject unsupported log categories, and categories already sent to the same workspace by another setting.

    Source: https://learn.microsoft.com/en-us/azure/azure-monitor/essentials/diagnostic-settings, 2026-11-27.
    """
    resource = str(values["resourceUri"])
    logs = set(at(values, "logs.category"))
    if strange := logs - _CATEGORIES.get(_type(resource), set()):
        raise refused(400, "BadRequest", f"Category '{', '.join(sorted(strange))}' is not supported.")
    for identifier, other in api.all(SETTING).items():
        same = other["resourceUri"] == resource and other.get("workspaceId") == values.get("workspaceId")
        if same and identifier != api.filled(KINDS[SETTING].path, values) and logs & set(at(other, "logs.category")):
            raise refused(
                409,
                "Conflict",
                f"Data sink '{values.get('workspaceId')}' is already used in diagnostic setting '{other['name']}' for"
                f" category '{min(logs & set(at(other, 'logs.category')))}'. Data sinks can't be reused in different"
                " settings on the same category for the same resource.",
            )


def _metric(api: Api, values: Values) -> None:
    """Reject metrics a resource doesn't have, and resources that don't exist."""
    for resource in values["scopes"]:
        if not api.exists(str(resource)):
            raise not_found(str(resource))
        for metric in at(values, "criteria.allOf.metricName"):
            if metric not in _METRICS.get(_type(str(resource)), set()):
                raise refused(400, "BadRequest", f"Couldn't find a metric named {metric}.")


def _month(api: Api, values: Values) -> None:
    """Reject a budget with an invalid or changed start date, or with too many notifications.

    Source: https://learn.microsoft.com/en-us/rest/api/consumption/budgets/create-or-update, read 2026-11-27.
    """
    start = str(values["timePeriod"]["startDate"])
    this = datetime.now(UTC).strftime("%Y-%m-01T00:00:00Z")
    before = api.find(BUDGET, api.filled(KINDS[BUDGET].path, values))
    if before is None and start < this:
        raise refused(400, "BadRequest", f"Start date {start} is before {this}, or not the first of a month.")
    if before and before["timePeriod"] != values["timePeriod"]:
        raise refused(400, "BadRequest", "The start date of a budget cannot be changed.")
    if len(values.get("notifications") or {}) > 5:
        raise refused(400, "BadRequest", "A budget has at most five notifications.")


KINDS = {
    WORKSPACE: kind(WORKSPACE, longest=63),
    SETTING: kind(SETTING, tracked=False, references={"workspaceId": WORKSPACE}, rules=(_categories,)),
    ACTIONS: kind(ACTIONS),
    ALERT: kind(ALERT, references={"actions.actionGroupId": ACTIONS}, rules=(_metric,)),
    BUDGET: kind(BUDGET, tracked=False, rules=(_month,)),
}
