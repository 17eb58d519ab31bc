"""Downloads the files of a registered model and computes their digest."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry.client import Version, stored_elsewhere
from modelyard_runtime.registry.lineage import content_digest


def digest_of(uri: str) -> str:
    """Compute the digest of a registered model's files."""
    with fetched(uri) as files:
        return content_digest(files)


def digest_of_version(version: Version) -> str:
    """Compute the digest of a registered version's files, which must be in the registry's store."""
    if address := stored_elsewhere(version):
        raise Refusal(
            f"version {version.version} of {version.name} has its files at {address}, outside the registry's store"
        )
    return digest_of(version.uri)


@contextmanager
def fetched(uri: str) -> Generator[Path]:
    """Download a model's files from the registry to a temporary folder."""
    from mlflow import artifacts

    with tempfile.TemporaryDirectory(prefix="model-") as folder:
        yield Path(artifacts.download_artifacts(artifact_uri=uri, dst_path=folder))
