"""Move a new tree into place in one step, under a lock, and clean up after killed runs."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress

from modelyard.disk.folder_entries import discard, is_folder, status_of
from modelyard.patterns import pattern

LOCK = ".modelyard.lock"
PATIENCE_S = 60.0
"""How many seconds a run waits for another run that is writing to the same folder."""

_PAUSE_S = 0.02
_STAGING = pattern(r"\.(?P<target>.+)\.[0-9]+-[0-9a-f]{8}(?P<aside>\.old)?")
_ASIDE = ".old"
_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2), Linux 3.15
_HERE = -100  # AT_FDCWD
_CANNOT_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}


class OutputBusyError(Exception):
    """Raised if another run does not release the lock in time."""


def staging_folder(root: str) -> str:
    """Return a unique path next to root for the tree that will replace it."""
    parent, target = os.path.split(root)
    return f"{parent}/.{target}.{os.getpid()}-{os.urandom(4).hex()}"


@contextmanager
def locked(out: str) -> Generator[None]:
    """Lock the output folder so that only this run writes there. The lock ends with the process; its file remains."""
    os.makedirs(out, exist_ok=True)
    file = _acquire(f"{out}/{LOCK}", time.monotonic() + PATIENCE_S)
    try:
        yield
    finally:
        os.close(file)


@contextmanager
def locked_folder(folder: str) -> Generator[None]:
    """Lock an existing folder directly, without leaving a lock file in it. Does nothing on Windows."""
    if sys.platform == "win32":
        yield
        return
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        until = time.monotonic() + PATIENCE_S
        while not _lock(file):
            if time.monotonic() > until:
                raise OutputBusyError
            time.sleep(_PAUSE_S)
        yield
    finally:
        os.close(file)


def _acquire(path: str, until: float) -> int:
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            if _lock(file) and _is_same(file, path):
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)
        if time.monotonic() > until:
            raise OutputBusyError
        time.sleep(_PAUSE_S)


def _lock(file: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _is_same(file: int, path: str) -> bool:
    """Return whether path still refers to the locked file. Its folder may have been removed while we waited."""
    status = status_of(path)
    return status is not None and os.path.samestat(os.fstat(file), status)


def clean(environment_folder: str) -> None:
    """Remove leftovers of crashed runs. The caller must hold the lock, so that no other process is writing.

    If a run renamed a tree but didn't replace it, the old tree is restored first.
    """
    if is_folder(status_of(environment_folder)):
        for name in sorted(os.listdir(environment_folder)):
            match = _STAGING.fullmatch(name)
            path = f"{environment_folder}/{name}"
            if match is None or not is_folder(status_of(path)):
                continue
            root = f"{environment_folder}/{match['target']}"
            if match["aside"] and not os.path.lexists(root):
                os.rename(path, root)
                continue
            with suppress(OSError):  # writing works without the cleanup
                discard(path)


def sync(folder: str) -> None:
    """Flush the whole file system to disk in one call, before the rename."""
    if sys.platform == "linux":
        import ctypes

        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if ctypes.CDLL(None, use_errno=True).syncfs(file) == 0:
                return
        except AttributeError:
            pass  # this C library has no syncfs
        finally:
            os.close(file)
    if hasattr(os, "sync"):
        os.sync()


def switch(folder: str, root: str) -> bool:
    """Move the folder to root, swapping it with any existing root. Returns whether there was one."""
    if status_of(root) is None:
        os.rename(folder, root)
        return False
    if not _exchange(folder, root):
        _rename_twice(folder, root)
    return True


def _exchange(folder: str, other: str) -> bool:
    """Exchange two folders atomically. Returns False if the system or file system doesn't support this."""
    if sys.platform != "linux":
        return False
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    try:
        failed = library.renameat2(_HERE, os.fsencode(folder), _HERE, os.fsencode(other), ctypes.c_uint(_EXCHANGE))
    except AttributeError:
        return False  # this C library has no renameat2
    if not failed:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), other)


def _rename_twice(folder: str, root: str) -> None:
    """Exchange folders by renaming twice. If the run dies in between, root is missing until `clean` restores it."""
    aside = folder + _ASIDE
    try:
        os.rename(root, aside)
        os.rename(folder, root)
    except BaseException:
        if not os.path.lexists(root):
            os.rename(aside, root)
        raise
    os.rename(aside, folder)
