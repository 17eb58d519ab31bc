"""Opens Azure Blob Storage accounts with a Pod's identity, and describes Azure's errors.

AKS gives Pods with a workload identity four environment variables and a file with a ServiceAccount token, which
Microsoft Entra ID exchanges for a token that is valid for an hour. Azure's library renews both before they expire.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.protocols.driver import from_environment

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError

_VARIABLES: Final = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE")
_AUTHORITY: Final = "AZURE_AUTHORITY_HOST"
_PUBLIC_CLOUD: Final = "https://login.microsoftonline.com/"

_RETRIES = 3
_BACKOFF_S: Final = 1
"""The first pause before a retry. Azure's default is a quarter of a minute."""

_CONNECT_S: Final = 5
_READ_S: Final = 30
"""Timeouts. By default, a request to Entra ID that a network policy drops waits for five minutes."""

BLOCK: Final = 8 * 1024 * 1024
"""The block size of a larger blob, which may have 50,000 blocks. A retry uploads one block again."""

_MOST_AT_ONCE: Final = 5000 * 1024 * 1024
"""The maximum size in bytes of a blob that Azure accepts in one request."""

_DENIED: Final[Mapping[str, str]] = {
    "AuthorizationPermissionMismatch": "no role of this identity allows this; new roles take a few minutes to work",
    "AuthorizationFailure": "the account does not accept requests from this network, or with this kind of login",
    "AuthorizationSourceIPMismatch": "the account does not accept requests from this network",
    "KeyBasedAuthenticationNotPermitted": "the account does not accept keys",
    "InsufficientAccountPermissions": "no role of this identity allows it",
    "UnauthorizedBlobOverwrite": "the identity may add files, but not replace any",
}
"""The meaning of the error codes in Azure's 403 responses, for the owner of a workload."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A workload identity, consisting of its Entra ID settings and the path of the ServiceAccount token."""

    client: str
    tenant: str
    token_file: str
    authority: str

    @classmethod
    def of_this_pod(cls) -> Identity:
        """Return the identity that AKS gave this Pod. Refuse a Pod that has none."""
        missing = [name for name in _VARIABLES if not os.environ.get(name)]
        if missing:
            raise Refusal(
                f"{' and '.join(missing)} not set, so this Pod has no identity for Azure: it needs the label "
                "azure.workload.identity/use, and its ServiceAccount the annotation azure.workload.identity/client-id"
            )
        client, tenant, token_file = (os.environ[name] for name in _VARIABLES)
        return cls(client, tenant, token_file, os.environ.get(_AUTHORITY) or _PUBLIC_CLOUD)


@dataclass(frozen=True, slots=True)
class Account:
    """A storage account, and the variable containing its key if it isn't opened with the Pod's identity."""

    name: str
    domain: str
    endpoint: str = ""
    key_env: str = ""

    @property
    def url(self) -> str:
        """Return the address of the Blob API.

        The account's other API, at `.dfs.`, refuses accounts that keep versions or deleted blobs and have no
        hierarchical namespace.
        """
        return f"{self.endpoint}/{self.name}" if self.endpoint else f"https://{self.name}.blob.{self.domain}"

    def check(self) -> None:
        """Refuse an account for which this Pod has neither a key nor an identity."""
        self._login()

    def client(self) -> Any:
        """Return an Azure client that is shared by all threads of this process."""
        return _client(self.url, self._login())

    def client_for_one_request(self) -> Any:
        """Return a client that uploads each blob in one request, as permission to add blobs doesn't cover blocks.

        Source: https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-with-azure-active-directory,
        2026-11-27.
        """
        return _client(self.url, self._login(), _MOST_AT_ONCE)

    def _login(self) -> str | Identity:
        return from_environment(self.key_env) or Identity.of_this_pod()


@cache
def _client(url: str, login: str | Identity, most_at_once: int = BLOCK) -> Any:
    """Create only one client per login, since each client requests its own token."""
    from azure.storage.blob import BlobServiceClient

    logging.getLogger("azure").setLevel(logging.WARNING)  # at level INFO, it logs all headers of every request
    return BlobServiceClient(
        url,
        credential=login if isinstance(login, str) else _credential(login),
        retry_total=_RETRIES,
        initial_backoff=_BACKOFF_S,
        max_single_put_size=most_at_once,
        max_block_size=BLOCK,
        connection_timeout=_CONNECT_S,
        read_timeout=_READ_S,
    )


@cache
def _credential(identity: Identity) -> _Credential:
    return _Credential(identity)


class _Credential:
    """The credential of a workload identity, without any fallback.

    With a fallback, as in Azure's default credential, it would query the node's metadata service, which Pods can't
    reach. Failures are raised as OSError because Azure's clients would repeat a request without a token for a minute,
    and because a missing token must not look like a missing blob.
    """

    def __init__(self, identity: Identity) -> None:
        from azure.identity import WorkloadIdentityCredential

        self._identity = identity
        self._credential = WorkloadIdentityCredential(
            tenant_id=identity.tenant,
            client_id=identity.client,
            token_file_path=identity.token_file,
            authority=identity.authority,
            retry_total=_RETRIES,
            connection_timeout=_CONNECT_S,
            read_timeout=_READ_S,
        )

    def get_token(self, *scopes: str, **options: Any) -> Any:
        """Return a token in the form that Azure's clients expect from a credential."""
        with self._failing_as_os_error():
            return self._credential.get_token(*scopes, **options)

    def get_token_info(self, *scopes: str, **options: Any) -> Any:
        """Return a token together with the time at which it must be replaced."""
        with self._failing_as_os_error():
            return self._credential.get_token_info(*scopes, **options)

    @contextmanager
    def _failing_as_os_error(self) -> Generator[None]:
        from azure.core.exceptions import AzureError

        try:
            yield
        except (AzureError, OSError) as problem:
            reason = f"there is no Azure token for the identity {self._identity.client}: {_first_line(problem)}"
            raise OSError(reason) from problem


@contextmanager
def failing_as_os_error(path: str) -> Generator[None]:
    """Convert Azure's errors to FileNotFoundError, PermissionError or another OSError that describes the reason."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

    try:
        yield
    except ResourceNotFoundError as problem:
        raise FileNotFoundError(f"{path}: {_first_line(problem)}") from None
    except ClientAuthenticationError as problem:
        reason = f"Azure Blob Storage does not accept the login for {path}: {_first_line(problem)}"
        raise OSError(reason) from problem
    except HttpResponseError as problem:
        raise _refused(path, problem) from problem
    except AzureError as problem:
        raise OSError(f"Azure Blob Storage does not respond: {problem}") from problem


def code_of(problem: HttpResponseError) -> str:
    """Return the error code from Azure Blob Storage, or "" if the error isn't one of its responses."""
    code: Any = getattr(problem, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _refused(path: str, problem: HttpResponseError) -> OSError:
    code = code_of(problem)
    if problem.status_code == 412:
        return OSError(f"{path} was replaced while it was being read")
    if problem.status_code == 403:
        meaning = _DENIED.get(code, _first_line(problem))
        return PermissionError(f"Azure Blob Storage denies access to {path}: {code}: {meaning}")
    return OSError(f"Azure Blob Storage failed for {path}: {code}: {_first_line(problem)}")


def _first_line(problem: Exception) -> str:
    """Return the message without the request's identifiers, which are still in the chained exception."""
    return str(problem).partition("\n")[0]
