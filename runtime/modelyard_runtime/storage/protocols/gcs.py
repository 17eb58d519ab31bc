"""The driver for Google Cloud Storage, which uses the Pod's identity.

An endpoint without TLS is assumed to be an emulator and accessed anonymously.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from modelyard_runtime.storage.protocols.driver import Driver, Entry
from modelyard_runtime.workload.records import Store

if TYPE_CHECKING:
    from pyarrow import fs
    from typing_extensions import Buffer

_TRIED_FOR = timedelta(minutes=1)
"""A shorter time limit than the defaults of Arrow (a quarter of an hour) and of Google's library (two minutes)."""

_TIMEOUT_S = (5, 30)

_ONLY_IF_IT_EXISTS = ("storage.objects.delete", "retention policy")
"""Strings in the 403 error for an upload that would replace an object. Uploading a new object never causes either."""

_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
"""The OAuth scope of requests that read and write objects. Roles limit them further."""

_PAGE = 1000
"""The maximum number of names in one response."""


def opened(store: Store, uri: SplitResult) -> tuple[Driver, str]:
    """Open a URI's store, and return its driver and the path within the store."""
    return Gcs(store), f"{uri.netloc}{uri.path}".rstrip("/")


def variables(store: Store) -> dict[str, str]:
    """Return MLflow's artifact variables. Google's library finds the Pod's identity on its own."""
    return {"STORAGE_EMULATOR_HOST": store.endpoint} if _is_emulator(store) else {}


class _Enough(Exception):
    """Raised when all requested bytes have been received."""


class _Beginning(BytesIO):
    """A file that stops the download once it has enough bytes, as a range request would fail for an empty object."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def write(self, content: Buffer, /) -> int:
        count = super().write(content)
        if self.tell() > self._most:
            raise _Enough
        return count


class Gcs(Driver):
    """The buckets of Google Cloud Storage."""

    def __init__(self, store: Store) -> None:
        super().__init__(_filesystem(store))
        self._store = store

    @cached_property
    def client(self) -> Any:  # Google's library has no types
        """Return a client from Google's library, which caches its token and is thread-safe."""
        return _client(self._store)

    def listed(self, path: str, *, recursive: bool = False) -> list[fs.FileInfo]:
        """List a folder using Google's library, since Arrow would omit subfolders not represented by an object."""
        if recursive:
            return super().listed(path, recursive=True)
        try:
            return self._folder(path)
        except FileNotFoundError:  # the bucket does not exist, and Arrow would also return an empty list
            return []

    def _folder(self, path: str) -> list[fs.FileInfo]:
        from pyarrow import fs

        bucket, prefix = _split(path)
        with _failing_as_arrow():
            pages = self.client.list_blobs(bucket, prefix=prefix, delimiter="/", timeout=_TIMEOUT_S, retry=_retry())
            files = [
                fs.FileInfo(f"{bucket}/{blob.name}", fs.FileType.File, mtime=blob.updated, size=blob.size)
                for blob in pages
                if blob.name != prefix
            ]
            folders = [f"{bucket}/{name.rstrip('/')}" for name in sorted(pages.prefixes)]
        return [*files, *(fs.FileInfo(name, fs.FileType.Directory) for name in folders)]

    def first(self, path: str, most: int, after: str) -> list[Entry]:
        bucket, prefix = _split(path)
        entries: list[Entry] = []
        read = 0
        with _failing_as_arrow():
            listing = self.client.list_blobs(
                bucket,
                prefix=prefix,
                delimiter="/",
                start_offset=f"{prefix}{after}",
                page_size=min(most + 1, _PAGE),
                timeout=_TIMEOUT_S,
                retry=_retry(),
            )
            for page in listing.pages:
                blobs = list(page)
                entries += [Entry(str(blob.name).removeprefix(prefix), blob.updated) for blob in blobs]
                read += len(blobs) + len(page.prefixes)
                if read >= most:
                    break
        return [entry for entry in entries if entry.name > after]  # the listing includes the offset itself

    def read(self, path: str, most: int) -> bytes:
        bucket, _, name = path.partition("/")
        content = _Beginning(most)
        with _failing_as_arrow(), suppress(_Enough):
            self.client.bucket(bucket).blob(name).download_to_file(content, timeout=_TIMEOUT_S, retry=_retry())
        return content.getvalue()[:most]

    def write_once(self, path: str, content: bytes) -> None:
        """Create the object, succeeding if it already exists.

        Without permission to delete, or under a retention policy, an existing object can't be overwritten even with the
        same content. The service may check permissions before the condition, and a workload isn't permitted to check
        whether the object exists either. In this case, the response names a permission that is only required if the
        object exists.

        Source: https://docs.cloud.google.com/storage/docs/json_api/v1/objects/insert and /status-codes, 2026-11-27.
        """
        from google.api_core.exceptions import Forbidden, PreconditionFailed

        bucket, _, name = path.partition("/")
        with _failing_as_arrow():
            blob = self.client.bucket(bucket).blob(name)
            try:
                blob.upload_from_string(
                    content,
                    content_type="application/octet-stream",
                    if_generation_match=0,
                    timeout=_TIMEOUT_S,
                    retry=_retry(),
                )
            except PreconditionFailed:
                return
            except Forbidden as problem:
                if not any(sign in str(problem) for sign in _ONLY_IF_IT_EXISTS):
                    raise

    def single(self, path: str) -> list[fs.FileInfo]:
        try:
            return super().single(path)
        except PermissionError:
            return []

    def is_missing(self, path: str, problem: OSError) -> bool:
        """Return whether the file is missing. After a 403, this is checked by listing the file's folder.

        Google Cloud Storage responds with 403 instead of 404 if the client isn't allowed to list the bucket.

        Source: https://cloud.google.com/storage/docs/json_api/v1/status-codes, 2026-11-27.
        """
        if not isinstance(problem, PermissionError):
            return super().is_missing(path, problem)
        return path not in {info.path for info in self.listed(path.rpartition("/")[0])}

    def remove_folder(self, path: str) -> None:
        """Delete the contents of a folder.

        Arrow would report an empty folder as missing unless it's represented by an object.
        """
        self.filesystem.delete_dir_contents(path, missing_dir_ok=True)


