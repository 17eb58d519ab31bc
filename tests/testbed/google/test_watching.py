"""Tests logs, alarms, budgets and project members in the Google Cloud stand-in."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.clouds.gcp.cloud import Cloud
from testbed.clouds.shared.refusal import Refused
from tests.testbed.google.world import REGION, World, a_key, enable

LOGS = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
SINK = "gcp:logging/projectSink:ProjectSink"


def test_logs(world: World, cloud: Cloud) -> None:
    enable(world)
    cloud.api.store.put("agents", "service-123456789012@gcp-sa-logging.iam.gserviceaccount.com", {})
    key = a_key(world, "logging")
    inputs: dict[str, Any] = {
        "project": "acme",
        "location": REGION,
        "bucketId": "fraud",
        "retentionDays": 30,
        "cmekSettings": {"kmsKeyName": key},
    }
    bucket = world.make("logs", LOGS, **inputs)
    with pytest.raises(Refused, match=r"404: Log bucket projects/acme/.* not found"):
        world.make("wrong", SINK, destination="logging.googleapis.com/projects/acme/locations/x/buckets/y")
    world.make(
        "sink", SINK, destination=f"logging.googleapis.com/{bucket['id']}", filter="a", uniqueWriterIdentity=True
    )
    world.make("rest", "gcp:logging/projectExclusion:ProjectExclusion", filter="a")

    assert world.change("logs", retentionDays=60)[0] == ["retentionDays"]
    assert world.replaced_by("logs", bucketId="other") == ["bucketId"]
    assert world.change("sink", filter="b")[0] == ["filter"]
    assert world.change("rest", filter="b")[0] == ["filter"]
    world.remove("logs")
    with pytest.raises(Refused, match="is pending deletion"):
        world.make("again", LOGS, **inputs)


def test_alarms_and_budgets(world: World) -> None:
    enable(world)
    channel = world.make(
        "mail",
        "gcp:monitoring/notificationChannel:NotificationChannel",
        type="email",
        displayName="mail",
        labels={"email_address": "team@acme.example"},
    )
    threshold = {"filter": "a", "comparison": "COMPARISON_GT", "duration": "0s"}
    condition = {"displayName": "full", "conditionThreshold": threshold}
    alarm: dict[str, Any] = {"displayName": "full", "combiner": "OR", "conditions": [condition]}
    with pytest.raises(Refused, match="notificationChannels/1' was not found"):
        world.make(
            "wrong",
            "gcp:monitoring/alertPolicy:AlertPolicy",
            **alarm,
            notificationChannels=["projects/acme/notificationChannels/1"],
        )
    world.make("full", "gcp:monitoring/alertPolicy:AlertPolicy", **alarm, notificationChannels=[channel["name"]])
    budget: dict[str, Any] = {
        "billingAccount": "01AB23-CD45EF-67GH89",
        "amount": {"specifiedAmount": {"currencyCode": "USD", "units": "2000"}},
        "thresholdRules": [{"thresholdPercent": 0.8}],
        "allUpdatesRule": {"monitoringNotificationChannels": [channel["name"]]},
    }
    kind = "gcp:billing/budget:Budget"
    world.make("budget", kind, **budget)
    euros = {"specifiedAmount": {"currencyCode": "EUR", "units": "2000"}}
    many = {"monitoringNotificationChannels": [channel["name"]] * 6}
    for wrong in ({"amount": euros}, {"allUpdatesRule": many}):
        with pytest.raises(Refused, match="Request contains an invalid argument"):
            world.make("wrong", kind, **{**budget, **wrong})
    with pytest.raises(Refused, match="does not have permission"):
        world.make("wrong", kind, **{**budget, "billingAccount": "000000-000000-000000"})

    assert channel["id"] == channel["name"]
    assert world.change("full", combiner="AND")[0] == ["combiner"]
    assert world.change("budget", thresholdRules=[{"thresholdPercent": 1}])[0] == ["thresholdRules"]
    with pytest.raises(Refused, match="Cannot delete notification channel"):
        world.remove("mail")


def test_members_of_the_project(world: World) -> None:
    enable(world)
    member = {"project": "acme", "role": "roles/container.admin", "member": "group:platform@acme.example"}
    condition = {"title": "cluster fraud", "expression": "true"}
    granted = world.make("admin", "gcp:projects/iAMMember:IAMMember", **member, condition=condition)

    assert granted["id"] == "acme/roles/container.admin/group:platform@acme.example/cluster fraud"
    with pytest.raises(Refused, match="Invalid member platform"):
        world.make("wrong", "gcp:projects/iAMMember:IAMMember", **{**member, "member": "platform"})


def test_a_service_stays_enabled_if_it_is_only_forgotten(world: World, cloud: Cloud) -> None:
    enable(world, "dns")
    world.make("sql", "gcp:projects/service:Service", service="sqladmin.googleapis.com", disableOnDestroy=True)
    kind, identifier, _, state = world.resources["dns-service"]

    world.lifecycle.delete(kind, identifier, state)
    world.remove("sql")

    assert "dns.googleapis.com" in cloud.api.project["services"]
    assert "sqladmin.googleapis.com" not in cloud.api.project["services"]
