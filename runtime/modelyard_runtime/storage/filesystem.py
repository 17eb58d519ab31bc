"""Object stores and folders as one kind of filesystem: S3-compatible services, or local paths."""

from __future__ import annotations

import heapq
import os
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.records import Store, Workload

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import fs

_UNKNOWN = Store(uri="")
"""A store that the description does not name: it is opened with what the Pod itself has."""

_DENIED = "ACCESS_DENIED"
"""What Arrow writes into an error when S3 answers 403."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder or file: a filesystem of pyarrow and a path within it."""

    filesystem: fs.FileSystem
    path: str

    def below(self, *parts: str) -> Place:
        """A place further down."""
        return Place(self.filesystem, "/".join((self.path.rstrip("/"), *parts)))


def place(workload: Workload, uri: str, store: str = "") -> Place:
    """Where a URI of the description leads, opened with the credentials of its store."""
    return place_in(workload.stores.get(store, _UNKNOWN), uri)


def place_in(store: Store, uri: str) -> Place:
    """The same for a URI in one store."""
    from pyarrow import fs

    parts = urlsplit(uri)
    if parts.scheme == "s3":
        return Place(_s3(store), f"{parts.netloc}{parts.path}".rstrip("/"))
    if parts.scheme == "file":
        return Place(fs.LocalFileSystem(), unquote(parts.path).rstrip("/"))
    raise Refusal(f"{parts.scheme}:// is not opened here; use an S3-compatible store or file://")


def _s3(store: Store) -> fs.S3FileSystem:
    from pyarrow import fs

    endpoint = urlsplit(store.endpoint)
    return fs.S3FileSystem(
        access_key=_from_environment(store.access_key_id_env),
        secret_key=_from_environment(store.secret_access_key_env),
        region=store.region or os.environ.get("AWS_REGION") or "us-east-1",
        endpoint_override=endpoint.netloc or None,
        scheme=endpoint.scheme or "https",
        background_writes=True,
        allow_bucket_creation=False,
    )


def _from_environment(variable: str) -> str | None:
    if not variable:
        return None
    value = os.environ.get(variable)
    if not value:
        raise Refusal(f"{variable} is not set; the description says that it opens a store")
    return value


