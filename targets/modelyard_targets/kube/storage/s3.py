"""The S3 driver, for AWS and any S3-compatible service with its own endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.manifest import env
from modelyard.stack import Value
from modelyard_targets.kube.storage.driver import Driver, Key, Opening, RemoteSettings

_PREFIX: Final = "AWS_"
_KEYS: Final = (
    Key("access-key-id", "ACCESS_KEY_ID", "accessKeyIdEnv"),
    Key("secret-access-key", "SECRET_ACCESS_KEY", "secretAccessKeyEnv"),
)

CHECKSUMS: Final = {
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
}
"""Limits checksums to requests that require them. Since 2025 the AWS SDKs add checksums to every request, which many
S3-compatible services refuse or do not support (docs.aws.amazon.com/sdkref, "Data Integrity Protections for Amazon S3",
read 2026-11-24).
"""


def _client(opening: Opening) -> list[Value]:
    """Return the standard S3 variables, which are the only ones MLflow's client supports."""
    where = [env("AWS_ENDPOINT_URL", opening.endpoint), env("MLFLOW_S3_ENDPOINT_URL", opening.endpoint)]
    return [*(where if opening.endpoint else ()), *_region(opening), *_keys(opening)]


def _server(opening: Opening) -> list[Value]:
    where = [env("MLFLOW_S3_ENDPOINT_URL", opening.endpoint), *_checksums()]
    return [*(where if opening.endpoint else ()), *_region(opening), *_keys(opening)]


def _maker(opening: Opening) -> list[Value]:
    region = [env("AWS_REGION", opening.region)] if opening.region else []
    return [env("AWS_ENDPOINT_URL", opening.endpoint), *_checksums(), *region, *_keys(opening)]


def _region(opening: Opening) -> list[Value]:
    return [env("AWS_DEFAULT_REGION", opening.region)] if opening.region else []


def _checksums() -> Iterator[Value]:
    return (env(name, value) for name, value in CHECKSUMS.items())


def _keys(opening: Opening) -> Iterator[Value]:
    return S3.key_variables(opening.credentials, _PREFIX)


def _remote(bucket: str, opening: Opening) -> RemoteSettings:
    """Return the settings of rclone's backend (rclone.org/s3, read 2026-11-28)."""
    provider = "Other" if opening.endpoint else "AWS"
    where = (("endpoint", opening.endpoint), ("region", opening.region))
    settings = tuple((name, value) for name, value in where if value)
    return (("type", "s3"), ("provider", provider), ("env_auth", "true"), *settings)


S3: Final = Driver(
    "s3",
    443,
    _KEYS,
    client=_client,
    server=_server,
    maker=_maker,
    settings=CHECKSUMS,
    remote=_remote,
    remote_login=("access_key_id", "secret_access_key"),
)
