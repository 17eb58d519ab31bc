"""Tests that only Pods with the granted identity can access Google Cloud buckets from another cluster."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import jwt
import pyarrow as pa
import pyarrow.dataset as arrow_dataset
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from modelyard_runtime.storage.filesystem import Place, files, listed, place_in, read_whole, write_whole
from modelyard_runtime.storage.protocols import gcs
from modelyard_runtime.workload.records import Store
from tests.runtime import google_on_loopback

ISSUER = "https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF"
PROVIDER = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/my-shop/providers/cluster"
NAMESPACE, ACCOUNT = "shop", "retrain"
AUDIENCE = google_on_loopback.AUDIENCE
_STARTED_S = 60


@dataclass(frozen=True, slots=True)
class Google:
    """The storage and token service, and the key of the cluster that it trusts."""

    endpoint: str
    key: rsa.RSAPrivateKey

    def token(
        self,
        account: str = ACCOUNT,
        *,
        namespace: str = NAMESPACE,
        audience: str = AUDIENCE,
        issuer: str = ISSUER,
        key: rsa.RSAPrivateKey | None = None,
    ) -> str:
        """Return a token like the tokens that a cluster projects into a Pod."""
        now = int(time.time())
        claims = {
            "iss": issuer,
            "sub": f"system:serviceaccount:{namespace}:{account}",
            "aud": [audience],
            "iat": now,
            "exp": now + 3600,
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": account, "uid": "1"}},
        }
        return jwt.encode(claims, key or self.key, algorithm="RS256")


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Google]:
    """Run the storage and token service, trusting one namespace of a cluster on AWS."""
    folder = tmp_path_factory.mktemp("google")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = folder / "key.pem"
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    log = folder / "requests.log"
    arguments = [str(public), ISSUER, NAMESPACE, PROVIDER, ACCOUNT]
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", google_on_loopback.__name__, *arguments],
            stdout=stream,
            stderr=subprocess.STDOUT,
            cwd=Path(__file__).parents[3],
        )
    try:
        yield Google(f"http://127.0.0.1:{_port(process, log)}", key)
    finally:
        process.kill()
        process.wait()


def _port(process: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + _STARTED_S
    while time.monotonic() < until and process.poll() is None:
        if match := re.search(r"^(\d+)$", log.read_text(), re.MULTILINE):
            return match[1]
        time.sleep(0.1)
    raise RuntimeError(f"the service does not start: {log.read_text()}")


In = Callable[[str], Place]


@pytest.fixture
def lake_in(google: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> In:
    """Open the bucket like a process in a Pod with the given token, using the mounted credentials file.

    The service has no TLS, which otherwise marks an emulator without identities.
    """

    def opened(token: str) -> Place:
        (tmp_path / "token").write_text(token)
        credentials = {
            "type": "external_account",
            "audience": PROVIDER,
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": f"{google.endpoint}/v1/token",
            "credential_source": {"file": str(tmp_path / "token")},
        }
        (tmp_path / "credentials.json").write_text(json.dumps(credentials))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "credentials.json"))
        monkeypatch.setattr(gcs, "_is_emulator", lambda store: False)
        uri = f"gs://{google_on_loopback.BUCKET}/rows"
        return place_in(Store(uri=uri, endpoint=google.endpoint), uri)

    return opened


def test_pod_of_another_cluster_reads_and_writes(google: Google, lake_in: In) -> None:
    """Both Google's client and Arrow's, which reads datasets, find the Pod's identity."""
    place = lake_in(google.token())

    write_whole(place.below("a.json"), b"1")
    assert read_whole(place.below("a.json")) == b"1"
    assert [file.base_name for file in listed(place)] == ["a.json"]

    table, folder = pa.table({"a": [1, 2]}), place.below("table").path
    arrow_dataset.write_dataset(table, folder, filesystem=place.filesystem, format="parquet", create_dir=False)
    assert [file.base_name for file in files(place.below("table"))] == ["part-0.parquet"]
    assert arrow_dataset.dataset(folder, filesystem=place.filesystem, format="parquet").to_table() == table


@pytest.mark.parametrize("wrong", ["audience", "issuer", "namespace", "key", "account"])
def test_other_tokens_open_nothing(wrong: str, google: Google, lake_in: In) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    token = {
        "audience": google.token(audience="sts.amazonaws.com"),
        "issuer": google.token(issuer="https://oidc.eks.eu-central-1.amazonaws.com/id/FEDCBA9876543210"),
        "namespace": google.token(namespace="other"),
        "key": google.token(key=other),
        "account": google.token("scorer"),
    }[wrong]
    place = lake_in(token)

    with pytest.raises(OSError, match=r"rejected|not have|invalid_grant"):
        read_whole(place.below("a.json"))
