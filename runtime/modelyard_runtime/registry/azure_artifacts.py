"""Makes MLflow open artifacts at `abfss://` addresses in the same way as the rest of the runtime.

By default, MLflow opens them at the address in the URI, where Azure refuses accounts that keep versions or deleted
blobs and have no hierarchical namespace (EndpointUnsupportedAccountFeatures). It also uses a login that looks for
identities other than that of the Pod. MLflow's repository for `wasbs://` uses the Blob API, and accepts a client.

Source: azure_data_lake_artifact_repo.py and azure_blob_artifact_repo.py of MLflow 3.17, read 2026-11-27.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from modelyard_runtime.storage.protocols.azure import account_of
from modelyard_runtime.workload.records import Store

_SCHEME: Final = "abfss"


def register() -> None:
    """Make this process open `abfss://` artifacts through the Blob API."""
    from mlflow.store.artifact.artifact_repository_registry import get_registered_artifact_repositories

    repositories: dict[str, Any] = get_registered_artifact_repositories()
    repositories[_SCHEME] = _repository


def _repository(artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> Any:
    from mlflow.store.artifact.azure_blob_artifact_repo import AzureBlobArtifactRepository

    uri = urlsplit(artifact_uri)
    container, account = account_of(uri, Store(uri=artifact_uri))
    account.check()
    address = f"wasbs://{container}@{account.name}.blob.{account.domain}{uri.path}"
    return AzureBlobArtifactRepository(address, account.client(), tracking_uri, registry_uri)
