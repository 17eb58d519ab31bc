"""Alarms for problems that cannot be seen from inside the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pulumi
from pulumi_aws import cloudwatch, sns

from .account import Account
from .database import Database
from .existing import ClusterNetwork
from .key import Key
from .network import AdoptedNetwork, Network
from .policies import Statement, document, tls_only

_PERIOD_S = 300
_LEAST_FREE = 0.15
_MOST_CONNECTED = 0.8


class Alarms(pulumi.ComponentResource):
    """Alarms for databases low on storage, CPU or connections, and for NAT gateways out of ports, sent to `emails`.

    Each address must confirm its subscription using the link in an initial email, and receives no alarms until then.
    Other subscribers can use `topic_arn`.
    """

    topic_arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        account: Account,
        key: Key,
        network: Network | AdoptedNetwork | ClusterNetwork,
        databases: Sequence[Database] = (),
        emails: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:Alarms", name, None, account.options(opts))
        self.topic_arn = self._topic(name, account, key, emails)
        for database in databases:
            self._watch_database(database)
        for position, gateway in enumerate(network.nat_gateway_ids):
            self._alarm(
                f"{name}-nat-{position}",
                "a NAT gateway has no free port for another connection",
                namespace="AWS/NATGateway",
                metric_name="ErrorPortAllocation",
                dimensions={"NatGatewayId": gateway},
                statistic="Sum",
                comparison_operator="GreaterThanThreshold",
                threshold=0,
                treat_missing_data="notBreaching",
            )
        self.register_outputs({"topic_arn": self.topic_arn})

    def _topic(self, name: str, account: Account, key: Key, emails: Sequence[str]) -> pulumi.Output[str]:
        within = pulumi.ResourceOptions(parent=self)
        topic = sns.Topic(name, sns.TopicArgs(kms_master_key_id=key.arn), within)  # not encrypted by default
        policy = document(*_topic_statements(account, topic.arn))
        sns.TopicPolicy(name, sns.TopicPolicyArgs(arn=topic.arn, policy=policy), within)
        for email in emails:
            sns.TopicSubscription(
                f"{name}-{email}",
                sns.TopicSubscriptionArgs(topic=topic.arn, protocol="email", endpoint=email),
                within,
            )
        return topic.arn

    def _watch_database(self, database: Database) -> None:
        free = database.storage_gib * 2**30 * _LEAST_FREE
        metrics = (
            ("storage", "FreeStorageSpace", "Minimum", "LessThanThreshold", free),
            ("cpu", "CPUUtilization", "Average", "GreaterThanThreshold", 80),
            ("connections", "DatabaseConnections", "Maximum", "GreaterThanThreshold", _most_connections(database)),
        )
        for title, metric, statistic, comparison, threshold in metrics:
            self._alarm(
                f"{database.pulumi_resource_name}-{title}",
                f"database {database.pulumi_resource_name}: {metric} has exceeded its limit",
                namespace="AWS/RDS",
                metric_name=metric,
                dimensions={"DBInstanceIdentifier": database.identifier},
                statistic=statistic,
                comparison_operator=comparison,
                threshold=threshold,
                treat_missing_data="breaching",  # RDS reports every minute, so a database without metrics has failed
            )

    def _alarm(
        self,
        name: str,
        description: str,
        *,
        namespace: str,
        metric_name: str,
        dimensions: dict[str, pulumi.Output[str]],
        statistic: str,
        comparison_operator: str,
        threshold: float,
        treat_missing_data: str,
    ) -> None:
        cloudwatch.MetricAlarm(
            name,
            cloudwatch.MetricAlarmArgs(
                alarm_description=description,
                namespace=namespace,
                metric_name=metric_name,
                dimensions=dimensions,
                statistic=statistic,
                period=_PERIOD_S,
                evaluation_periods=3,
                datapoints_to_alarm=3 if statistic == "Average" else 1,
                comparison_operator=comparison_operator,
                threshold=threshold,
                treat_missing_data=treat_missing_data,
                alarm_actions=[self.topic_arn],
                ok_actions=[self.topic_arn],
            ),
            pulumi.ResourceOptions(parent=self),
        )


def _most_connections(database: Database) -> int:
    return int(database.connections * _MOST_CONNECTED)


def _topic_statements(account: Account, topic_arn: pulumi.Output[str]) -> Iterable[Statement]:
    """Return the topic's policy, since AWS's default would allow the whole account.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html, 2026-11-24.
    """
    yield {
        "Sid": "OurAlarms",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic_arn,
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account.account_id},
            "ArnLike": {"aws:SourceArn": account.arn("cloudwatch", "alarm:*")},
        },
    }
    yield tls_only("sns:Publish", topic_arn)
