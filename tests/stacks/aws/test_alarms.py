"""Tests that alarms on databases and NAT gateways notify an SNS topic."""

from __future__ import annotations

import pytest

from tests.stacks.aws.programs import Resources, elsewhere, inputs, of, policy, registered
from tests.stacks.aws.test_database import PROGRAM as DATABASE

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
TOPIC = "aws:sns/topic:Topic"
PROGRAM = f"""{DATABASE.replace('nat="none"', 'nat="per-zone"')}
from modelyard_stacks.aws.alarms import Alarms

Alarms(
    "alarms", account=account, key=key, network=network, databases=[database], emails=["risk@acme.example"]
)
"""


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register the alarms of one database and three NAT gateways."""
    return registered(tmp_path_factory.mktemp("alarms"), PROGRAM)


def test_database_has_alarms(resources: Resources) -> None:
    limits = {
        (each["inputs"]["metricName"], each["inputs"]["comparisonOperator"], each["inputs"]["threshold"])
        for each in of(resources, ALARM).values()
        if each["inputs"]["namespace"] == "AWS/RDS"
    }

    assert limits == {
        ("FreeStorageSpace", "LessThanThreshold", 0.15 * 100 * 2**30),
        ("CPUUtilization", "GreaterThanThreshold", 80),
        ("DatabaseConnections", "GreaterThanThreshold", 720),
    }
    assert inputs(resources, ALARM, "registry-db-cpu")["dimensions"] == {
        "DBInstanceIdentifier": "fraud-prod-main-registry-db"
    }


def test_every_nat_gateway_has_an_alarm(resources: Resources) -> None:
    watched = [
        each["inputs"] for each in of(resources, ALARM).values() if each["inputs"]["namespace"] == "AWS/NATGateway"
    ]

    assert {each["dimensions"]["NatGatewayId"] for each in watched} == set(
        of(resources, "aws:ec2/natGateway:NatGateway")
    )
    assert {each["metricName"] for each in watched} == {"ErrorPortAllocation"}
    assert len(watched) == 3


def test_alarms_notify_the_topic_when_they_start_and_end(resources: Resources) -> None:
    for each in of(resources, ALARM).values():
        assert each["inputs"]["alarmActions"] == each["inputs"]["okActions"] == ["arn:aws:sns:::Topic/alarms"]


def test_topic_is_encrypted_and_accepts_only_our_alarms(resources: Resources) -> None:
    statements = policy(inputs(resources, "aws:sns/topicPolicy:TopicPolicy", "alarms")["policy"])

    assert inputs(resources, TOPIC, "alarms")["kmsMasterKeyId"] == "arn:aws:kms:::Key/fraud-prod-main"
    assert statements["OurAlarms"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statements["OurAlarms"]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:*"},
    }
    assert [sid for sid, each in statements.items() if each["Effect"] == "Allow"] == ["OurAlarms"]
    assert statements["TlsOnly"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert not elsewhere(resources)


def test_owner_is_notified_by_mail(resources: Resources) -> None:
    (subscription,) = of(resources, "aws:sns/topicSubscription:TopicSubscription").values()

    assert subscription["inputs"] == {
        "topic": "arn:aws:sns:::Topic/alarms",
        "protocol": "email",
        "endpoint": "risk@acme.example",
    }
