"""Downloads a registered model's files and computes their digest."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from modelyard_runtime.registry.lineage import content_digest


def digest_of(uri: str) -> str:
    """Compute the digest of a model's files in the registry."""
    with fetched(uri) as files:
        return content_digest(files)


@contextmanager
def fetched(uri: str) -> Generator[Path]:
    """Download a model's files from the registry to a temporary folder."""
    from mlflow import artifacts

    with tempfile.TemporaryDirectory(prefix="model-") as folder:
        yield Path(artifacts.download_artifacts(artifact_uri=uri, dst_path=folder))
