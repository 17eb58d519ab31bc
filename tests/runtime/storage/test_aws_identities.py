"""Tests that Pods in another cluster access AWS buckets with their tokens, using one-hour credentials.

Arrow's client calls the Security Token Service at an address that can't be changed, so only boto3 is tested here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from modelyard_runtime.storage.filesystem import Place, place_in, read_whole, write_whole
from modelyard_runtime.storage.protocols.s3 import S3
from modelyard_runtime.workload.records import Store
from tests.narrowing import present
from tests.runtime.object_store import BUCKET, ObjectStore

ISSUER = "https://container.googleapis.com/v1/projects/acme/locations/europe-west3/clusters/learn"
ROLE = "arn:aws:iam::123456789012:role/shop-retrain"
SUBJECT = "system:serviceaccount:shop:retrain"
KEY_ID = "ASIAFEDERATED0000000"


@dataclass
class Sts:
    """The Security Token Service, with one role that has the trust policy written by modelyard."""

    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    requests: int = 0

    def token(self, subject: str = SUBJECT, audience: str = "sts.amazonaws.com", issuer: str = ISSUER) -> str:
        """Return a token like the tokens that a cluster projects into a Pod."""
        now = int(time.time())
        claims = {"iss": issuer, "sub": subject, "aud": [audience], "iat": now, "exp": now + 3600}
        return jwt.encode(claims, self.key, algorithm="RS256")

    def answer(self, form: dict[str, str]) -> tuple[int, str]:
        """Respond to AssumeRoleWithWebIdentity requests.

        Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html, 2026-11-27.
        """
        self.requests += 1
        try:
            claims = jwt.decode(
                form["WebIdentityToken"],
                self.key.public_key(),
                algorithms=["RS256"],
                audience="sts.amazonaws.com",
                issuer=ISSUER,
            )
        except jwt.InvalidTokenError as problem:
            return 400, _error("InvalidIdentityToken", str(problem))
        if (form["RoleArn"], claims["sub"]) != (ROLE, SUBJECT):
            return 403, _error("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
        ends = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        credentials = (
            f"<AccessKeyId>{KEY_ID}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
            f"<SessionToken>session</SessionToken><Expiration>{ends}</Expiration>"
        )
        return 200, _wrapped(f"<Credentials>{credentials}</Credentials>", "Result", "Response")


def _wrapped(text: str, *ends: str) -> str:
    for end in ends:
        text = f"<AssumeRoleWithWebIdentity{end}>{text}</AssumeRoleWithWebIdentity{end}>"
    return text


def _error(code: str, message: str) -> str:
    described = f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
    return f"<ErrorResponse><Error>{described}</Error></ErrorResponse>"


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, sts: Sts, *args: Any) -> None:
        self._sts = sts
        super().__init__(*args)

    def do_POST(self) -> None:
        body = self.rfile.read(int(present(self.headers.get("Content-Length")))).decode()
        status, text = self._sts.answer({name: values[0] for name, values in parse_qs(body).items()})
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the base class
        """Print nothing."""


@pytest.fixture(scope="module")
def sts() -> Iterator[tuple[Sts, str]]:
    """Start the service, and return it with its address."""
    service = Sts()
    handler: Any = _Handler
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, service))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield service, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def bucket() -> Iterator[ObjectStore]:
    """Run an S3-compatible service."""
    service = ObjectStore()
    yield service
    service.cut()


@pytest.fixture
def lake(
    sts: tuple[Sts, str], bucket: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Place, Path]:
    """Open the bucket like a process in a Pod, with the environment variables modelyard sets."""
    token = tmp_path / "token"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts[1])
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")  # the service supports no other checksums
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # it would cache the credentials of an earlier test
    uri = f"s3://{BUCKET}/rows"
    return place_in(Store(uri=uri, endpoint=bucket.endpoint, region="eu-central-1"), uri), token


def test_pod_of_another_cluster_signs_with_the_role(lake: tuple[Place, Path], sts: tuple[Sts, str]) -> None:
    place, token = lake
    token.write_text(sts[0].token())
    assert isinstance(place.driver, S3)
    signed: list[str] = []
    place.driver.client.meta.events.register(
        "before-send.s3", lambda request, **_: signed.append(request.headers["Authorization"].decode())
    )

    write_whole(place.below("a.json"), b"1")
    assert read_whole(place.below("a.json")) == b"1"
    assert signed
    assert all(f"Credential={KEY_ID}/" in each for each in signed)


@pytest.mark.parametrize("wrong", ["subject", "audience", "issuer"])
def test_other_tokens_get_no_credentials(wrong: str, lake: tuple[Place, Path], sts: tuple[Sts, str]) -> None:
    place, token = lake
    other = {
        "subject": sts[0].token("system:serviceaccount:shop:scorer"),
        "audience": sts[0].token(audience="sts.googleapis.com"),
        "issuer": sts[0].token(issuer="https://oidc.example/other"),
    }
    token.write_text(other[wrong])
    before = sts[0].requests

    with pytest.raises(OSError, match="AssumeRoleWithWebIdentity"):
        read_whole(place.below("a.json"))
    assert sts[0].requests > before
