"""A pyarrow filesystem based on Azure's own library.

Arrow's AzureFileSystem terminates the process if it gets no token, shows an empty object until a file is written,
requests permissions for the whole container, and reports failures with exceptions other than OSError.
"""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from pyarrow import fs

from modelyard_runtime.storage.protocols.azure_access import BLOCK, Account, failing_as_os_error

if TYPE_CHECKING:
    from typing_extensions import Buffer

_FOLDER: Final = "hdi_isfolder"
"""The metadata key of an object that represents a folder."""

_AHEAD: Final = 8 * 1024 * 1024
"""The number of bytes that a stream reads per request."""

_DELETES: Final = 8
_PAUSE_S: Final = 0.5
_COPY_S: Final = 600
"""The maximum duration of a copy within an account. Most copies complete immediately."""


class BlobFileSystem(fs.FileSystemHandler):  # type: ignore[misc]  # pyarrow has no types for it
    """The containers of an account. Paths have the form `container/name`, and errors are OSError.

    Folders are listed with a trailing slash in their name, as required by roles that are limited to folders. They exist
    as long as they contain a blob.
    """

    def __init__(self, account: Account) -> None:
        self._account = account

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BlobFileSystem) and self._account == other._account

    def __hash__(self) -> int:
        return hash(self._account)

    def get_type_name(self) -> str:
        return "abfss"

    def normalize_path(self, path: str) -> str:
        return path

    def get_file_info(self, paths: Sequence[str]) -> list[fs.FileInfo]:
        return [self._info(path) for path in paths]

    def get_file_info_selector(self, selector: fs.FileSelector) -> list[fs.FileInfo]:
        base = str(selector.base_dir).rstrip("/")
        entries = list(self.entries(base, recursive=bool(selector.recursive)))
        if not entries and not selector.allow_not_found:
            raise FileNotFoundError(base)
        return entries

    def entries(self, path: str, *, recursive: bool) -> Iterator[fs.FileInfo]:
        """Yield the contents of a folder, or nothing if it doesn't exist. Folders are omitted if `recursive` is set."""
        container, name = split(path)
        below = f"{name}/" if name else ""
        with suppress(FileNotFoundError), failing_as_os_error(path):
            opened = self._account.client().get_container_client(container)
            # in accounts with a hierarchical namespace, metadata identifies folders
            listing = opened.list_blobs if recursive else opened.walk_blobs
            for blob in listing(name_starts_with=below, include=["metadata"]):
                if blob.name == below:
                    continue
                if blob.name.endswith("/"):
                    if not recursive:
                        yield fs.FileInfo(f"{container}/{blob.name.rstrip('/')}", fs.FileType.Directory)
                elif not is_folder(blob):
                    yield _info_of(f"{container}/{blob.name}", blob)

    def create_dir(self, path: str, recursive: bool) -> None:
        """Do nothing, because blobs need no folders."""

    def delete_dir(self, path: str) -> None:
        self.delete_dir_contents(path)

    def delete_dir_contents(self, path: str, missing_dir_ok: bool = False) -> None:
        """Delete all blobs below a folder, including those that represent folders."""
        container, name = split(path)
        if not name:
            self.delete_root_dir_contents()
        with failing_as_os_error(path):
            opened = self._account.client().get_container_client(container)
            blobs = list(opened.list_blobs(name_starts_with=f"{name}/", include=["metadata"]))
        folders = [blob for blob in blobs if is_folder(blob)]
        files = [blob for blob in blobs if not is_folder(blob)]
        with ThreadPoolExecutor(_DELETES) as pool:
            list(pool.map(self.delete_file, [f"{container}/{blob.name}" for blob in files]))
        for folder in sorted((str(blob.name) for blob in folders), reverse=True):  # only empty folders can be deleted
            self.delete_file(f"{container}/{folder}")

    def delete_root_dir_contents(self) -> None:
        raise io.UnsupportedOperation("a whole container cannot be deleted: delete blobs by name")

    def delete_file(self, path: str) -> None:
        """Delete a blob, ignoring that another process may already have deleted it."""
        with suppress(FileNotFoundError), failing_as_os_error(path):
            self.blob(path).delete_blob()

    def move(self, src: str, dest: str) -> None:
        self.copy_file(src, dest)
        self.delete_file(src)

    def copy_file(self, src: str, dest: str) -> None:
        """Copy a blob within the account. The copy is made by Azure."""
        target = self.blob(dest)
        with failing_as_os_error(src):
            copy = target.start_copy_from_url(self.blob(src).url)
            until = time.monotonic() + _COPY_S
            while copy["copy_status"] == "pending" and time.monotonic() < until:
                time.sleep(_PAUSE_S)
                copy = {"copy_status": target.get_blob_properties().copy.status}
        if copy["copy_status"] != "success":
            raise OSError(f"Azure Blob Storage did not copy {src} to {dest}: {copy['copy_status']}")

    def open_input_stream(self, path: str) -> Any:
        return pa.PythonFile(io.BufferedReader(_Blob(self.blob(path), path), _AHEAD), mode="r")

    def open_input_file(self, path: str) -> Any:
        return pa.PythonFile(_Blob(self.blob(path), path), mode="r")

    def open_output_stream(self, path: str, metadata: dict[str, str]) -> Any:
        return pa.PythonFile(_NewBlob(self.blob(path), path), mode="w")

    def open_append_stream(self, path: str, metadata: dict[str, str]) -> Any:
        raise io.UnsupportedOperation(f"{path} cannot be appended to: blobs can only be written whole")

    def blob(self, path: str) -> Any:
        """Return a client for a blob."""
        return self._account.client().get_blob_client(*split(path))

    def file(self, path: str) -> fs.FileInfo | None:
        """Return the file at exactly this path, or None if there is none."""
        if split(path)[1]:
            with suppress(FileNotFoundError), failing_as_os_error(path):
                properties = self.blob(path).get_blob_properties()
                return None if is_folder(properties) else _info_of(path, properties)
        return None

    def _info(self, path: str) -> fs.FileInfo:
        path = path.rstrip("/")
        inside = self.file(path) or next(self.entries(path, recursive=False), None)
        if inside is None:
            return fs.FileInfo(path, fs.FileType.NotFound)
        return inside if inside.path == path else fs.FileInfo(path, fs.FileType.Directory)


