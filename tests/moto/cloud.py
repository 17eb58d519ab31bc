"""Runs moto's server, an independent implementation of AWS, on loopback. IAM is only enforced after test setup."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from urllib.request import Request, urlopen

from tests.moto.server import MotoServer

REGION = "eu-central-1"

_boto3: Any = import_module("boto3")  # boto3 has no types
_Config: Any = import_module("botocore.config").Config
_ClientError: Any = import_module("botocore.exceptions").ClientError

_PLAIN = {"Content-Type": "text/plain"}  # if the body had a form's content type, moto would not see it
_NO_AUTH = "test"  # credentials that moto does not check before IAM is enforced


class Cloud:
    """The server's address, with clients for its services."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def client(self, service: str, credentials: dict[str, str] | None = None) -> Any:
        """Return a client for a service, with unlimited rights unless it uses the given credentials.

        If credentials are given, IAM checks them.
        """
        known = credentials or {"AccessKeyId": _NO_AUTH, "SecretAccessKey": _NO_AUTH}
        return _boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=known["AccessKeyId"],
            aws_secret_access_key=known["SecretAccessKey"],
            aws_session_token=known.get("SessionToken"),
            config=_Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    @contextmanager
    def enforced(self) -> Generator[None]:
        """Enforce IAM for every request until the end of the block."""
        before = self._enforce_after("0")
        try:
            yield
        finally:
            self._enforce_after(before)

    def _enforce_after(self, requests: str) -> str:
        request = Request(f"{self.endpoint}/moto-api/reset-auth", data=requests.encode(), headers=_PLAIN)
        with urlopen(request, timeout=10) as answer:
            return str(json.loads(answer.read())["PREVIOUS_INITIAL_NO_AUTH_ACTION_COUNT"])


@contextmanager
def running() -> Generator[Cloud]:
    """Run a server without resources on its own port."""
    server = MotoServer()
    try:
        yield Cloud(server.endpoint)
    finally:
        server.cut()


def permitted(attempt: Any) -> bool:
    """Return whether IAM permitted or denied a call. Any other failure is an error in the test."""
    try:
        attempt()
    except _ClientError as problem:
        code = problem.response["Error"]["Code"]
        if code in ("403", "AccessDenied", "AccessDeniedException"):
            return False
        raise
    return True
