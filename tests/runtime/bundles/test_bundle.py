"""Tests that a bundle is used only if it matches its manifest exactly, and that manifests are deterministic."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from modelyard_runtime.bundles.bundle import MANIFEST, Broken, pointer_to, read_bundle, read_pointer, safe_path, verify
from tests.runtime.bundles import make_bundle


def test_intact_bundle_is_read_back_unchanged(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle")

    assert verify(tmp_path / "bundle", pointer_to(bundle).sha256) == bundle
    assert read_bundle(bundle.text().encode()).text() == bundle.text()
    assert read_pointer(pointer_to(bundle).text().encode()) == pointer_to(bundle)


def _longer(folder: Path) -> None:
    with (folder / "model" / "weights.bin").open("ab") as stream:
        stream.write(b"!")


def _other(folder: Path) -> None:
    (folder / "model" / "weights.bin").write_bytes(b"2" * 1000)


def _absent(folder: Path) -> None:
    (folder / "model" / "weights.bin").unlink()


def _added(folder: Path) -> None:
    (folder / "model" / "more.py").write_text("")


def _linked(folder: Path) -> None:
    (folder / "model" / "weights.bin").rename(folder.parent / "weights.bin")
    (folder / "model" / "weights.bin").symlink_to(folder.parent / "weights.bin")


def _undescribed(folder: Path) -> None:
    (folder / MANIFEST).unlink()


@pytest.mark.parametrize("spoil", [_longer, _other, _absent, _added, _linked, _undescribed])
def test_bundle_that_differs_from_its_manifest_is_refused(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    make_bundle(tmp_path / "bundle")
    spoil(tmp_path / "bundle")

    with pytest.raises(Broken):
        verify(tmp_path / "bundle")


def test_unexpected_manifest_is_refused(tmp_path: Path) -> None:
    make_bundle(tmp_path / "bundle")

    with pytest.raises(Broken, match="is not the one"):
        verify(tmp_path / "bundle", "0" * 64)


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../x", "a//b", "", ".", "a\\..\\b", "a\x00b", "a/" * 600 + "b", MANIFEST]
)
def test_path_outside_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    described = json.loads(make_bundle(tmp_path / "bundle").text())
    described["files"][path] = {"sha256": "0", "bytes": 1}

    with pytest.raises(Broken, match="a bundle cannot contain"):
        read_bundle(json.dumps(described).encode())
    assert path == MANIFEST or not safe_path(path)


@pytest.mark.parametrize("folder", ["../1", "", ".x", "a/b", "x" * 200])
def test_pointer_outside_the_folder_is_refused(folder: str) -> None:
    content = json.dumps({"folder": folder, "version": "1", "sha256": "0" * 64}).encode()

    with pytest.raises(Broken):
        read_pointer(content)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"kind": "Bundle"}'])
def test_invalid_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(Broken):
        read_bundle(content)
