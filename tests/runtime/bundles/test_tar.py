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
    """Return the entries of a tar in order."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        found: list[tuple[tarfile.TarInfo, bytes]] = []
        for entry in archive:
            stream = archive.extractfile(entry)
            assert stream is not None
            found.append((entry, stream.read()))
        return found


def tar(of: Iterable[tuple[tarfile.TarInfo, bytes]]) -> io.BytesIO:
    """Build a tar of these entries."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for entry, content in of:
            archive.addfile(entry, io.BytesIO(content))
    stream.seek(0)
    return stream


def entry(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """Create a tar entry of any type."""
    made = tarfile.TarInfo(name)
    made.size, made.type, made.linkname = len(content), kind, link
    return made


def test_packed_bundle_is_unpacked_unchanged(tmp_path: Path) -> None:
    made = make_bundle(tmp_path / "bundle")
    content = packed(tmp_path / "bundle")

    folder = unpacked(io.BytesIO(content), tmp_path / "there")
    assert verify(folder) == made
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
    whole = entries(packed(tmp_path / "bundle"))
    link = entry("model/weights.bin", kind=tarfile.SYMTYPE, link="/etc/passwd")
    spoilt = tar([(link, b"") if one.name == link.name else (one, content) for one, content in whole])

    with pytest.raises(Broken, match="not a regular file"):
        unpacked(spoilt, tmp_path / "there")


def test_content_or_size_that_differs_is_refused(tmp_path: Path) -> None:
    make_bundle(tmp_path / "bundle")
    whole = entries(packed(tmp_path / "bundle"))
    for content in (b"2" * 1000, b"1" * 999, b"1" * 1001):
        weights = entry("model/weights.bin", content)
        spoilt = tar([(weights, content) if one.name == weights.name else (one, was) for one, was in whole])
        with pytest.raises(Broken):
            unpacked(spoilt, tmp_path / "there")
    assert list((tmp_path / "there").iterdir()) == []


def test_incomplete_bundle_is_refused(tmp_path: Path) -> None:
    """A truncated file, a missing entry, reordered entries and a file that is not a tar are refused."""
    make_bundle(tmp_path / "bundle")
    content = packed(tmp_path / "bundle")
    whole = entries(content)
    for spoilt in (
        io.BytesIO(content[: len(content) // 3]),
        tar(whole[:-1]),
        tar(reversed(whole)),
        io.BytesIO(b"no tar"),
        io.BytesIO(b""),
    ):
        with pytest.raises(Broken):
            unpacked(spoilt, tmp_path / "there")
