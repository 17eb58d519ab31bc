"""Bucket names and store URIs, on an existing service and in a cloud."""

from __future__ import annotations

import pytest

from modelyard_targets.kube.storage.buckets import bucket_name, object_uri, region_of
from tests.plans import system_of
from tests.specs import VALID_SPEC
from tests.targets.aws.emitted import AWS_SPEC, changed

OURS = VALID_SPEC.replace("adopt: acme-fraud-lake, ", "")


def lake(text: str, environment: str = "prod") -> str:
    """Return the bucket name of the store `lake`."""
    system = system_of(text, environment)
    return bucket_name(system.stores["lake"], system)


def test_on_a_service_of_its_own_the_name_is_as_short_as_can_be() -> None:
    assert lake(OURS) == "fraud-prod-lake"
    assert lake(OURS, "default") == "fraud-lake"
    assert lake(VALID_SPEC) == "acme-fraud-lake"


def test_in_a_cloud_a_name_is_nobody_elses() -> None:
    found = lake(AWS_SPEC)

    assert found == "leads-prod-lake-91739f"
    assert found == lake(AWS_SPEC.replace("churn", "leaving"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("team: growth", "team: other"),
        ("growth@acme.example", "other@acme.example"),
        ("eu-central-1", "eu-west-1"),
        ("name: leads", "name: leads2"),
    ],
)
def test_another_owner_region_or_system_has_other_buckets(before: str, after: str) -> None:
    assert lake(changed((before, after)))[-6:] != lake(AWS_SPEC)[-6:]


def test_another_environment_has_other_buckets() -> None:
    assert lake(AWS_SPEC, "test")[-6:] != lake(AWS_SPEC)[-6:]


def test_no_bucket_has_a_name_that_is_too_long() -> None:
    long = "a-name-that-nearly-nobody-would-ever-give-to-a-store-of-a-system"[:60]
    system = system_of(changed(("  lake:", f"  {long}: {{type: object}}\n  lake:")))
    found = bucket_name(system.stores[long], system)

    assert len(found) <= 63
    assert found != bucket_name(system.stores["lake"], system)


def test_what_is_adopted_keeps_its_name() -> None:
    assert lake(changed(("lake: {type: object}", "lake: {type: object, adopt: acme-lake}"))) == "acme-lake"


def test_a_store_in_a_cloud_is_in_its_region() -> None:
    system = system_of(AWS_SPEC)

    assert region_of(system.stores["lake"], system) == "eu-central-1"
    assert object_uri(system.stores["lake"], "a", system) == "s3://leads-prod-lake-91739f/a"


def test_a_service_on_premises_has_the_region_that_is_said() -> None:
    system = system_of(VALID_SPEC)
    said = system_of(VALID_SPEC.replace("adopt: acme-fraud-lake,", "adopt: acme-fraud-lake, region: x-1,"))

    assert region_of(system.stores["lake"], system) == ""
    assert region_of(said.stores["lake"], said) == "x-1"
