"""The driver for Azure Blob Storage, for accounts with and without a hierarchical namespace.

A URI contains the account and the container: `abfss://container@account.dfs.core.windows.net/path`. The credentials are
the Pod's identity or an account key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.protocols.azure_access import Account, code_of, failing_as_os_error
from modelyard_runtime.storage.protocols.driver import Driver, Entry
from modelyard_runtime.workload.records import Store

if TYPE_CHECKING:
    from pyarrow import fs

_PAGE: Final = 5000
"""The maximum number of names in one response."""

_EXISTS: Final = ("BlobAlreadyExists", "BlobImmutableDueToPolicy", "UnauthorizedBlobOverwrite")
"""Azure's codes for uploading an existing blob: in general, under a lock, and without permission to replace it."""


def opened(store: Store, uri: SplitResult) -> tuple[Driver, str]:
    """Open a URI's store, and return its driver and the path within the store."""
    container, account = account_of(uri, store)
    account.check()
    return Azure(account), f"{container}{uri.path}".rstrip("/")


def variables(store: Store) -> dict[str, str]:
    """Return no environment variables, since MLflow opens artifacts with the Pod's identity."""
    return {}


def account_of(uri: SplitResult, store: Store) -> tuple[str, Account]:
    """Return the container and account in a URI. The settings for opening the account come from `store`."""
    container, _, host = uri.netloc.partition("@")
    name, _, domain = host.partition(".dfs.")
    if not (container and name and domain):
        raise Refusal(f"{uri.geturl()} names no account: write abfss://container@account.dfs.core.windows.net/path")
    return container, Account(name, domain, store.endpoint, store.account_key_env)


class Azure(Driver):
    """The containers of one account."""

    def __init__(self, account: Account) -> None:
        from pyarrow import fs

        from modelyard_runtime.storage.protocols.azure_files import BlobFileSystem

        self._account, self._files = account, BlobFileSystem(account)
        super().__init__(fs.PyFileSystem(self._files))

    def first(self, path: str, most: int, after: str) -> list[Entry]:
        from modelyard_runtime.storage.protocols.azure_files import is_folder, split

        container, folder = split(path)
        prefix = f"{folder}/" if folder else ""
        listed: list[Any] = []
        with failing_as_os_error(path):
            listing = (
                self._account.client()
                .get_container_client(container)
                .walk_blobs(
                    prefix,
                    include=["metadata"],
                    delimiter="/",
                    start_from=f"{prefix}{after}",
                    results_per_page=min(most + 1, _PAGE),
                )
            )
            for page in listing.by_page():  # each page lists folders before files
                listed += page
                if len(listed) >= most:
                    break
        blobs = [blob for blob in listed if not blob.name.endswith("/") and not is_folder(blob)]
        entries = [Entry(str(blob.name).removeprefix(prefix), blob.last_modified) for blob in blobs]
        return [entry for entry in entries if entry.name > after]  # the listing includes the start name itself

    def listed(self, path: str, *, recursive: bool = False) -> list[fs.FileInfo]:
        return list(self._files.entries(path.rstrip("/"), recursive=recursive))

    def single(self, path: str) -> list[fs.FileInfo]:
        try:
            info = self._files.file(path)
        except PermissionError:
            return []
        return [] if info is None else [info]

    def read(self, path: str, most: int) -> bytes:
        with failing_as_os_error(path):
            content: bytes = self._files.blob(path).download_blob().read(most)
        return content

    def write(self, path: str, content: bytes) -> None:
        """Upload in one request, or in blocks that are committed together at the end."""
        with failing_as_os_error(path):
            self._files.blob(path).upload_blob(content, overwrite=True)

    def write_once(self, path: str, content: bytes) -> None:
        """Create the blob, succeeding if it already exists.

        An identity that may only add blobs gets a specific 403 error for an existing blob if its permissions are
        checked before the condition.

        Source: https://learn.microsoft.com/en-us/rest/api/storageservices/blob-service-error-codes, 2026-11-27.
        """
        from azure.core.exceptions import HttpResponseError

        from modelyard_runtime.storage.protocols.azure_files import split

        blob = self._account.client_for_one_request().get_blob_client(*split(path))
        with failing_as_os_error(path):
            try:
                blob.upload_blob(content, overwrite=False)
            except HttpResponseError as problem:
                if code_of(problem) not in _EXISTS:
                    raise

    def move(self, path: str, to: str) -> None:
        """Copy the file and delete the original, as renaming requires a hierarchical namespace."""
        self._files.move(path, to)

    def remove(self, path: str) -> None:
        self._files.delete_file(path)

    def remove_folder(self, path: str) -> None:
        self._files.delete_dir_contents(path)
