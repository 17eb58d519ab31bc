"""Write a single file next to the spec atomically."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.emit import cannot_write, folder_in_the_way, link_in_the_way
from modelyard.disk.files import write_new
from modelyard.disk.folder_entries import is_file, is_link, status_of
from modelyard.regular_files import read


def write_file_atomically(path: Path, data: bytes) -> tuple[Diagnostic, ...]:
    """Write data to path atomically, unless the file already has this content. The folder must exist.

    A run killed at any moment leaves either the old text or the new one. The next run removes leftovers.
    """
    name = str(path)
    status = status_of(name)
    if status is not None and not is_file(status):
        return ((link_in_the_way if is_link(status) else folder_in_the_way)(name),)
    try:
        if status is None or read(name) != data:
            _replace(path, data)
    except OSError as error:
        return (cannot_write(name, error, is_output=False),)
    return ()


def _replace(path: Path, data: bytes) -> None:
    _clean(path)
    fresh = str(path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}"))
    try:
        write_new(fresh, data)
        file = os.open(fresh, os.O_RDWR)
        try:
            os.fsync(file)
        finally:
            os.close(file)
        os.replace(fresh, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(fresh)
        raise


def _clean(path: Path) -> None:
    """Remove the files that dead runs left next to path."""
    left = re.compile(rf"\.{re.escape(path.name)}\.(?P<process>[0-9]+)-[0-9a-f]{{8}}")
    for name in os.listdir(path.parent):
        match = left.fullmatch(name)
        if match and not _is_alive(int(match["process"])):
            with suppress(OSError):
                os.unlink(path.parent / name)


def _is_alive(process: int) -> bool:
    if os.name != "posix":
        return True  # on Windows, the check would kill the process
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
