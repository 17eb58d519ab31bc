"""What a protocol of storage does: it opens a store, whose files are then handled alike whatever it speaks."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from modelyard_runtime.refusals import Refusal

if TYPE_CHECKING:
    from pyarrow import fs


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a folder."""

    name: str
    modified: datetime


class Driver(ABC):
    """A store that is open. Paths are those of its filesystem: `bucket/key` in object storage, else one of the disk.

    What pyarrow does right for most protocols is written here; a protocol overrides what differs. Failures are OSError.
    """

    local = False
    """Whether the store is a disk of this machine."""

    def __init__(self, filesystem: fs.FileSystem) -> None:
        self.filesystem = filesystem

    def __eq__(self, other: object) -> bool:
        """Whether both open the same store in the same way, as pyarrow compares its filesystems."""
        return isinstance(other, Driver) and bool(self.filesystem.equals(other.filesystem))

    def __hash__(self) -> int:
        return hash(self.filesystem.type_name)

    @abstractmethod
    def first(self, path: str, most: int, after: str) -> list[Entry]:
        """Files of a folder in the order of their names, from the first name beyond `after`.

        However many there are, about `most` names are read, those of folders among them; pyarrow has no such bound.
        """

    def listed(self, path: str, *, recursive: bool = False) -> list[fs.FileInfo]:
        """Files and folders in a folder, or all below it; nothing where there is no such folder."""
        from pyarrow import fs

        selected = fs.FileSelector(path, allow_not_found=True, recursive=recursive)
        return list(self.filesystem.get_file_info(selected))

    def single(self, path: str) -> list[fs.FileInfo]:
        """The file of just this path; nothing where there is none, or where one may not ask."""
        from pyarrow import fs

        info = self.filesystem.get_file_info(path)
        return [info] if info.type == fs.FileType.File else []

    def write(self, path: str, content: bytes) -> None:
        """Write one file; a reader sees what was there before or the whole of it.

        Object storage shows an object when it is complete, and has no folders that would have to be made, for which a
        workload may have no right.
        """
        with self.filesystem.open_output_stream(path) as stream:
            stream.write(content)

    def move(self, path: str, to: str) -> None:
        """Give a file another name in the same store. Object storage copies it, and deletes the original."""
        self.filesystem.move(path, to)

    def remove(self, path: str) -> None:
        """Delete a file, if there is one."""
        try:
            self.filesystem.delete_file(path)
        except OSError as problem:
            if not self.is_missing(path, problem):
                raise

    def remove_folder(self, path: str) -> None:
        """Delete a folder and all below it."""
        self.filesystem.delete_dir(path)

    def is_missing(self, path: str, problem: OSError) -> bool:
        """Whether a request failed because there is no such file."""
        return isinstance(problem, FileNotFoundError)


def from_environment(variable: str) -> str | None:
    """The value of a variable that a description names; None where it names none."""
    if not variable:
        return None
    value = os.environ.get(variable)
    if not value:
        raise Refusal(f"{variable} is not set; the description says that it opens a store")
    return value