def local(folder: Path) -> Place:
    """A folder of this machine."""
    from pyarrow import fs

    return Place(fs.LocalFileSystem(), str(folder))


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a folder."""

    name: str
    modified: datetime


def first_files(workload: Workload, uri: str, store: str, most: int, after: str = "") -> list[Entry]:
    """Files of a folder in the order of their names, from the first name beyond `after`.

    However much others have written there, about `most` names are read, those of folders among them. Arrow's own list
    has no such bound.
    """
    parts = urlsplit(uri)
    if parts.scheme == "s3":
        opened = workload.stores.get(store, _UNKNOWN)
        return _first_objects(opened, parts.netloc, f"{parts.path.strip('/')}/", most, after)
    return _first_of_disk(Path(place(workload, uri, store).path), most, after)


def _first_objects(store: Store, bucket: str, prefix: str, most: int, after: str) -> list[Entry]:
    found: list[Entry] = []
    read = 0
    pages = _client(store).get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=bucket, Prefix=prefix, Delimiter="/", StartAfter=f"{prefix}{after}"):
        objects = page.get("Contents", [])
        found += [Entry(str(one["Key"]).removeprefix(prefix), one["LastModified"]) for one in objects]
        read += len(objects) + len(page.get("CommonPrefixes", []))
        if read >= most:
            break
    return [one for one in found if one.name]  # an empty name is the marker of the folder itself


def _client(store: Store) -> Any:  # boto3 types its clients at run time
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        aws_access_key_id=_from_environment(store.access_key_id_env),
        aws_secret_access_key=_from_environment(store.secret_access_key_env),
        region_name=store.region or os.environ.get("AWS_REGION") or "us-east-1",
        endpoint_url=store.endpoint or None,
        config=Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 3}),
    )


def _first_of_disk(folder: Path, most: int, after: str) -> list[Entry]:
    found: list[Entry] = []
    try:
        with os.scandir(folder) as entries:
            names = heapq.nsmallest(most, (one.name for one in entries if one.name > after))
    except FileNotFoundError:
        return []
    for name in names:
        path = folder / name
        if path.is_file():
            found.append(Entry(name, datetime.fromtimestamp(path.stat().st_mtime, UTC)))
    return found


def is_local(where: Place) -> bool:
    """Whether a place is on this machine."""
    from pyarrow import fs

    return isinstance(where.filesystem, fs.LocalFileSystem)


def listed(where: Place, *, recursive: bool = False) -> list[fs.FileInfo]:
    """What lies in a folder; nothing where there is no such folder."""
    from pyarrow import fs

    selected = fs.FileSelector(where.path, allow_not_found=True, recursive=recursive)
    return list(where.filesystem.get_file_info(selected))


def files(where: Place) -> list[fs.FileInfo]:
    """The files of a dataset in order: all below a folder, or the file itself; none where nothing lies there.

    Names that begin with `_` or `.` are passed over. A store is asked for a list before it is asked about the path: a
    workload may list its folders and no more, and to others S3 does not say whether an object exists.
    """
    from pyarrow import fs

    if is_local(where) and Path(where.path).is_file():
        return [where.filesystem.get_file_info(where.path)]
    below = [one for one in listed(where, recursive=True) if one.type == fs.FileType.File]
    if below or is_local(where):
        shown = [one for one in below if not _hidden(one.path.removeprefix(where.path))]
        return sorted(shown, key=lambda one: str(one.path))
    try:
        info = where.filesystem.get_file_info(where.path)
    except OSError as problem:
        if _DENIED not in str(problem):
            raise
        return []
    return [info] if info.type == fs.FileType.File else []


def _hidden(path: str) -> bool:
    return any(part.startswith(("_", ".")) for part in path.split("/"))


@contextmanager
def reading(where: Place) -> Generator[pa.NativeFile]:
    """A file as a stream of bytes. Raises FileNotFoundError where there is none."""
    try:
        stream = where.filesystem.open_input_stream(where.path)
    except OSError as problem:
        if _is_missing(where, problem):
            raise FileNotFoundError(where.path) from None
        raise
    with stream:
        yield stream


def remove(where: Place) -> None:
    """Delete a file, if there is one."""
    try:
        where.filesystem.delete_file(where.path)
    except OSError as problem:
        if not _is_missing(where, problem):
            raise


def _is_missing(where: Place, problem: OSError) -> bool:
    """Whether a request failed because there is no such file.

    S3 answers 403 instead of 404 to those who may not list the bucket with the key as the prefix: the folder of the
    file, which a workload may list, decides then.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html, 2026-11-25.
    """
    if isinstance(problem, FileNotFoundError):
        return True
    if _DENIED not in str(problem):
        return False
    folder = Place(where.filesystem, where.path.rpartition("/")[0])
    return where.path not in {one.path for one in listed(folder)}


def make_folder(where: Place) -> None:
    """A folder that can be written to. An object store has none, and its markers may be beyond a workload's rights."""
    if is_local(where):
        Path(where.path).mkdir(parents=True, exist_ok=True)


def write_whole(where: Place, content: bytes) -> None:
    """Write one file; a reader sees what was there before or the whole of it.

    An object store shows an object when it is complete, and has no folders that would have to be made, for which a
    workload may have no right. On a disk the file is written beside and renamed.
    """
    if not is_local(where):
        with where.filesystem.open_output_stream(where.path) as stream:
            stream.write(content)
        return
    path = Path(where.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f"_{uuid.uuid4().hex}")  # readers of datasets and captures pass over it
    try:
        write_durably(staged, content)
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)


def write_durably(path: Path, content: bytes) -> None:
    """Write a file of a disk that may lose its power: it is on the disk before what follows says that it is there."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
