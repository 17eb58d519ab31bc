"""Tests that a store's protocol depends on its target's provider."""

from __future__ import annotations

import pytest

from modelyard.records import replace
from modelyard_targets.kube.storage.azure import AZURE
from modelyard_targets.kube.storage.buckets import driver_of, object_uri
from modelyard_targets.kube.storage.clouds import cloud_storage
from modelyard_targets.kube.storage.gcs import GCS
from modelyard_targets.kube.storage.s3 import S3
from tests.plans import system_of
from tests.targets.aws.emitted import AWS_SPEC


@pytest.mark.parametrize(
    ("provider", "endpoint", "scheme"),
    [
        ("aws", "", "s3"),
        ("azure", "", "abfss"),
        ("gcp", "", "gs"),
        ("gcp", "https://s3.acme.example", "s3"),
        ("kubernetes", "", "s3"),
    ],
)
def test_store_uses_the_clouds_protocol_unless_it_has_an_endpoint(provider: str, endpoint: str, scheme: str) -> None:
    system = system_of(AWS_SPEC)
    targets = tuple(replace(target, provider=provider) for target in system.deployment.targets)
    system = replace(system, deployment=replace(system.deployment, targets=targets))
    store = replace(system.stores["lake"], endpoint=endpoint)

    assert driver_of(store, system) is {"s3": S3, "gs": GCS, "abfss": AZURE}[scheme]
    assert object_uri(store, "/a", system).startswith(f"{scheme}://")
    assert object_uri(store, "/a", system).endswith("/a")


def test_a_new_bucket_in_an_account_has_a_name_of_both() -> None:
    """Storage account names have at most 24 letters and digits, and depend on the full name and the owner."""
    container, account = AZURE.named("leads-prod-lake", "growth").split("@")
    others = {
        AZURE.named(name, owner) for name, owner in (("leads-prod-lake", "sales"), ("leads-prod-lakes", "growth"))
    }

    assert container == "leads-prod-lake"
    assert (account[:13], len(account)) == ("leadsprodlake", 23)
    assert account not in {other.partition("@")[2] for other in others}
    assert len(AZURE.named("x" * 80, "growth").partition("@")[0]) <= 63
    assert len(AZURE.named("x" * 80, "growth").partition("@")[2]) == 24


def test_an_adopted_bucket_of_an_account_has_to_name_it() -> None:
    assert AZURE.uri("lake@acme", "a") == "abfss://lake@acme.dfs.core.windows.net/a"
    with pytest.raises(ValueError, match="names no account"):
        AZURE.uri("lake", "a")


def test_only_aws_creates_keys_for_other_targets() -> None:
    assert [name for name in ("aws", "gcp", "azure", "kubernetes") if cloud_storage(name).keys] == ["aws"]
