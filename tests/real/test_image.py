"""Tests that a build context based on Ray's published image builds without pulling any image."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import IO

import pytest

from testbed import image

DOCKERFILE = f"""FROM rayproject/ray:{image.RAY}-py311
COPY requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --requirement /tmp/requirements.txt && python -c "import ray, cowsay"
COPY --chown=1000:100 app.py /home/ray/app.py
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """Write a build context like an emitted `image/` folder.

    Contains a Dockerfile, pinned requirements and sources.
    """
    folder = tmp_path / "image"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "requirements.txt").write_text("cowsay==6.1\n")
    (folder / "app.py").write_text("print('hello')\n")
    return folder


@pytest.mark.usefixtures("base_image")
def test_context_is_built_on_the_base_image(context: Path) -> None:
    """The archive has the requested name, the base image's environment and the context's layers."""
    archive = image.build(context, "registry.local/demo-runtime:1")

    with tarfile.open(archive) as tar:
        (manifest,) = json.load(_member(tar, "manifest.json"))
        config = json.load(_member(tar, manifest["Config"]))
    assert manifest["RepoTags"] == ["registry.local/demo-runtime:1"]
    assert len(manifest["Layers"]) > 1
    assert config["config"]["User"] == "1000:100"


@pytest.mark.usefixtures("base_image")
def test_missing_base_image_is_not_pulled(context: Path) -> None:
    """If the base image is not available locally, the build fails instead of contacting a registry."""
    (context / "Dockerfile").write_text("FROM docker.io/library/other:1\n")

    with pytest.raises(RuntimeError, match="other:1"):
        image.build(context, "registry.local/demo-runtime:2")


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(name)
    assert file is not None
    return file
