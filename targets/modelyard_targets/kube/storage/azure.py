"""The driver for Azure Blob Storage, where Pods authenticate with their identity.

Addresses contain the account and the container: `abfss://container@account.dfs.core.windows.net/path`. The client
libraries find the identity on their own, so Pods need neither variables nor a Secret, and MLflow needs no account key
(azure_data_lake_artifact_repo.py in MLflow 3.17, read 2026-11-26). Containers are created by the cloud's program.
"""

from __future__ import annotations

from typing import Final

from modelyard.names import HASH_LENGTH, object_name, short_hash
from modelyard.patterns import pattern
from modelyard.stack import Value
from modelyard_targets.kube.storage.driver import Driver, Opening, RemoteSettings

_LONGEST_ACCOUNT: Final = 24
_LONGEST_CONTAINER: Final = 63
_NOT_IN_ACCOUNTS: Final = pattern("[^a-z0-9]")


def _nothing(opening: Opening) -> list[Value]:
    return []


def _container_name(name: str, owner: str) -> str:
    """Name a container and its storage account.

    Account names consist of at most 24 letters and digits, and must be unique across Azure.
    """
    readable = _NOT_IN_ACCOUNTS.sub("", name)[: _LONGEST_ACCOUNT - HASH_LENGTH]
    return f"{object_name(name, limit=_LONGEST_CONTAINER)}@{readable}{short_hash(name, owner)}"


def _remote(bucket: str, opening: Opening) -> RemoteSettings:
    """Return the settings for rclone's Azure Blob backend (rclone.org/azureblob, read 2026-11-28)."""
    account = bucket.partition("@")[2]
    return (("type", "azureblob"), ("account", account), ("env_auth", "true"))


AZURE: Final = Driver(
    "abfss",
    443,
    (),
    client=_nothing,
    server=_nothing,
    maker=_nothing,
    domain=".dfs.core.windows.net",
    named=_container_name,
    remote=_remote,
    remote_login=("sas_url",),
)
