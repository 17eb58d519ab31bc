"""Packs a bundle into an uncompressed, reproducible tar file, which is treated as untrusted when unpacked."""

from __future__ import annotations

import io
import shutil
import tarfile
import uuid
from typing import IO, TYPE_CHECKING

from modelyard_runtime.bundles.bundle import MANIFEST, Broken, Bundle, read_bundle, sha256, verify

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST_MANIFEST = 64 * 2**20


def pack(folder: Path, stream: IO[bytes]) -> Bundle:
    """Verify the bundle in a folder, then write its `bundle.json` followed by the remaining files."""
    bundle = verify(folder)
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for path in (MANIFEST, *sorted(bundle.files)):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = (folder / path).stat().st_size, 0o644
            with (folder / path).open("rb") as content:
                archive.addfile(entry, content)
    return bundle


def packed(folder: Path) -> bytes:
    """Pack a bundle in memory, and return the bytes."""
    stream = io.BytesIO()
    pack(folder, stream)
    return stream.getvalue()


def unpacked(stream: IO[bytes], parent: Path) -> Path:
    """Unpack a bundle into a new folder in `parent` named after it. A broken bundle leaves no files behind.

    The first entry must be `bundle.json`. Only regular files listed there are written, and their size and hash must
    match.
    """
    parent.mkdir(parents=True, exist_ok=True)
    staged = parent / f".{uuid.uuid4().hex}"
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            bundle = _unpack(archive, staged)
        verify(staged, sha256(bundle.text().encode()))
        final = parent / bundle.folder
        if final.exists():
            shutil.rmtree(final)
        staged.rename(final)
    except tarfile.TarError as problem:
        raise Broken(f"this is not a bundle: {problem}") from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return final


def _unpack(archive: tarfile.TarFile, staged: Path) -> Bundle:
    first = archive.next()
    if first is None or first.name != MANIFEST:
        raise Broken(f"this is not a bundle: it does not begin with {MANIFEST}")
    content = _content(archive, first, _LARGEST_MANIFEST)
    bundle = read_bundle(content)
    staged.mkdir()
    (staged / MANIFEST).write_bytes(content)
    waiting = dict(bundle.files)
    while (entry := archive.next()) is not None:
        if entry.name not in waiting:
            raise Broken(f"this bundle contains {entry.name[:80]!r} more often than its {MANIFEST} lists it")
        digest, size = waiting.pop(entry.name)
        data = _content(archive, entry, size)
        if sha256(data) != digest:
            raise Broken(f"the file {entry.name} of this bundle does not match its {MANIFEST}")
        target = staged / entry.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    if waiting:
        raise Broken(f"this bundle is missing its file {min(waiting)}")
    return bundle


def _content(archive: tarfile.TarFile, entry: tarfile.TarInfo, max_size: int) -> bytes:
    stream = archive.extractfile(entry) if entry.isreg() and entry.size <= max_size else None
    if stream is None:
        raise Broken(f"{entry.name[:80]!r} in this bundle is not a regular file of the listed size")
    return stream.read()
