"""The files of a registered model, and their digest."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from modelyard_runtime.registry.lineage import content_digest


def digest_of(uri: str) -> str:
    """The digest of a model's files in the registry."""
    with fetched(uri) as files:
        return content_digest(files)


@contextmanager
def fetched(uri: str) -> Generator[Path]:
    """A temporary copy of a model's files from the registry."""
    from mlflow import artifacts

    with tempfile.TemporaryDirectory(prefix="model-") as folder:
        yield Path(artifacts.download_artifacts(artifact_uri=uri, dst_path=folder))