def split(path: str) -> tuple[str, str]:
    """Return the container in a path, and the name within the container."""
    container, _, name = path.partition("/")
    return container, name


def is_folder(blob: Any) -> bool:
    """Return whether a blob represents a folder."""
    return (blob.metadata or {}).get(_FOLDER) == "true"


def _info_of(path: str, blob: Any) -> fs.FileInfo:
    return fs.FileInfo(path, fs.FileType.File, mtime=blob.last_modified, size=blob.size)


class _Blob(io.RawIOBase):
    """Reads ranges from one version of a blob. Requests fail if the blob has been replaced."""

    def __init__(self, blob: Any, path: str) -> None:
        self._blob, self._path, self._at = blob, path, 0
        with failing_as_os_error(path):
            properties = blob.get_blob_properties()
        self._size, self._version = int(properties.size), properties.etag

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Buffer) -> int:
        from azure.core import MatchConditions

        into = memoryview(buffer).cast("B")
        length = min(len(into), self._size - self._at)
        if length <= 0:
            return 0
        with failing_as_os_error(self._path):
            content = self._blob.download_blob(
                offset=self._at, length=length, etag=self._version, match_condition=MatchConditions.IfNotModified
            ).readall()
        into[:length] = content
        self._at += length
        return length


class _NewBlob:
    """Uploads blocks as they are written, and combines them into a blob on close.

    An incomplete blob is never visible. Azure deletes a killed writer's blocks after a week.
    """

    closed = False

    def __init__(self, blob: Any, path: str) -> None:
        self._blob, self._path = blob, path
        self._pending = bytearray()
        self._blocks: list[str] = []
        self._unique = uuid.uuid4().hex  # keeps the blocks of concurrent writers apart

    def write(self, content: Buffer) -> int:
        view = memoryview(content).cast("B")
        self._pending += view
        while len(self._pending) > BLOCK:
            self._stage(bytes(self._pending[:BLOCK]))
            del self._pending[:BLOCK]
        return len(view)

    def flush(self) -> None:
        """Do nothing, because blocks are uploaded once they are full."""

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        rest = bytes(self._pending)
        if not self._blocks:
            with failing_as_os_error(self._path):
                self._blob.upload_blob(rest, overwrite=True)
            return
        self._stage(rest)
        with failing_as_os_error(self._path):
            self._blob.commit_block_list(self._blocks)

    def _stage(self, block: bytes) -> None:
        name = f"{self._unique}-{len(self._blocks):05}"
        with failing_as_os_error(self._path):
            self._blob.stage_block(name, block)
        self._blocks.append(name)
