"""Alarms for problems that cannot be seen from inside the cluster."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pulumi
from pulumi_azure_native import monitor

from .database import Database
from .existing import ClusterNetwork
from .group import ResourceGroup
from .network import AdoptedNetwork, Network

_WINDOW, _EVERY = "PT15M", "PT5M"
_FULL, _BUSY = 85, 80
_MOST_CONNECTED = 0.8
_LONGEST_SHORT_NAME = 12


class Alarms(pulumi.ComponentResource):
    """Alarms for databases that are down or low on storage, CPU or connections, and for NAT out of ports.

    They are sent to `emails`. Other alarms can use `receivers`, an action group.
    """

    receivers: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        group: ResourceGroup,
        network: Network | AdoptedNetwork | ClusterNetwork,
        databases: Sequence[Database] = (),
        emails: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:azure:Alarms", name, None, group.options(opts))
        self._group = group
        self._child = pulumi.ResourceOptions(parent=self)
        self.receivers = self._receivers(name, emails).id
        for database in databases:
            self._watch_database(database)
        if network.nat_id is not None:
            self._watch_nat(f"{name}-nat", network.nat_id)
        self.register_outputs({"receivers": self.receivers})

    def _receivers(self, name: str, emails: Sequence[str]) -> monitor.ActionGroup:
        return monitor.ActionGroup(
            name,
            monitor.ActionGroupInitArgs(
                resource_group_name=self._group.group,
                location="Global",
                # the prefix of text messages
                group_short_name=f"my-{hashlib.sha256(name.encode()).hexdigest()}"[:_LONGEST_SHORT_NAME],
                enabled=True,
                email_receivers=[
                    monitor.MicrosoftCommonEmailReceiverArgs(
                        name=email, email_address=email, use_common_alert_schema=True
                    )
                    for email in emails
                ],
                tags=self._group.common_tags,
            ),
            self._child,
        )

    def _watch_database(self, database: Database) -> None:
        title = database.pulumi_resource_name
        for what, metric, threshold in (
            ("storage", "storage_percent", _FULL),
            ("cpu", "cpu_percent", _BUSY),
            ("connections", "active_connections", int(database.connections * _MOST_CONNECTED)),
        ):
            criterion = _criterion(metric, "GreaterThan", threshold, "Average")
            self._alarm(f"{title}-{what}", f"database {title}: {metric} has exceeded its limit", database.id, criterion)
        down = _criterion("is_db_alive", "LessThan", 1, "Maximum")
        self._alarm(f"{title}-down", f"database {title}: it does not respond", database.id, down)

    def _watch_nat(self, title: str, gateway: pulumi.Output[str]) -> None:
        failed = monitor.MetricDimensionArgs(name="ConnectionState", operator="Include", values=["Failed"])
        criterion = _criterion("SNATConnectionCount", "GreaterThan", 0, "Total", [failed])
        self._alarm(title, "the NAT gateway has no free port for another connection", gateway, criterion)

    def _alarm(
        self, title: str, description: str, resource: pulumi.Output[str], criterion: monitor.MetricCriteriaArgs
    ) -> None:
        monitor.MetricAlert(
            title,
            monitor.MetricAlertArgs(
                resource_group_name=self._group.group,
                location="Global",
                description=description,
                severity=1,
                enabled=True,
                scopes=[resource],
                evaluation_frequency=_EVERY,
                window_size=_WINDOW,
                criteria=monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
                    odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria", all_of=[criterion]
                ),
                actions=[monitor.MetricAlertActionArgs(action_group_id=self.receivers)],
                tags=self._group.common_tags,
            ),
            self._child,
        )


def _criterion(
    metric: str,
    operator: str,
    threshold: int,
    aggregation: str,
    dimensions: Sequence[monitor.MetricDimensionArgs] = (),
) -> monitor.MetricCriteriaArgs:
    return monitor.MetricCriteriaArgs(
        criterion_type="StaticThresholdCriterion",
        name=metric,
        metric_name=metric,
        operator=operator,
        threshold=threshold,
        time_aggregation=aggregation,
        dimensions=list(dimensions),
    )
