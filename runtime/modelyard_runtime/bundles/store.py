"""Reads and writes bundles in a store or on disk. Readers never see an incomplete bundle."""

from __future__ import annotations

import logging
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from modelyard_runtime.bundles.bundle import (
    MANIFEST,
    POINTER,
    VERSIONS,
    Broken,
    Bundle,
    Pointer,
    pointer_to,
    read_bundle,
    read_pointer,
    sha256,
    verify,
)
from modelyard_runtime.storage.filesystem import Place, is_local, local, read_whole, reading, write_whole
from modelyard_runtime.storage.protocols.disk import write_durably

_KEPT = 2  # bundles on a disk: the active bundle, and the previous bundle, which a process may still be loading
_LARGEST_JSON = 64 * 2**20
_log = logging.getLogger(__name__)


Accept = Callable[[Bundle, Path | None], None]
"""Raises Broken to reject an intact bundle. Without a folder, only the bundle's own description can be checked."""


def anything(bundle: Bundle, folder: Path | None) -> None:
    """Accept every intact bundle."""


def current(where: Place, name: str = POINTER) -> Pointer | None:
    """Return the pointer to the active bundle, or None before the first delivery.

    Sites that receive versions in waves use a pointer with a different name. Raises OSError if the location can't be
    reached.
    """
    try:
        return read_pointer(_read_json(where.below(name)))
    except FileNotFoundError:
        return None


def publish(folder: Path, where: Place) -> Pointer:
    """Publish a local bundle to a bundles folder and activate it, unless it is already active.

    The model's files are written first, then `bundle.json`, then `current.json`.
    """
    bundle = verify(folder)
    pointer = pointer_to(bundle)
    if current(where) == pointer:
        return pointer
    if is_local(where):
        _bring(local(folder), pointer, Path(where.path))
    else:
        target = where.below(VERSIONS, bundle.folder)
        for path in bundle.files:
            write_whole(target.below(path), (folder / path).read_bytes())
        write_whole(target.below(MANIFEST), bundle.text().encode())
    put_in_use(where, pointer)
    return pointer


def put_in_use(where: Place, pointer: Pointer) -> None:
    """Activate a bundle whose files are already in the folder."""
    write_whole(where.below(POINTER), pointer.text().encode())


def fetch(where: Place, pointer: Pointer, disk: Path, accept: Accept = anything) -> Path:
    """Copy a bundle to a bundles folder on this disk, verify its hashes, and activate it.

    On failure, the disk is left unchanged. Returns the bundle's folder.
    """
    final = _bring(where.below(VERSIONS, pointer.folder), pointer, disk, accept)
    put_in_use(local(disk), pointer)
    forget(disk, pointer)
    return final


def _bring(source: Place, pointer: Pointer, disk: Path, accept: Accept = anything) -> Path:
    final = disk / VERSIONS / pointer.folder
    if _is_intact(final, pointer.sha256):
        accept(bundle_of(final), final)
        return final
    staged = disk / VERSIONS / f".{uuid.uuid4().hex}"
    try:
        _download(source, pointer, staged, accept)
        accept(verify(staged, pointer.sha256), staged)
        _settle(staged, final, pointer)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return final


def usable_bundle(disk: Path, accept: Accept = anything) -> tuple[Pointer, Path] | None:
    """Verify the active bundle on this disk and return it, or None if no bundle is usable.

    If `accept` rejects a bundle, there's no fallback to an older one, since nobody would notice. After a power failure,
    however, the most recently written files may be truncated, in which case the previous bundle is used.
    """
    try:
        pointer = current(local(disk))
    except (OSError, Broken) as problem:
        _log.warning("%s of %s cannot be read: %s", POINTER, disk, problem)
        pointer = None
    if pointer is not None and _is_intact(disk / VERSIONS / pointer.folder, pointer.sha256):
        folder = disk / VERSIONS / pointer.folder
        return (pointer, folder) if _accepted(folder, accept) else None
    for folder in _newest_first(disk):
        if _is_intact(folder) and _accepted(folder, accept):
            _log.warning("using the bundle in %s instead of the last one", folder)
            return pointer_to(bundle_of(folder)), folder
    return None


def forget(disk: Path, pointer: Pointer) -> None:
    """Delete all but the newest bundles on a disk, never deleting the active one."""
    inactive = [bundle for bundle in _newest_first(disk) if bundle.name != pointer.folder]
    for bundle in inactive[_KEPT - 1 :]:
        shutil.rmtree(bundle, ignore_errors=True)


def bundle_of(folder: Path) -> Bundle:
    """Read the `bundle.json` of a folder whose files have already been verified."""
    return read_bundle((folder / MANIFEST).read_bytes())


def _newest_first(disk: Path) -> list[Path]:
    bundles = [bundle for bundle in (disk / VERSIONS).glob("*") if bundle.is_dir() and not bundle.name.startswith(".")]
    return sorted(bundles, key=lambda bundle: -bundle.stat().st_mtime)


def _accepted(folder: Path, accept: Accept) -> bool:
    try:
        accept(bundle_of(folder), folder)
    except Broken as problem:
        _log.error("%s", problem)
        return False
    return True


def _is_intact(folder: Path, wanted_sha256: str = "") -> bool:
    if not folder.is_dir():
        return False
    try:
        verify(folder, wanted_sha256)
    except Broken as problem:
        _log.warning("%s", problem)
        return False
    return True


def _settle(staged: Path, final: Path, pointer: Pointer) -> None:
    """Rename a staged bundle to its final name, unless another process on this machine already did."""
    if final.exists():  # damaged, or just written by another process
        if _is_intact(final, pointer.sha256):
            return
        shutil.rmtree(final)
    staged.rename(final)


def _download(source: Place, pointer: Pointer, staged: Path, accept: Accept) -> None:
    content = _read_json(source.below(MANIFEST))
    if sha256(content) != pointer.sha256:
        raise Broken(f"{MANIFEST} in {pointer.folder} is not the one that {POINTER} names")
    bundle = read_bundle(content)
    accept(bundle, None)  # first, because a process that waits for an approval checks every minute
    staged.mkdir(parents=True)
    for path, (_, size) in bundle.files.items():
        target = staged / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_durably(target, _read(source.below(path), size))
        except FileNotFoundError:
            raise Broken(f"the bundle in {pointer.folder} is missing its file {path}") from None
    write_durably(staged / MANIFEST, content)


def _read_json(where: Place) -> bytes:
    """Read a pointer or manifest that another process may be replacing."""
    return _within(read_whole(where, _LARGEST_JSON + 1), where, _LARGEST_JSON)


def _read(where: Place, most: int) -> bytes:
    """Read a bundle file, up to the size limit. Its hash is compared afterwards."""
    with reading(where) as stream:
        return _within(stream.read(most + 1), where, most)


def _within(content: bytes, where: Place, most: int) -> bytes:
    if len(content) > most:
        raise Broken(f"{where.path} is larger than {most} bytes")
    return content
