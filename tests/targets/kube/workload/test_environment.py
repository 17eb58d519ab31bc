"""Tests that containers have the environment variables that S3-compatible services require."""

from __future__ import annotations

import json

import pytest

from tests.emitted import emitted_object, names
from tests.lowering import Object, lowered, pod_specs
from tests.specs import VALID_SPEC, changed

CHECKSUMS = {"AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"}


def environments(objects: Object) -> list[dict[str, str]]:
    """Return the plain-value environment variables of each container that uses the store `lake`."""
    containers = [container for pod in pod_specs(objects) for container in pod["containers"]]
    plain = [{each["name"]: each.get("value", "") for each in container["env"]} for container in containers]
    return [variables for variables in plain if "MODELYARD_STORE_LAKE_ACCESS_KEY_ID" in variables]


@pytest.mark.parametrize(("kind", "name"), [("RayService", "scorer-champion"), ("CronJob", "monitor-drift")])
def test_checksums_are_limited_for_other_s3_services(kind: str, name: str) -> None:
    per_container = environments(lowered(VALID_SPEC).get(kind, name))

    assert per_container
    assert all({variables.get(key) for key in CHECKSUMS} == {"when_required"} for variables in per_container)


def test_checksums_are_limited_in_runs() -> None:
    template = json.loads(lowered(VALID_SPEC).get("ConfigMap", "retrain-rayjob")["data"]["rayjob.json"])

    assert all(variables.keys() >= CHECKSUMS for variables in environments(template))


def test_no_variable_is_set_twice() -> None:
    """No container sets a variable twice, even if multiple stores need it."""
    for manifest in lowered(VALID_SPEC):
        for pod in pod_specs(manifest):
            for container in pod["containers"]:
                names = [each["name"] for each in container["env"]]
                assert len(set(names)) == len(names)


def test_checksums_are_limited_in_bucket_jobs() -> None:
    text = changed("adopt: acme-fraud-lake, ", "")
    (name,) = names(text, "Job")
    (pod,) = pod_specs(emitted_object(text, "Job", name))

    assert {each["name"] for each in pod["containers"][0]["env"]} >= CHECKSUMS
