"""The driver for Azure Blob Storage, for accounts with and without a hierarchical namespace.

A URI contains the account and the container: `abfss://container@account.dfs.core.windows.net/path`. Credentials are the
Pod's identity or an account key.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.protocols.driver import Driver, Entry, from_environment
from modelyard_runtime.workload.records import Store

if TYPE_CHECKING:
    from pyarrow import fs

_FOLDER = "hdi_isfolder"
"""The metadata key of an object that represents a folder."""

_RETRIES = 3

_PAGE = 5000
"""The maximum number of names in one response."""


def opened(store: Store, uri: SplitResult) -> tuple[Driver, str]:
    """Open the store of a URI, and return its driver and the path in it."""
    container, _, host = uri.netloc.partition("@")
    account, _, domain = host.partition(".dfs.")
    if not (container and account and domain):
        raise Refusal(f"{uri.geturl()} names no account: write abfss://container@account.dfs.core.windows.net/path")
    return Azure(store, account, domain), f"{container}{uri.path}".rstrip("/")


def variables(store: Store) -> dict[str, str]:
    """Return no environment variables for MLflow, because Azure's library finds the Pod's identity by itself."""
    return {}


class Azure(Driver):
    """The containers of one account."""

    def __init__(self, store: Store, account: str, domain: str) -> None:
        super().__init__(_filesystem(store, account, domain))
        self._key_env = store.account_key_env
        self._url = f"{store.endpoint}/{account}" if store.endpoint else f"https://{account}.blob.{domain}"

    def first(self, path: str, most: int, after: str) -> list[Entry]:
        container, _, folder = path.partition("/")
        prefix = f"{folder}/" if folder else ""
        found: list[Any] = []
        with _failing_as_arrow():
            listing = self.client.get_container_client(container).walk_blobs(
                prefix,
                include=["metadata"],
                delimiter="/",
                start_from=f"{prefix}{after}",
                results_per_page=min(most + 1, _PAGE),
            )
            for page in listing.by_page():  # each page has its folders before its files
                found += page
                if len(found) >= most:
                    break
        files = [one for one in found if not one.name.endswith("/") and not _is_folder(one)]
        entries = [Entry(str(one.name).removeprefix(prefix), one.last_modified) for one in files]
        return [one for one in entries if one.name > after]  # the listing includes the start name itself

    def read(self, path: str, most: int) -> bytes:
        with _failing_as_arrow():
            content: bytes = self._blob(path).download_blob().read(most)
        return content

    def write(self, path: str, content: bytes) -> None:
        """Upload in one request, or in blocks that are committed at the end.

        Arrow would create an empty object first.
        """
        with _failing_as_arrow():
            self._blob(path).upload_blob(content, overwrite=True)

    def move(self, path: str, to: str) -> None:
        """Copy the file and delete the original.

        Arrow's rename needs a hierarchical namespace and an existing folder.
        """
        self.filesystem.copy_file(path, to)
        self.remove(path)

    def remove(self, path: str) -> None:
        """Delete the file directly. Arrow would also create an object for the parent folder."""
        with suppress(FileNotFoundError), _failing_as_arrow():
            self._blob(path).delete_blob()

    def _blob(self, path: str) -> Any:
        container, _, name = path.partition("/")
        return self.client.get_blob_client(container, name)

    @cached_property
    def client(self) -> Any:
        """Return a client of Azure's library, which caches its token and can be used by several threads."""
        from azure.storage.blob import BlobServiceClient

        return BlobServiceClient(
            self._url, credential=from_environment(self._key_env) or _identity(), retry_total=_RETRIES
        )


def _is_folder(blob: Any) -> bool:
    return (blob.metadata or {}).get(_FOLDER) == "true"


def _identity() -> Any:
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


def _filesystem(store: Store, account: str, domain: str) -> fs.AzureFileSystem:
    from pyarrow import fs

    endpoint = urlsplit(store.endpoint)
    return fs.AzureFileSystem(
        account_name=account,
        account_key=from_environment(store.account_key_env),
        blob_storage_authority=endpoint.netloc or f".blob.{domain}",
        dfs_storage_authority=endpoint.netloc or f".dfs.{domain}",
        blob_storage_scheme=endpoint.scheme or "https",
        dfs_storage_scheme=endpoint.scheme or "https",
    )


@contextmanager
def _failing_as_arrow() -> Generator[None]:
    """Convert Azure's errors to the errors that Arrow raises."""
    from azure.core.exceptions import AzureError, ResourceNotFoundError

    try:
        yield
    except ResourceNotFoundError as problem:
        raise FileNotFoundError(str(problem)) from None
    except AzureError as problem:
        raise OSError(f"Azure Blob Storage does not answer: {problem}") from problem