def _split(path: str) -> tuple[str, str]:
    bucket, _, folder = path.partition("/")
    return bucket, f"{folder}/" if folder else ""


def _is_emulator(store: Store) -> bool:
    return urlsplit(store.endpoint).scheme == "http"


def _filesystem(store: Store) -> fs.GcsFileSystem:
    from pyarrow import fs

    endpoint = urlsplit(store.endpoint)
    return fs.GcsFileSystem(
        anonymous=_is_emulator(store),
        scheme=endpoint.scheme or "https",
        endpoint_override=endpoint.netloc or None,
        retry_time_limit=_TRIED_FOR,
    )


def _client(store: Store) -> Any:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.storage import Client

    credentials = AnonymousCredentials() if _is_emulator(store) else _federated()  # type: ignore[no-untyped-call]
    options = {"api_endpoint": store.endpoint} if store.endpoint else None
    return Client(project=None, credentials=credentials, client_options=options)


def _federated() -> Any:
    """Return the credentials of a Pod outside Google Cloud, or None if Google's library finds the Pod's own.

    The library would find these credentials too, but would then query another service for the name of their project,
    which the identity may not be permitted to know.
    """
    from google.auth.identity_pool import Credentials

    file = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS", "")
    if not file:
        return None
    try:
        with open(file, encoding="utf-8") as stream:
            configuration = json.load(stream)
    except (OSError, ValueError):
        return None  # the library reports what is wrong with the file
    if not isinstance(configuration, dict) or configuration.get("type") != "external_account":
        return None
    return Credentials.from_info(configuration, scopes=[_SCOPE])  # type: ignore[no-untyped-call]


def _retry() -> Any:
    from google.cloud.storage.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(_TRIED_FOR.total_seconds())


@contextmanager
def _failing_as_arrow() -> Generator[None]:
    """Convert Google's errors to the errors that Arrow would raise."""
    from google.api_core.exceptions import Forbidden, GoogleAPIError, NotFound
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import RequestException

    try:
        yield
    except NotFound as problem:
        raise FileNotFoundError(str(problem)) from None
    except Forbidden as problem:
        raise PermissionError(str(problem)) from None
    except (GoogleAPIError, GoogleAuthError, RequestException) as problem:
        raise OSError(f"Google Cloud Storage does not respond: {problem}") from problem
