"""A common file interface for all stores. The driver is selected by the URI scheme."""

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
"""A store that the description does not contain. It is accessed with the Pod's own credentials."""

_Open: TypeAlias = Callable[[Store, SplitResult], tuple[Driver, str]]
_Variables: TypeAlias = Callable[[Store], dict[str, str]]

_PROTOCOLS: Final[Mapping[str, tuple[_Open, _Variables]]] = {
    "abfss": (azure.opened, azure.variables),
    "file": (disk.opened, disk.variables),
    "gs": (gcs.opened, gcs.variables),
    "s3": (s3.opened, s3.variables),
}
"""The functions for each scheme that open a URI and return MLflow's environment variables for artifacts."""

SCHEMES: Final = tuple(f"{scheme}://" for scheme in _PROTOCOLS)


_CONTROL_FILE: Final = 64 * 1024 * 1024
"""A size in bytes that no pointer, state or list of files reaches."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder or file, given as an open store and a path in it."""

    driver: Driver
    path: str

    @property
    def filesystem(self) -> fs.FileSystem:
        """Return the pyarrow filesystem to which the path belongs."""
        return self.driver.filesystem

    def below(self, *parts: str) -> Place:
        """Return the place at a path below this place."""
        return Place(self.driver, "/".join((self.path.rstrip("/"), *parts)))

    def at(self, path: str) -> Place:
        """Return another path in the same store."""
        return Place(self.driver, path)

    def folder(self) -> Place:
        """Return the parent folder."""
        return self.at(self.path.rpartition("/")[0])


def place(workload: Workload, uri: str, store: str = "") -> Place:
    """Open a URI from the description, using the credentials of its store."""
    return place_in(workload.stores.get(store, _UNKNOWN), uri)


def place_in(store: Store, uri: str) -> Place:
    """Open a URI in a given store."""
    parts = urlsplit(uri)
    opened, _ = _protocol(parts.scheme)
    return Place(*opened(store, parts))


def artifact_variables(store: Store) -> dict[str, str]:
    """Return the environment variables MLflow needs to access artifacts in a store."""
    _, variables = _protocol(urlsplit(store.uri).scheme)
    return variables(store)


def _protocol(scheme: str) -> tuple[_Open, _Variables]:
    if scheme not in _PROTOCOLS:
        raise Refusal(f"{scheme}:// is not supported; supported: {', '.join(SCHEMES)}")
    return _PROTOCOLS[scheme]


def local(folder: Path) -> Place:
    """Return a folder on this machine."""
    return Place(Disk(), str(folder))


def is_local(where: Place) -> bool:
    """Return whether a place is on this machine."""
    return where.driver.local


def first_files(where: Place, most: int, after: str = "") -> list[Entry]:
    """Return about `most` files from a folder, sorted by name and starting after the name `after`."""
    return where.driver.first(where.path, most, after)


def listed(where: Place, *, recursive: bool = False) -> list[fs.FileInfo]:
    """Return the contents of a folder, or an empty list if it doesn't exist."""
    return where.driver.listed(where.path, recursive=recursive)


def files(where: Place) -> list[fs.FileInfo]:
    """Return a dataset's files in order, which are either all files in a folder or a single file.

    Names beginning with `_` or `.` are skipped. The folder is listed before the path itself is requested, because a
    workload may only have permission to list its folders. In that case, S3 doesn't reveal whether an object exists.
    """
    from pyarrow import fs

    if is_local(where) and Path(where.path).is_file():
        return where.driver.single(where.path)
    below = [info for info in listed(where, recursive=True) if info.type == fs.FileType.File]
    if below or is_local(where):
        visible = [info for info in below if not _hidden(info.path.removeprefix(where.path))]
        return sorted(visible, key=lambda info: str(info.path))
    return where.driver.single(where.path)


def _hidden(path: str) -> bool:
    return any(part.startswith(("_", ".")) for part in path.split("/"))


@contextmanager
def reading(where: Place) -> Generator[pa.NativeFile]:
    """Open a file as a byte stream. Raises FileNotFoundError if it doesn't exist."""
    try:
        stream = where.filesystem.open_input_stream(where.path)
    except OSError as problem:
        if where.driver.is_missing(where.path, problem):
            raise FileNotFoundError(where.path) from None
        raise
    with stream:
        yield stream


def read_whole(where: Place, most: int = _CONTROL_FILE) -> bytes:
    """Read up to `most` bytes of a small file, all from one version even if it is being replaced.

    Raises FileNotFoundError if the file doesn't exist.
    """
    try:
        return where.driver.read(where.path, most)
    except OSError as problem:
        if where.driver.is_missing(where.path, problem):
            raise FileNotFoundError(where.path) from None
        raise


def remove(where: Place) -> None:
    """Delete a file if it exists."""
    where.driver.remove(where.path)


def remove_folder(where: Place) -> None:
    """Delete a folder and its contents."""
    where.driver.remove_folder(where.path)


def make_folder(where: Place) -> None:
    """Create a folder on disk.

    Object stores need no folders, and workloads may not have permission to create markers.
    """
    if is_local(where):
        Path(where.path).mkdir(parents=True, exist_ok=True)


def move(where: Place, to: Place) -> None:
    """Rename a file within its store, replacing any existing file of that name."""
    where.driver.move(where.path, to.path)


def write_whole(where: Place, content: bytes) -> None:
    """Write a file atomically, so that readers see either the old file or the complete new one."""
    where.driver.write(where.path, content)


def write_once(where: Place, content: bytes) -> None:
    """Write a file whose name is only used for this content, unless an earlier attempt already did.

    Workloads that may only add files use this for everything they might write more than once.
    """
    where.driver.write_once(where.path, content)
