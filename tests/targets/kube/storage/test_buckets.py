"""Tests bucket names and store URIs, on an existing service and in a cloud."""

from __future__ import annotations

import pytest

from modelyard_targets.kube.storage.buckets import bucket_name, object_uri, region_of
from tests.plans import system_of
from tests.specs import VALID_SPEC
from tests.targets.aws.emitted import AWS_SPEC, changed

OURS = VALID_SPEC.replace("adopt: acme-fraud-lake, ", "")


def lake(text: str, environment: str = "prod") -> str:
    """Return the name of the bucket for the store `lake`."""
    system = system_of(text, environment)
    return bucket_name(system.stores["lake"], system)


def test_bucket_name_on_premises_has_no_hash() -> None:
    assert lake(OURS) == "fraud-prod-lake"
    assert lake(OURS, "default") == "fraud-lake"
    assert lake(VALID_SPEC) == "acme-fraud-lake"


def test_bucket_name_in_a_cloud_has_a_hash() -> None:
    bucket = lake(AWS_SPEC)

    assert bucket == "leads-prod-lake-850587"
    assert bucket == lake(AWS_SPEC.replace("churn", "leaving"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("growth@acme.example", "growth@other.example"),
        ("eu-central-1", "eu-west-1"),
        ("name: leads", "name: leads2"),
    ],
)
def test_another_company_region_or_system_has_other_buckets(before: str, after: str) -> None:
    assert lake(changed((before, after)))[-6:] != lake(AWS_SPEC)[-6:]


@pytest.mark.parametrize(
    ("before", "after"), [("team: growth", "team: other"), ("growth@acme.example", "other@ACME.example")]
)
def test_a_system_that_another_team_takes_over_keeps_its_buckets(before: str, after: str) -> None:
    assert lake(changed((before, after))) == lake(AWS_SPEC)


def test_another_environment_has_other_buckets() -> None:
    assert lake(AWS_SPEC, "test")[-6:] != lake(AWS_SPEC)[-6:]


def test_long_bucket_name_is_shortened() -> None:
    long = "a-name-that-nearly-nobody-would-ever-give-to-a-store-of-a-system"[:60]
    system = system_of(changed(("  lake:", f"  {long}: {{type: object}}\n  lake:")))
    bucket = bucket_name(system.stores[long], system)

    assert len(bucket) <= 63
    assert bucket != bucket_name(system.stores["lake"], system)


def test_adopted_bucket_keeps_its_name() -> None:
    assert lake(changed(("lake: {type: object}", "lake: {type: object, adopt: acme-lake}"))) == "acme-lake"


def test_store_in_a_cloud_has_the_targets_region() -> None:
    system = system_of(AWS_SPEC)

    assert region_of(system.stores["lake"], system) == "eu-central-1"
    assert object_uri(system.stores["lake"], "a", system) == "s3://leads-prod-lake-850587/a"


def test_store_on_premises_has_the_declared_region() -> None:
    system = system_of(VALID_SPEC)
    declared = system_of(VALID_SPEC.replace("adopt: acme-fraud-lake,", "adopt: acme-fraud-lake, region: x-1,"))

    assert region_of(system.stores["lake"], system) == ""
    assert region_of(declared.stores["lake"], declared) == "x-1"
