"""List, carry over and remove the content of folders without following links."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from typing import TypeAlias

FolderEntries: TypeAlias = Mapping[str, os.stat_result]
"""A folder's entries by relative path with forward slashes, sorted so that folders precede their content."""


def scan(root: str) -> dict[str, os.stat_result]:
    """List all entries below root. Returns an empty mapping if root is missing."""
    statuses: dict[str, os.stat_result] = {}
    if os.path.lexists(root):
        _scan(root, "", statuses)
    return statuses


def _scan(folder: str, prefix: str, statuses: dict[str, os.stat_result]) -> None:
    with os.scandir(folder) as entries:
        inside = sorted(entries, key=lambda entry: entry.name)
    for entry in inside:
        status = entry.stat(follow_symlinks=False)
        statuses[prefix + entry.name] = status
        if stat.S_ISDIR(status.st_mode):
            _scan(entry.path, f"{prefix}{entry.name}/", statuses)


def is_file(status: os.stat_result | None) -> bool:
    """Return whether this is the status of a regular file."""
    return status is not None and stat.S_ISREG(status.st_mode)


def is_folder(status: os.stat_result | None) -> bool:
    """Return whether this is the status of a folder. A link to a folder is not a folder."""
    return status is not None and stat.S_ISDIR(status.st_mode)


def is_link(status: os.stat_result | None) -> bool:
    """Return whether this is the status of a symbolic link."""
    return status is not None and stat.S_ISLNK(status.st_mode)


def status_of(path: str) -> os.stat_result | None:
    """Return a path's status without following links, or None if the path doesn't exist."""
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None


def take_along(source: str, destination: str, status: os.stat_result) -> None:
    """Recreate an entry at another path: a file as a hard link, a link as a link, a folder as an empty folder."""
    if is_folder(status):
        os.mkdir(destination)
        os.chmod(destination, stat.S_IMODE(status.st_mode) | stat.S_IRWXU)
    elif is_link(status):
        os.symlink(os.readlink(source), destination)
    else:
        _link_or_copy(source, destination, status)


def _link_or_copy(source: str, destination: str, status: os.stat_result) -> None:
    try:
        os.link(source, destination, follow_symlinks=False)
    except OSError:
        if not is_file(status):
            raise
        from shutil import copy2  # no hard links on this file system, or the file belongs to another user

        copy2(source, destination, follow_symlinks=False)


def discard(root: str, known: FolderEntries | None = None, rescue: str = "") -> None:
    """Remove a folder and its contents without following links.

    Entries that no longer match `known` were changed in the meantime. They are moved to `rescue` instead.
    """
    statuses = scan(root)
    for path, status in statuses.items():
        if is_folder(status) and status.st_mode & stat.S_IRWXU != stat.S_IRWXU:
            os.chmod(f"{root}/{path}", stat.S_IRWXU)  # entries in a read-only folder cannot be removed
    for path in reversed(statuses):
        status = statuses[path]
        if is_folder(status):
            os.rmdir(f"{root}/{path}")
        elif known is None or _is_unchanged(status, known.get(path)):
            os.unlink(f"{root}/{path}")
        else:
            _move(f"{root}/{path}", f"{rescue}/{path}")
    os.rmdir(root)


def _is_unchanged(status: os.stat_result, known: os.stat_result | None) -> bool:
    return known is not None and (status.st_ino, status.st_size, status.st_mtime_ns) == (
        known.st_ino,
        known.st_size,
        known.st_mtime_ns,
    )


def _move(source: str, destination: str) -> None:
    os.makedirs(os.path.dirname(destination), exist_ok=True)
    os.rename(source, free_name(destination))


def free_name(path: str, taken: Callable[[str], bool] = os.path.lexists) -> str:
    """Return the path if it is free, otherwise the path with the suffix `.edited`, `.edited-2` and so on."""
    endings = ("", ".edited", *(f".edited-{number}" for number in range(2, 1000)))
    return next(f"{path}{ending}" for ending in endings if not taken(f"{path}{ending}"))


def copied_from(path: str) -> str:
    """Return the name of the file that a `.edited` copy was made from, or "" for any other name."""
    original, ending, number = path.rpartition(".edited")
    return original if ending and (not number or re.fullmatch("-[0-9]+", number)) else ""
