"""Containers have the environment variables that S3-compatible services need."""

from __future__ import annotations

import json

import pytest

from tests.emitted import names, one
from tests.lowering import Object, lowered, pod_specs
from tests.specs import VALID_SPEC, changed

CHECKSUMS = {"AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"}


def environments(made: Object) -> list[dict[str, str]]:
    """Return the variables with plain values of each container that uses the store `lake`."""
    containers = [container for pod in pod_specs(made) for container in pod["containers"]]
    plain = [{each["name"]: each.get("value", "") for each in container["env"]} for container in containers]
    return [variables for variables in plain if "MODELYARD_STORE_LAKE_ACCESS_KEY_ID" in variables]


@pytest.mark.parametrize(("kind", "name"), [("RayService", "scorer-champion"), ("CronJob", "monitor-drift")])
def test_a_service_that_is_not_aws_gets_no_checksums_that_it_may_refuse(kind: str, name: str) -> None:
    found = environments(lowered(VALID_SPEC).get(kind, name))

    assert found
    assert all({variables.get(key) for key in CHECKSUMS} == {"when_required"} for variables in found)


def test_runs_speak_the_same_way() -> None:
    template = json.loads(lowered(VALID_SPEC).get("ConfigMap", "retrain-rayjob")["data"]["rayjob.json"])

    assert all(variables.keys() >= CHECKSUMS for variables in environments(template))


def test_no_variable_is_said_twice() -> None:
    """No container has a variable twice, even if several stores need it."""
    for made in lowered(VALID_SPEC):
        for pod in pod_specs(made):
            for container in pod["containers"]:
                said = [each["name"] for each in container["env"]]
                assert len(set(said)) == len(said)


def test_what_makes_a_bucket_says_it_too() -> None:
    text = changed("adopt: acme-fraud-lake, ", "")
    (name,) = names(text, "Job")
    (pod,) = pod_specs(one(text, "Job", name))

    assert {each["name"] for each in pod["containers"][0]["env"]} >= CHECKSUMS
