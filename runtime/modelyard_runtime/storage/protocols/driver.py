"""The interface of storage drivers, which provide the same file operations for all stores."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from modelyard_runtime.refusals import Refusal

if TYPE_CHECKING:
    from pyarrow import fs


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a folder."""

    name: str
    modified: datetime


class Driver(ABC):
    """An open store. Paths are `bucket/key` in object storage, and disk paths otherwise.

    The default methods use pyarrow. Drivers override those that don't work for their protocol. Errors are OSError.
    """

    local = False
    """Whether the store is a disk on this machine."""

    def __init__(self, filesystem: fs.FileSystem) -> None:
        self.filesystem = filesystem

    def __eq__(self, other: object) -> bool:
        """Return whether both drivers access the same store in the same way, based on their pyarrow filesystems."""
        return isinstance(other, Driver) and bool(self.filesystem.equals(other.filesystem))

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the cloud library's client, which each process creates for itself."""
        return {name: value for name, value in self.__dict__.items() if name != "client"}

    def __hash__(self) -> int:
        return hash(self.filesystem.type_name)

    @abstractmethod
    def first(self, path: str, most: int, after: str) -> list[Entry]:
        """Return the files in a folder, sorted by name and starting after the name `after`.

        At most about `most` names, including those of folders, are read from the store. pyarrow has no such limit.
        """

    def listed(self, path: str, *, recursive: bool = False) -> list[fs.FileInfo]:
        """Return the contents of a folder, optionally including subfolders, or an empty list if it doesn't exist."""
        from pyarrow import fs

        selected = fs.FileSelector(path, allow_not_found=True, recursive=recursive)
        return list(self.filesystem.get_file_info(selected))

    def single(self, path: str) -> list[fs.FileInfo]:
        """Return the file at exactly this path, or an empty list if it doesn't exist or access is denied."""
        from pyarrow import fs

        info = self.filesystem.get_file_info(path)
        return [info] if info.type == fs.FileType.File else []

    def read(self, path: str, most: int) -> bytes:
        """Read up to `most` bytes of a file, all from the same version.

        On disk, a process that has opened a file continues to read the old version after the file is replaced. In
        object storage, everything has to be returned by a single request, because Arrow requests the size and the
        content separately, and would mix two versions if the object is replaced in between.
        """
        with self.filesystem.open_input_stream(path) as stream:
            content: bytes = stream.read(most)
        return content

    def write(self, path: str, content: bytes) -> None:
        """Write a file atomically, so that readers see either the old file or the complete new one.

        In object storage, an object becomes visible once it is complete. No folders are created, since object storage
        doesn't need them and a workload may not have the permission.
        """
        with self.filesystem.open_output_stream(path) as stream:
            stream.write(content)

    def write_once(self, path: str, content: bytes) -> None:
        """Write a file whose name is only used for this content, unless an earlier attempt already did.

        This is for workloads that may add but not replace files, and must be able to repeat an attempt. By default, the
        file is replaced with the same content, which all stores except Google's allow.
        """
        self.write(path, content)

    def move(self, path: str, to: str) -> None:
        """Rename a file within its store. Object storage copies it and deletes the original."""
        self.filesystem.move(path, to)

    def remove(self, path: str) -> None:
        """Delete a file if it exists."""
        try:
            self.filesystem.delete_file(path)
        except OSError as problem:
            if not self.is_missing(path, problem):
                raise

    def remove_folder(self, path: str) -> None:
        """Delete a folder and its contents if the folder exists."""
        with suppress(FileNotFoundError):
            self.filesystem.delete_dir(path)

    def is_missing(self, path: str, problem: OSError) -> bool:
        """Return whether a request failed because the file does not exist."""
        return isinstance(problem, FileNotFoundError)


def from_environment(variable: str) -> str | None:
    """Return the value of an environment variable, or None if `variable` is empty."""
    if not variable:
        return None
    value = os.environ.get(variable)
    if not value:
        raise Refusal(f"{variable} is not set; the workload description needs it to log in to a store")
    return value
