"""Decides which Blob API requests an identity may send, based on its roles and their conditions.

Sources: https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-with-azure-active-directory and
https://learn.microsoft.com/en-us/azure/role-based-access-control/conditions-overview, 2026-11-27.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from tests.runtime.storage.azure_on_loopback.conditions import BLOBS, LIST, Request, holds

READ, WRITE, ADD, DELETE = f"{BLOBS}/read", f"{BLOBS}/write", f"{BLOBS}/add/action", f"{BLOBS}/delete"

_UNKNOWN = f"{BLOBS}/unknown"
_SOURCE = "x-ms-copy-source"


@dataclass(frozen=True, slots=True)
class Role:
    """A role on a container, with its allowed actions and the condition in its assignment."""

    container: str
    actions: tuple[str, ...]
    condition: str = ""

    def allows(self, container: str, request: Request) -> bool:
        """Return whether the role allows a request."""
        if container != self.container or request.action not in self.actions:
            return False
        return not self.condition or holds(self.condition, request)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the Blob API."""

    method: str
    target: str
    source: str = ""

    @property
    def container(self) -> str:
        return _split(self.target)[0]

    @property
    def blob(self) -> str:
        return _split(self.target)[1]

    def query(self, name: str) -> str:
        """Return a URL parameter, or an empty string if it is absent."""
        return parse_qs(urlsplit(self.target).query).get(name, [""])[0]


def refusal(call: Call, roles: Iterable[Role], exists: Callable[[], bool]) -> str:
    """Return Azure's error code, or "" if the roles allow the request. `exists` tells whether the blob exists."""
    every = tuple(roles)

    def allowed(container: str, request: Request) -> bool:
        return any(role.allows(container, request) for role in every)

    if not all(allowed(container, request) for container, request in _reads(call)):
        return "AuthorizationPermissionMismatch"
    if call.method != "PUT":
        return ""
    path = {"@Resource[:path]": call.blob}
    if call.blob and allowed(call.container, Request(WRITE, "", path)):
        return ""
    if not call.blob or call.query("comp") or not allowed(call.container, Request(ADD, "", path)):
        return "AuthorizationPermissionMismatch"
    return "UnauthorizedBlobOverwrite" if exists() else ""


def _reads(call: Call) -> Iterator[tuple[str, Request]]:
    """Yield the permissions a request needs in addition to writing the blob itself."""
    path = {"@Resource[:path]": call.blob}
    if call.source:
        container, blob = _split(urlsplit(call.source).path)
        yield container, Request(READ, "", {"@Resource[:path]": blob})
    if call.query("comp") == "list" and call.query("restype") == "container" and call.method == "GET":
        yield call.container, Request(READ, LIST, {"@Request[:prefix]": call.query("prefix")})
    elif call.method in {"GET", "HEAD"}:
        yield call.container, Request(READ if call.blob else _UNKNOWN, "", path)
    elif call.method != "PUT":
        yield call.container, Request(DELETE if call.method == "DELETE" and call.blob else _UNKNOWN, "", path)


def _split(target: str) -> tuple[str, str]:
    container, _, blob = unquote(urlsplit(target).path).removeprefix("/").partition("/")
    return container, blob
