"""Find the bucket folders that a system uses for data, and overlaps between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias
from urllib.parse import urlsplit

from modelyard.checks.regions import regions
from modelyard.records import record
from modelyard.source import Path, Span
from modelyard.spec import Dataset, Store, System

_Key: TypeAlias = tuple[str, tuple[str, ...]]


@record
class Folder:
    """A folder in a bucket, with a name for messages and its location in the spec."""

    what: str  # "dataset 'transactions'"
    bucket: str
    parts: tuple[str, ...]
    path: Path  # in the spec

    @property
    def address(self) -> str:
        """The folder's address for messages."""
        return "/".join(self.parts) or "the whole bucket"


def bucket_of(store: Store) -> str:
    """Return a bucket's identity: the service and bucket name if it is adopted, otherwise the store name."""
    if not store.adopt:
        return f"stores.{store.name}"
    host = urlsplit(store.endpoint).netloc.lower().removesuffix(":443")
    service = "" if host and regions().is_cloud_storage(host) else host
    return f"{store.type} {service}/{store.adopt}"


def folder_of(system: System, data: Dataset) -> Folder:
    """Return a dataset's folder, given by either its store and path or its URI."""
    if data.store:
        place, bucket, path = "path", bucket_of(system.stores[data.store]), data.path
    else:
        parts = urlsplit(data.uri)
        place, path = "uri", parts.path
        bucket = f"object /{parts.netloc}" if parts.scheme == "s3" else f"{parts.scheme}://{parts.netloc}"
    return Folder(f"dataset '{data.name}'", bucket, _parts(path), ("data", data.name, place))


def captures(system: System) -> Iterator[Folder]:
    """Yield the folders of captured requests."""
    for inference in system.inference.values():
        if inference.capture:
            bucket, path = bucket_of(system.stores[inference.capture.store]), inference.capture.path
            place = ("inference", inference.name, "capture", "path")
            yield Folder(f"captures of endpoint '{inference.name}'", bucket, _parts(path), place)


def artifacts(system: System) -> Iterator[Folder]:
    """Yield the folder of the registry's artifacts, if the registry runs in this system."""
    registry = system.registry
    if registry is not None and registry.artifacts:
        bucket = bucket_of(system.stores[registry.artifacts])
        yield Folder("artifacts of the registry", bucket, _parts(registry.artifact_path), ("registry", "artifactPath"))


def written_at(system: System, path: Path) -> Span:
    """Return the span of the value at a path, falling back to its parent's key if the spec doesn't set it."""
    return system.at(*path) if path[-1] in system.written(*path[:-1]) else system.key(*path[:-1])


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part not in {"", "."})


class Folders:
    """An index of folders that finds overlaps in one step per path segment."""

    def __init__(self, folders: Iterable[Folder] = ()) -> None:
        self._exact: dict[_Key, Folder] = {}
        self._above: dict[_Key, Folder] = {}  # by parent folder
        for folder in folders:
            self.add(folder)

    def add(self, folder: Folder) -> None:
        """Add a folder, unless an equal folder is already present."""
        *above, exact = _prefixes(folder)
        self._exact.setdefault(exact, folder)
        for key in above:
            self._above.setdefault(key, folder)

    def equal(self, folder: Folder) -> Folder | None:
        """Find a folder equal to the given one."""
        return self._exact.get((folder.bucket, folder.parts))

    def nested(self, folder: Folder) -> Folder | None:
        """Find a folder that is inside the given one or contains it."""
        *above, exact = _prefixes(folder)
        around = (self._exact[key] for key in above if key in self._exact)
        return self._above.get(exact) or next(around, None)

    def overlapping(self, folder: Folder) -> Folder | None:
        """Find a folder that is equal to the given one, inside it, or around it."""
        return self.equal(folder) or self.nested(folder)


def _prefixes(folder: Folder) -> Iterator[_Key]:
    return ((folder.bucket, folder.parts[:length]) for length in range(len(folder.parts) + 1))
