"""Runs Google Cloud Storage and its Security Token Service for workloads from another cluster.

python google_on_loopback.py KEY ISSUER NAMESPACE PROVIDER GRANTED

KEY is a file with the cluster's public key. The service exchanges tokens like the provider that modelyard creates, and
grants access to the bucket only to the ServiceAccount GRANTED. Prints its port, and then each request on its own line.

Source: https://docs.cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token, 2026-11-27.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
from gcp_storage_emulator.storage import Storage

from tests.runtime.gcs_emulator import BUCKET, Handler

AUDIENCE = "sts.googleapis.com"
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_JWT = "urn:ietf:params:oauth:token-type:jwt"
_ACCESS = "urn:ietf:params:oauth:token-type:access_token"


class Provider:
    """A workload identity pool provider.

    Defines which tokens it accepts, and keeps the ServiceAccount behind each issued token.
    """

    def __init__(self, key: str, issuer: str, namespace: str, name: str, granted: str) -> None:
        self._key, self._issuer, self._name, self.granted = key, issuer, name, granted
        self._prefix = f"system:serviceaccount:{namespace}:"
        self.issued: dict[str, str] = {}

    def exchange(self, form: dict[str, str]) -> str:
        """Exchange a cluster's token for an access token. Raises `ValueError` or `InvalidTokenError`."""
        if (form.get("grant_type"), form.get("subject_token_type")) != (_EXCHANGE, _JWT):
            raise ValueError("unsupported grant")
        if form.get("audience") != self._name:
            raise ValueError(f"there is no provider {form.get('audience')}")
        claims = jwt.decode(
            form["subject_token"], self._key, algorithms=["RS256"], audience=AUDIENCE, issuer=self._issuer
        )
        if not claims["sub"].startswith(self._prefix):
            raise ValueError("The given credential is rejected by the attribute condition.")
        token = f"ya29.{uuid.uuid4().hex}"
        self.issued[token] = claims["kubernetes.io"]["serviceaccount"]["name"]
        return token


class Federated(Handler):
    """The storage emulator, restricted so that only one identity can access the bucket."""

    def __init__(self, provider: Provider, *args: Any) -> None:
        self._provider = provider
        super().__init__(*args)

    def do_POST(self) -> None:
        if self.path == "/v1/token":
            self._exchange()
        else:
            super().do_POST()

    def _handle(self, handle: Callable[[], None]) -> None:
        who = self._provider.issued.get((self.headers.get("Authorization") or "").removeprefix("Bearer "))
        if who is None:
            self._answer(401, {"error": {"code": 401, "message": "Invalid Credentials", "errors": []}})
        elif who != self._provider.granted:
            message = f"{who} does not have storage.objects access to the bucket."
            self._answer(403, {"error": {"code": 403, "message": message, "errors": [{"reason": "forbidden"}]}})
        else:
            super()._handle(handle)

    def _exchange(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        try:
            token = self._provider.exchange({name: values[0] for name, values in parse_qs(body).items()})
        except (ValueError, KeyError, jwt.InvalidTokenError) as problem:
            self._answer(400, {"error": "invalid_grant", "error_description": str(problem)})
            return
        answer = {"access_token": token, "issued_token_type": _ACCESS, "token_type": "Bearer", "expires_in": 3600}
        self._answer(200, answer)

    def _answer(self, status: int, content: Mapping[str, object]) -> None:
        text = json.dumps(content).encode()
        self.rfile.read(0 if self.path == "/v1/token" else int(self.headers.get("Content-Length") or 0))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def main() -> None:
    """Serve one in-memory bucket until the process ends."""
    key, *rest = sys.argv[1:]
    storage = Storage(use_memory_fs=True)
    storage.create_bucket(BUCKET, {})
    handler: Any = Federated
    provider = Provider(Path(key).read_text(), *rest)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, provider, storage))
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
