"""Tests the properties that all object storage drivers share."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.stack import Value
from modelyard_targets.kube.storage.azure import AZURE
from modelyard_targets.kube.storage.driver import Credentials, Driver, Opening
from modelyard_targets.kube.storage.files import FILES
from modelyard_targets.kube.storage.gcs import GCS
from modelyard_targets.kube.storage.s3 import S3

DRIVERS = pytest.mark.parametrize("driver", [S3, GCS, AZURE], ids=lambda driver: driver.scheme)


def secrets_in(variables: list[Value]) -> set[tuple[str, str]]:
    """Return the Secrets and keys that the given variables refer to."""
    references: list[Any] = [
        variable for variable in variables if isinstance(variable, dict) and "valueFrom" in variable
    ]
    refs = [variable["valueFrom"]["secretKeyRef"] for variable in references]
    return {(ref["name"], ref["key"]) for ref in refs}


def all_variables(driver: Driver, opening: Opening) -> list[Value]:
    return [*driver.client(opening), *driver.server(opening), *driver.maker(opening)]


@DRIVERS
def test_a_uri_has_the_scheme_the_bucket_and_the_path(driver: Driver) -> None:
    bucket = "lake@acme" if driver.domain else "lake"

    assert driver.uri(bucket, "a/b") == f"{driver.scheme}://{bucket}{driver.domain}/a/b"
    assert driver.uri(bucket, "") == f"{driver.scheme}://{bucket}{driver.domain}/"
    assert driver.opens(driver.uri(bucket, "a/b"))
    assert driver.opens(driver.uri(bucket, ""))


@DRIVERS
def test_no_secret_is_used_without_credentials(driver: Driver) -> None:
    assert secrets_in(all_variables(driver, Opening("https://s3.acme.example", "eu-2"))) == set()
    assert list(driver.key_variables(None, "X_")) == []


@DRIVERS
def test_credentials_come_only_from_their_secret(driver: Driver) -> None:
    keys = tuple(f"{key.name}-2" for key in driver.keys)
    opening = Opening("https://s3.acme.example", "eu-2", Credentials("lake", keys))

    assert secrets_in(all_variables(driver, opening)) == {("lake", key) for key in keys}


@DRIVERS
def test_no_two_keys_share_a_name_a_variable_or_a_field(driver: Driver) -> None:
    for names in zip(*((key.name, key.variable, key.field) for key in driver.keys), strict=True):
        assert len(set(names)) == len(driver.keys)


def test_store_variables_have_a_prefix() -> None:
    variables: list[Any] = list(S3.key_variables(S3.secret("lake"), "MODELYARD_STORE_LAKE_"))

    assert [variable["name"] for variable in variables] == [
        "MODELYARD_STORE_LAKE_ACCESS_KEY_ID",
        "MODELYARD_STORE_LAKE_SECRET_ACCESS_KEY",
    ]


@pytest.mark.parametrize(
    ("driver", "uri"),
    [
        (S3, "gs://lake/a"),
        (S3, "s3:///a"),
        (GCS, "gs://lake@acme/a"),
        (AZURE, "abfss://lake/a"),
        (AZURE, "abfss://lake@acme/a"),
        (AZURE, "abfss://@acme.dfs.core.windows.net/a"),
        (AZURE, "abfss://lake@.dfs.core.windows.net/a"),
        (AZURE, "abfss://lake@acme.blob.core.windows.net/a"),
        (AZURE, "abfss://lake@acme.dfs./a"),
        (AZURE, "abfss://lake@acme@other.dfs.core.windows.net/a"),
    ],
)
def test_incomplete_and_foreign_addresses_are_not_opened(driver: Driver, uri: str) -> None:
    assert not driver.opens(uri)


def test_azure_uri_contains_container_and_account() -> None:
    assert AZURE.uri("lake@acme", "a/b") == "abfss://lake@acme.dfs.core.windows.net/a/b"
    assert AZURE.opens("abfss://lake@acme.dfs.core.chinacloudapi.cn/a")


@pytest.mark.parametrize(
    ("driver", "opening", "settings"),
    [
        (S3, Opening(region="eu-west-1"), "type=s3 provider=AWS env_auth=true region=eu-west-1"),
        (S3, Opening("https://minio"), "type=s3 provider=Other env_auth=true endpoint=https://minio"),
        (GCS, Opening(region="europe-west4"), "type=google cloud storage env_auth=true bucket_policy_only=true"),
        (AZURE, Opening(region="westeurope"), "type=azureblob account=acme env_auth=true"),
        (FILES, Opening(), "type=local"),
    ],
)
def test_rclone_opens_a_bucket_with_the_settings_of_its_backend(
    driver: Driver, opening: Opening, settings: str
) -> None:
    assert " ".join(f"{name}={value}" for name, value in driver.remote("lake@acme", opening)) == settings
