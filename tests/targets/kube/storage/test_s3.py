"""Tests that environment variables configure S3 access, both in the cloud and at a custom endpoint."""

from __future__ import annotations

from typing import Any

from modelyard.stack import Value
from modelyard_targets.kube.storage.driver import Opening
from modelyard_targets.kube.storage.s3 import CHECKSUMS, S3

ENDPOINT = "https://s3.acme.example"


def names(variables: list[Value]) -> list[str]:
    entries: list[Any] = list(variables)
    return [variable["name"] for variable in entries]


def test_cloud_only_needs_the_region() -> None:
    assert names(S3.client(Opening(region="eu-2"))) == ["AWS_DEFAULT_REGION"]
    assert names(S3.server(Opening(region="eu-2"))) == ["AWS_DEFAULT_REGION"]
    assert names(S3.client(Opening())) == []


def test_endpoint_is_set_and_checksums_are_limited() -> None:
    assert names(S3.client(Opening(ENDPOINT))) == ["AWS_ENDPOINT_URL", "MLFLOW_S3_ENDPOINT_URL"]
    assert names(S3.server(Opening(ENDPOINT))) == ["MLFLOW_S3_ENDPOINT_URL", *CHECKSUMS]
    assert names(S3.maker(Opening(ENDPOINT, "eu-2"))) == ["AWS_ENDPOINT_URL", *CHECKSUMS, "AWS_REGION"]
    assert S3.settings == CHECKSUMS


def test_access_key_has_the_standard_variables() -> None:
    variable_names = names(S3.client(Opening(credentials=S3.secret("lake"))))

    assert variable_names == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
