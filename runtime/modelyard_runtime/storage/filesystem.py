"""Stores as one kind of filesystem, whatever protocol they speak: the scheme of a URI decides which driver opens it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.protocols import azure, disk, gcs, s3
from modelyard_runtime.storage.protocols.disk import Disk
from modelyard_runtime.storage.protocols.driver import Driver, Entry
from modelyard_runtime.workload.records import Store, Workload

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import fs

_UNKNOWN = Store(uri="")
"""A store that the description does not name: it is opened with what the Pod itself has."""

_Open: TypeAlias = Callable[[Store, SplitResult], tuple[Driver, str]]
_Variables: TypeAlias = Callable[[Store], dict[str, str]]

_PROTOCOLS: Final[Mapping[str, tuple[_Open, _Variables]]] = {
    "abfss": (azure.opened, azure.variables),
    "file": (disk.opened, disk.variables),
    "gs": (gcs.opened, gcs.variables),
    "s3": (s3.opened, s3.variables),
}
"""By scheme: what opens a URI, and the variables with which MLflow opens artifacts."""

SCHEMES: Final = tuple(f"{scheme}://" for scheme in _PROTOCOLS)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder or file: an open store, and a path within it."""

    driver: Driver
    path: str

    @property
    def filesystem(self) -> fs.FileSystem:
        """The filesystem of pyarrow that the path is one of."""
        return self.driver.filesystem

    def below(self, *parts: str) -> Place:
        """A place further down."""
        return Place(self.driver, "/".join((self.path.rstrip("/"), *parts)))

    def at(self, path: str) -> Place:
        """Another path of the same store."""
        return Place(self.driver, path)

    def folder(self) -> Place:
        """The folder that it is in."""
        return self.at(self.path.rpartition("/")[0])


def place(workload: Workload, uri: str, store: str = "") -> Place:
    """Where a URI of the description leads, opened with the credentials of its store."""
    return place_in(workload.stores.get(store, _UNKNOWN), uri)


def place_in(store: Store, uri: str) -> Place:
    """The same for a URI in one store."""
    parts = urlsplit(uri)
    opened, _ = _protocol(parts.scheme)
    return Place(*opened(store, parts))


def artifact_variables(store: Store) -> dict[str, str]:
    """The variables with which MLflow, which opens artifacts by itself, opens them in a store."""
    _, variables = _protocol(urlsplit(store.uri).scheme)
    return variables(store)


def _protocol(scheme: str) -> tuple[_Open, _Variables]:
    if scheme not in _PROTOCOLS:
        raise Refusal(f"{scheme}:// is not opened here; what can be opened is {', '.join(SCHEMES)}")
    return _PROTOCOLS[scheme]


def local(folder: Path) -> Place:
    """A folder of this machine."""
    return Place(Disk(), str(folder))


def is_local(where: Place) -> bool:
    """Whether a place is on this machine."""
    return where.driver.local


def first_files(where: Place, most: int, after: str = "") -> list[Entry]:
    """Files of a folder in the order of their names, from the first name beyond `after`, and about `most` of them."""
    return where.driver.first(where.path, most, after)


def listed(where: Place, *, recursive: bool = False) -> list[fs.FileInfo]:
    """What lies in a folder; nothing where there is no such folder."""
    return where.driver.listed(where.path, recursive=recursive)


def files(where: Place) -> list[fs.FileInfo]:
    """The files of a dataset in order: all below a folder, or the file itself; none where nothing lies there.

    Names that begin with `_` or `.` are passed over. A store is asked for a list before it is asked about the path: a
    workload may list its folders and no more, and to others S3 does not say whether an object exists.
    """
    from pyarrow import fs

    if is_local(where) and Path(where.path).is_file():
        return where.driver.single(where.path)
    below = [one for one in listed(where, recursive=True) if one.type == fs.FileType.File]
    if below or is_local(where):
        shown = [one for one in below if not _hidden(one.path.removeprefix(where.path))]
        return sorted(shown, key=lambda one: str(one.path))
    return where.driver.single(where.path)


def _hidden(path: str) -> bool:
    return any(part.startswith(("_", ".")) for part in path.split("/"))


@contextmanager
def reading(where: Place) -> Generator[pa.NativeFile]:
    """A file as a stream of bytes. Raises FileNotFoundError where there is none."""
    try:
        stream = where.filesystem.open_input_stream(where.path)
    except OSError as problem:
        if where.driver.is_missing(where.path, problem):
            raise FileNotFoundError(where.path) from None
        raise
    with stream:
        yield stream


def remove(where: Place) -> None:
    """Delete a file, if there is one."""
    where.driver.remove(where.path)


def remove_folder(where: Place) -> None:
    """Delete a folder and all below it."""
    where.driver.remove_folder(where.path)


def make_folder(where: Place) -> None:
    """A folder that can be written to. An object store has none, and its markers may be beyond a workload's rights."""
    if is_local(where):
        Path(where.path).mkdir(parents=True, exist_ok=True)


def move(where: Place, to: Place) -> None:
    """Give a file another name in its store, where what had that name is replaced."""
    where.driver.move(where.path, to.path)


def write_whole(where: Place, content: bytes) -> None:
    """Write one file; a reader sees what was there before or the whole of it."""
    where.driver.write(where.path, content)
