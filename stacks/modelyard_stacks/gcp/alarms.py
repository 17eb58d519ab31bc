"""Alarms for problems that cannot be seen from inside the cluster."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_gcp import monitoring

from .database import Database
from .network import AdoptedNetwork, Network
from .project import Project

_PERIOD_S = 300
_FULL = 0.85
_BUSY = 0.8
_MOST_CONNECTED = 0.8


class Alarms(pulumi.ComponentResource):
    """Alarms for databases without metrics or low on storage, CPU or connections, and for NAT out of ports.

    They are sent to `emails`. Other policies can use `channels`.
    """

    channels: list[pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        project: Project,
        network: Network | AdoptedNetwork,
        databases: Sequence[Database] = (),
        emails: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:gcp:Alarms", name, None, project.options(opts))
        self._project = project
        self.channels = mail_channels(
            name, emails, project=project, opts=pulumi.ResourceOptions(parent=self, depends_on=list(project.ready))
        )
        for database in databases:
            self._watch_database(database)
        if network.nat_name is not None:
            self._watch_nat(f"{name}-nat", network.nat_name)
        self.register_outputs({"channels": self.channels})

    def _watch_database(self, database: Database) -> None:
        title = database.pulumi_resource_name
        where = pulumi.Output.concat(
            'resource.type="cloudsql_database" AND resource.labels.database_id="', database.instance_id, '"'
        )
        for what, metric, threshold in (
            ("storage", "disk/utilization", _FULL),
            ("cpu", "cpu/utilization", _BUSY),
            ("connections", "postgresql/num_backends", int(database.connections * _MOST_CONNECTED)),
        ):
            condition = _above(_filter(where, f"cloudsql.googleapis.com/database/{metric}"), threshold)
            self._alarm(f"{title}-{what}", f"database {title}: {metric} has exceeded its limit", condition)
        silent = monitoring.AlertPolicyConditionArgs(
            display_name="no metrics",
            condition_absent=monitoring.AlertPolicyConditionConditionAbsentArgs(
                filter=_filter(where, "cloudsql.googleapis.com/database/up"),
                duration=f"{3 * _PERIOD_S}s",
                aggregations=[
                    monitoring.AlertPolicyConditionConditionAbsentAggregationArgs(
                        alignment_period=f"{_PERIOD_S}s", per_series_aligner="ALIGN_MEAN"
                    )
                ],
            ),
        )
        self._alarm(f"{title}-silent", f"database {title}: it has stopped reporting metrics", silent)

    def _watch_nat(self, title: str, gateway: pulumi.Output[str]) -> None:
        where = pulumi.Output.concat('resource.type="nat_gateway" AND resource.labels.gateway_name="', gateway, '"')
        condition = monitoring.AlertPolicyConditionArgs(
            display_name="above its limit",
            condition_threshold=monitoring.AlertPolicyConditionConditionThresholdArgs(
                filter=_filter(where, "router.googleapis.com/nat/nat_allocation_failed"),
                comparison="COMPARISON_GT",
                threshold_value=0,
                duration="0s",
                aggregations=[
                    monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                        alignment_period=f"{_PERIOD_S}s", per_series_aligner="ALIGN_COUNT_TRUE"
                    )
                ],
            ),
        )
        self._alarm(title, "Cloud NAT has no free port for another connection", condition)

    def _alarm(self, title: str, description: str, condition: monitoring.AlertPolicyConditionArgs) -> None:
        monitoring.AlertPolicy(
            title,
            monitoring.AlertPolicyArgs(
                display_name=title,
                combiner="OR",
                conditions=[condition],
                documentation=monitoring.AlertPolicyDocumentationArgs(content=description, mime_type="text/markdown"),
                notification_channels=self.channels,
                user_labels=dict(self._project.common_labels),
            ),
            pulumi.ResourceOptions(parent=self, depends_on=list(self._project.ready)),
        )


def mail_channels(
    name: str, emails: Sequence[str], *, project: Project, opts: pulumi.ResourceOptions
) -> list[pulumi.Output[str]]:
    """Create a notification channel for each of the given addresses, and return the channel names."""
    return [
        monitoring.NotificationChannel(
            f"{name}-{email}",
            monitoring.NotificationChannelArgs(
                type="email",
                display_name=f"{name}: {email}",
                labels={"email_address": email},
                user_labels=dict(project.common_labels),
            ),
            opts,
        ).name
        for email in emails
    ]


def _above(lines: pulumi.Output[str], threshold: float) -> monitoring.AlertPolicyConditionArgs:
    return monitoring.AlertPolicyConditionArgs(
        display_name="above its limit",
        condition_threshold=monitoring.AlertPolicyConditionConditionThresholdArgs(
            filter=lines,
            comparison="COMPARISON_GT",
            threshold_value=threshold,
            duration=f"{3 * _PERIOD_S}s",
            aggregations=[
                monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                    alignment_period=f"{_PERIOD_S}s", per_series_aligner="ALIGN_MEAN"
                )
            ],
        ),
    )


def _filter(where: pulumi.Output[str], metric: str) -> pulumi.Output[str]:
    return pulumi.Output.concat(where, f' AND metric.type="{metric}"')
