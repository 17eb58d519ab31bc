"""Tests SNS topics, SQS queues, alarms and budgets."""

from __future__ import annotations

import pytest

from testbed.clouds.aws.cloud import Cloud
from testbed.clouds.shared.refusal import Refused
from tests.real.stand_in.world import Inputs, World, a_key, all_ends, policy_of


def test_messages_and_alarms(world: World, cloud: Cloud) -> None:
    key = a_key(world)
    topic = world.make("topic", "aws:sns/topic:Topic", kmsMasterKeyId=key["arn"])
    service = {"Principal": {"Service": "cloudwatch.amazonaws.com"}}
    allowed = policy_of("sns:Publish", resource=topic["arn"], **service)
    world.make("topic-policy", "aws:sns/topicPolicy:TopicPolicy", arn=topic["arn"], policy=allowed)
    world.make(
        "mail",
        "aws:sns/topicSubscription:TopicSubscription",
        topic=topic["arn"],
        protocol="email",
        endpoint="ml@example.com",
    )
    alarm: Inputs = {
        "namespace": "AWS/RDS",
        "metricName": "FreeStorageSpace",
        "dimensions": {"DBInstanceIdentifier": "fraud"},
        "statistic": "Minimum",
        "period": 300,
        "evaluationPeriods": 3,
        "datapointsToAlarm": 1,
        "comparisonOperator": "LessThanThreshold",
        "threshold": 1.5,
        "treatMissingData": "breaching",
        "alarmActions": [topic["arn"]],
        "okActions": [topic["arn"]],
    }
    world.make("alarm", "aws:cloudwatch/metricAlarm:MetricAlarm", **alarm)
    queue = world.make("queue", "aws:sqs/queue:Queue", messageRetentionSeconds=300, kmsMasterKeyId=key["arn"])
    events = {"Principal": {"Service": "events.amazonaws.com"}}
    world.make(
        "queue-policy",
        "aws:sqs/queuePolicy:QueuePolicy",
        queueUrl=queue["url"],
        policy=policy_of("sqs:SendMessage", resource=queue["arn"], **events),
    )
    rule = world.make("rule", "aws:cloudwatch/eventRule:EventRule", eventPattern='{"source":["aws.ec2"]}')
    world.make("target", "aws:cloudwatch/eventTarget:EventTarget", rule=rule["name"], arn=queue["arn"])
    notification: Inputs = {
        "notificationType": "ACTUAL",
        "comparisonOperator": "GREATER_THAN",
        "threshold": 80,
        "thresholdType": "PERCENTAGE",
        "subscriberEmailAddresses": ["ml@example.com"],
    }
    world.make(
        "budget",
        "aws:budgets/budget:Budget",
        budgetType="COST",
        timeUnit="MONTHLY",
        limitAmount="500",
        limitUnit="USD",
        costFilters=[{"name": "TagKeyValue", "values": ["user:modelyard:system$fraud"]}],
        notifications=[notification, {**notification, "notificationType": "FORECASTED", "threshold": 100}],
    )

    assert world.change("alarm", threshold=2)[0] == ["threshold"]
    assert world.change("queue", messageRetentionSeconds=600)[0] == ["messageRetentionSeconds"]
    assert world.change("budget", limitAmount="900")[0] == ["limitAmount"]
    assert world.change("budget", notifications=[{**notification, "threshold": 90}])[0] == ["notifications"]
    assert world.change("topic", tags={"a": "b"})[0] == ["tags", "tagsAll"]
    with pytest.raises(Refused, match="DatapointsToAlarm"):
        world.make("wrong", "aws:cloudwatch/metricAlarm:MetricAlarm", **{**alarm, "datapointsToAlarm": 4})
    all_ends(world, cloud)
