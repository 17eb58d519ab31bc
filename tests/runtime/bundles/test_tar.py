"""Tests that packing a bundle is deterministic, and that unpacking writes only files in its manifest."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from modelyard_runtime.bundles.bundle import Broken, verify
from modelyard_runtime.bundles.tar import packed, unpacked
from tests.runtime.bundles import make_bundle


def entries(content: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    """Return the entries of a tar archive in order."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        result: list[tuple[tarfile.TarInfo, bytes]] = []
        for entry in archive:
            stream = archive.extractfile(entry)
            assert stream is not None
            result.append((entry, stream.read()))
        return result


def tar(of: Iterable[tuple[tarfile.TarInfo, bytes]]) -> io.BytesIO:
    """Build a tar archive from the given entries."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for entry, content in of:
            archive.addfile(entry, io.BytesIO(content))
    stream.seek(0)
    return stream


def entry(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """Create a tar entry of any type."""
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, link
    return info


def test_packed_bundle_is_unpacked_unchanged(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    content = packed(tmp_path / "bundle")

    folder = unpacked(io.BytesIO(content), tmp_path / "there")
    assert verify(folder) == bundle
    assert packed(folder) == content


@pytest.mark.parametrize(
    "more",
    [
        entry("../out"),
        entry("/tmp/out"),
        entry("model/more.py"),
        entry("model/weights.bin"),  # a duplicate
        entry("link", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        entry("hard", kind=tarfile.LNKTYPE, link="bundle.json"),
        entry("pipe", kind=tarfile.FIFOTYPE),
        entry("folder", kind=tarfile.DIRTYPE),
    ],
)
def test_unlisted_entries_are_refused(tmp_path: Path, more: tarfile.TarInfo) -> None:
    make_bundle(tmp_path / "bundle")
    spoilt = tar([*entries(packed(tmp_path / "bundle")), (more, b"")])

    with pytest.raises(Broken):
        unpacked(spoilt, tmp_path / "there")
    assert list((tmp_path / "there").iterdir()) == []
    assert not (tmp_path / "out").exists()


def test_link_instead_of_a_file_is_refused(tmp_path: Path) -> None:
    make_bundle(tmp_path / "bundle")
    all_entries = entries(packed(tmp_path / "bundle"))
    link = entry("model/weights.bin", kind=tarfile.SYMTYPE, link="/etc/passwd")
    spoilt = tar([(link, b"") if info.name == link.name else (info, content) for info, content in all_entries])

    with pytest.raises(Broken, match="not a regular file"):
        unpacked(spoilt, tmp_path / "there")


def test_content_or_size_that_differs_is_refused(tmp_path: Path) -> None:
    make_bundle(tmp_path / "bundle")
    all_entries = entries(packed(tmp_path / "bundle"))
    for content in (b"2" * 1000, b"1" * 999, b"1" * 1001):
        weights = entry("model/weights.bin", content)
        spoilt = tar([(weights, content) if info.name == weights.name else (info, was) for info, was in all_entries])
        with pytest.raises(Broken):
            unpacked(spoilt, tmp_path / "there")
    assert list((tmp_path / "there").iterdir()) == []


def test_incomplete_bundle_is_refused(tmp_path: Path) -> None:
    """Truncated archives, missing or reordered entries, and files that aren't tar archives are rejected."""
    make_bundle(tmp_path / "bundle")
    content = packed(tmp_path / "bundle")
    all_entries = entries(content)
    for spoilt in (
        io.BytesIO(content[: len(content) // 3]),
        tar(all_entries[:-1]),
        tar(reversed(all_entries)),
        io.BytesIO(b"no tar"),
        io.BytesIO(b""),
    ):
        with pytest.raises(Broken):
            unpacked(spoilt, tmp_path / "there")
