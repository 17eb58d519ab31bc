"""Creates two-file model bundles, either in a folder of their own or several in one folder."""

from __future__ import annotations

from pathlib import Path

from modelyard_runtime.bundles.bundle import MANIFEST, MODEL, Bundle, files_in, sha256
from modelyard_runtime.bundles.store import publish
from modelyard_runtime.storage.filesystem import local


def make_bundle(folder: Path, version: str = "1") -> Bundle:
    """Create a bundle in a new folder. Each version has different files."""
    (folder / MODEL).mkdir(parents=True)
    (folder / MODEL / "MLmodel").write_text(f"version: {version}\n")
    (folder / MODEL / "weights.bin").write_bytes(version.encode() * 1000)
    digest = f"sha256:{sha256(version.encode())}"
    bundle = Bundle("cards-fraud", "champion", version, "r1", digest, "2026-11-24T06:00:00+00:00", {}, files_in(folder))
    (folder / MANIFEST).write_text(bundle.text())
    return bundle


def delivered(folder: Path, version: str = "1") -> Bundle:
    """Publish a bundle to a folder that holds several bundles."""
    bundle = make_bundle(folder.parent / f"made-{folder.name}-{version}", version)
    publish(folder.parent / f"made-{folder.name}-{version}", local(folder))
    return bundle
