"""A proxy that acts as Azure's Entra ID and Blob Storage hosts, using a certificate for both.

Clients find it through HTTPS_PROXY. It forwards requests to Azurite if their tokens and roles allow them.
"""

from __future__ import annotations

import json
import ssl
import threading
import uuid
from collections.abc import Mapping
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, cast
from urllib.parse import quote, urlsplit

import jwt

from tests.runtime.storage.azure_on_loopback.certificates import Certificates
from tests.runtime.storage.azure_on_loopback.entra import HOST, STORAGE, TENANT, Entra
from tests.runtime.storage.azure_on_loopback.roles import Call, Role, refusal

MESSAGES: Final[Mapping[str, tuple[int, str]]] = {
    "AuthorizationPermissionMismatch": (
        403,
        "This request is not authorized to perform this operation using this permission.",
    ),
    "BlobImmutableDueToPolicy": (409, "This operation is not permitted as the blob is immutable due to a policy."),
    "EndpointUnsupportedAccountFeatures": (
        409,
        "This endpoint does not support BlobStorageEvents or SoftDelete. Please disable these account features if you "
        "would like to use this endpoint.",
    ),
    "InvalidAuthenticationInfo": (
        401,
        "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
    ),
    "NoAuthenticationInformation": (
        401,
        "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
    ),
    "UnauthorizedBlobOverwrite": (403, "This request is not authorized to perform blob overwrites."),
}
"""The status and message for Azure's error codes. The `.dfs.` hosts refuse accounts that keep deleted blobs.

Source: https://learn.microsoft.com/en-us/rest/api/storageservices/common-rest-api-error-codes and
/blob-service-error-codes, 2026-11-27.
"""

LOCKED: Final = "/locked/"
"""The folder whose blobs are under an immutability policy and cannot be overwritten or deleted."""

_CHALLENGE: Final = f"Bearer authorization_uri=https://{HOST}/{TENANT}/oauth2/authorize resource_id={STORAGE}"
_OF_A_CONNECTION: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


class Front(ThreadingHTTPServer):
    """The proxy. `roles` maps each identity to its roles, and `requests` lists the Blob Storage requests."""

    daemon_threads = True

    def __init__(
        self,
        entra: Entra,
        certificates: Certificates,
        azurite_port: int,
        address: tuple[str, int] = ("127.0.0.1", 0),
        handler: type[Handler] | None = None,
    ) -> None:
        super().__init__(address, handler or Handler)
        self.entra, self.azurite_port = entra, azurite_port
        self.of_server, self.of_client = certificates.of_server(), certificates.of_client()
        self.roles: dict[str, tuple[Role, ...]] = {}
        self.requests: list[str] = []
        self.unreachable: set[str] = set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Return the value for HTTPS_PROXY."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that close their connection."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    host = ""
    _upstream: HTTPSConnection | None = None

    @property
    def _front(self) -> Front:
        return cast("Front", self.server)

    def do_CONNECT(self) -> None:
        """Act as the host to which the client asks the proxy to connect it."""
        self.host = self.path.partition(":")[0]
        if self.host in self._front.unreachable:
            self._answer(504, {"Connection": "close"}, b"")
            self.close_connection = True
            return
        self.send_response_only(200)
        self.end_headers()
        self.request = self._front.of_server.wrap_socket(self.request, server_side=True)
        self.setup()
        self.close_connection = False

    def do_DELETE(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def _serve(self) -> None:
        """Respond to a request to the host named in `host`."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.host == HOST:
            status, answer = self._front.entra.answer(self.command, self.path, body)
            self._answer(status, {"Content-Type": "application/json"}, json.dumps(answer).encode())
        elif self.host.endswith(".blob.core.windows.net"):
            self._blobs(body)
        else:
            self._refuse("EndpointUnsupportedAccountFeatures")

    def finish(self) -> None:
        super().finish()
        if isinstance(self.request, ssl.SSLSocket):
            self.request.close()
        if self._upstream is not None:
            self._upstream.close()

    def _blobs(self, body: bytes) -> None:
        self._front.requests.append(f"{self.command} {self.path}")
        code = self._refusal()
        if code:
            self._refuse(code)
        else:
            status, headers, content = self._forward(self.command, self.path, dict(self.headers), body)
            self._answer(status, headers, content)

    def _refusal(self) -> str:
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer":
            return "NoAuthenticationInformation"
        try:
            client = self._front.entra.client_of(token)
        except jwt.InvalidTokenError:
            return "InvalidAuthenticationInfo"
        call = Call(self.command, self.path, self.headers.get("x-ms-copy-source", ""))
        code = refusal(call, self._front.roles.get(client, ()), self._exists)
        is_locked = LOCKED in call.blob and call.method in {"PUT", "DELETE"}
        return "BlobImmutableDueToPolicy" if not code and is_locked and self._exists() else code

    def _exists(self) -> bool:
        headers = {name: self.headers[name] for name in ("Host", "Authorization", "x-ms-version")}
        status, _, _ = self._forward("HEAD", quote(urlsplit(self.path).path, safe="/%"), headers, b"")
        return status == 200

    def _forward(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if self._upstream is None:
            self._upstream = HTTPSConnection("127.0.0.1", self._front.azurite_port, context=self._front.of_client)
        self._upstream.request(method, path, body, headers)
        response = self._upstream.getresponse()
        content = response.read()
        return response.status, dict(response.getheaders()), content

    def _refuse(self, code: str) -> None:
        status, message = MESSAGES[code]
        text = f"{message}\nRequestId:{uuid.uuid4()}"
        content = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{text}</Message></Error>'
        headers = {"Content-Type": "application/xml", "x-ms-error-code": code}
        if status == 401:
            headers["WWW-Authenticate"] = _CHALLENGE
        self._answer(status, headers, content.encode())

    def _answer(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        """Send a response. For HEAD, the length is the blob's length."""
        self.send_response_only(status)
        length = str(len(content))
        for name, value in headers.items():
            if name.lower() not in _OF_A_CONNECTION:
                self.send_header(name, value)
            elif name.lower() == "content-length" and self.command == "HEAD":
                length = value
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
