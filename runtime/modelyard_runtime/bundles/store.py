"""Bundles in a store or on a disk: read, and written so that nobody ever sees half of one."""

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
from modelyard_runtime.storage.filesystem import Place, is_local, local, reading, write_whole
from modelyard_runtime.storage.protocols.disk import write_durably

_KEPT = 2  # bundles on a disk: the one in use, and the one before, which a reader may still be loading
_LARGEST_JSON = 64 * 2**20
_log = logging.getLogger(__name__)


Accept = Callable[[Bundle, Path | None], None]
"""Raises Broken for a bundle that is not to be used though it is whole; without a folder, by what it says of itself."""


def anything(bundle: Bundle, folder: Path | None) -> None:
    """Every bundle that is whole may be used."""


def current(where: Place) -> Pointer | None:
    """What is in use in a folder of bundles; None where nothing was ever delivered. Raises OSError out of reach."""
    try:
        return read_pointer(_read(where.below(POINTER), _LARGEST_JSON))
    except FileNotFoundError:
        return None


def publish(folder: Path, where: Place) -> Pointer:
    """Write the bundle of a local folder into a folder of bundles, and put it in use. Does nothing when it is already.

    The files come first, then what says that they are whole, then what names them.
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
    """Let a folder of bundles name another one; its files are there already."""
    write_whole(where.below(POINTER), pointer.text().encode())


def fetch(where: Place, pointer: Pointer, disk: Path, accept: Accept = anything) -> Path:
    """Bring a bundle to a folder of bundles on this disk, compared with its hashes, and put it in use there.

    Whatever fails on the way leaves the disk as it was. Returns the folder of the bundle.
    """
    final = _bring(where.below(VERSIONS, pointer.folder), pointer, disk, accept)
    put_in_use(local(disk), pointer)
    forget(disk, pointer)
    return final


def _bring(source: Place, pointer: Pointer, disk: Path, accept: Accept = anything) -> Path:
    final = disk / VERSIONS / pointer.folder
    if _whole(final, pointer.sha256):
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


def kept(disk: Path, accept: Accept = anything) -> tuple[Pointer, Path] | None:
    """What is in use on this disk, compared with its hashes; None where there is nothing that can be used.

    What is not accepted is not replaced by an older bundle, which would go unnoticed.
    A disk that lost power may have lost the end of what was written last; then the bundle before is used.
    """
    try:
        pointer = current(local(disk))
    except (OSError, Broken) as problem:
        _log.warning("%s of %s cannot be read: %s", POINTER, disk, problem)
        pointer = None
    if pointer is not None and _whole(disk / VERSIONS / pointer.folder, pointer.sha256):
        folder = disk / VERSIONS / pointer.folder
        return (pointer, folder) if _accepted(folder, accept) else None
    for folder in _newest_first(disk):
        if _whole(folder) and _accepted(folder, accept):
            _log.warning("the bundle in %s is used, which is not the one that was used last", folder)
            return pointer_to(bundle_of(folder)), folder
    return None


def forget(disk: Path, pointer: Pointer) -> None:
    """Delete all but the newest bundles of a disk; the one in use is always kept."""
    others = [one for one in _newest_first(disk) if one.name != pointer.folder]
    for one in others[_KEPT - 1 :]:
        shutil.rmtree(one, ignore_errors=True)


def bundle_of(folder: Path) -> Bundle:
    """What a folder that was compared before says of itself."""
    return read_bundle((folder / MANIFEST).read_bytes())


def _newest_first(disk: Path) -> list[Path]:
    found = [one for one in (disk / VERSIONS).glob("*") if one.is_dir() and not one.name.startswith(".")]
    return sorted(found, key=lambda one: -one.stat().st_mtime)


def _accepted(folder: Path, accept: Accept) -> bool:
    try:
        accept(bundle_of(folder), folder)
    except Broken as problem:
        _log.error("%s", problem)
        return False
    return True


def _whole(folder: Path, wanted_sha256: str = "") -> bool:
    if not folder.is_dir():
        return False
    try:
        verify(folder, wanted_sha256)
    except Broken as problem:
        _log.warning("%s", problem)
        return False
    return True


def _settle(staged: Path, final: Path, pointer: Pointer) -> None:
    """Give a bundle its name. Another process of this disk may have been faster, with the same files."""
    if final.exists():  # it is not whole, or was just brought by another process
        if _whole(final, pointer.sha256):
            return
        shutil.rmtree(final)
    staged.rename(final)


def _download(source: Place, pointer: Pointer, staged: Path, accept: Accept) -> None:
    content = _read(source.below(MANIFEST), _LARGEST_JSON)
    if sha256(content) != pointer.sha256:
        raise Broken(f"{MANIFEST} in {pointer.folder} is not the one that {POINTER} means")
    bundle = read_bundle(content)
    accept(bundle, None)  # before anything large is fetched: whoever waits for an approval asks every minute
    staged.mkdir(parents=True)
    for path, (_, size) in bundle.files.items():
        target = staged / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_durably(target, _read(source.below(path), size))
        except FileNotFoundError:
            raise Broken(f"the bundle in {pointer.folder} lacks its file {path}") from None
    write_durably(staged / MANIFEST, content)


def _read(where: Place, most: int) -> bytes:
    """The content of a file, which must not be larger than it is said to be."""
    with reading(where) as stream:
        content: bytes = stream.read(most + 1)
    if len(content) > most:
        raise Broken(f"{where.path} is larger than {most} bytes")
    return content
