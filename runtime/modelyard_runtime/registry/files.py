"""The files of a registered model, and their digest."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from modelyard_runtime.registry.lineage import content_digest


def digest_of(uri: str) -> str:
    """The hash of a model's files as the registry has them."""
    with fetched(uri) as files:
        return content_digest(files)


@contextmanager
def fetched(uri: str) -> Generator[Path]:
    """A model's files as the registry has them, for a moment."""
    from mlflow import artifacts

    with tempfile.TemporaryDirectory(prefix="model-") as folder:
        yield Path(artifacts.download_artifacts(artifact_uri=uri, dst_path=folder))
