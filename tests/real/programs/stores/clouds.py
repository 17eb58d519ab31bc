"""Run the object stores of three clouds at their real names, with the services that give Pods an identity.

python clouds.py FOLDER

FOLDER/clouds.json has the names of the stores, the cluster's kubectl and key, and the ServiceAccounts that have access.
Writes the authority's certificate and the IDs of Azure's identities, then serves. On the control port, `/seen` returns
the requests that were accepted, and `/captured` returns the number of captured rows in each store.

Sources, 2026-12-01: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html,
https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys.
"""

from __future__ import annotations

import io
import json
import os
import re
import ssl
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import boto3
import google.cloud.storage
import jwt
import pandas as pd
from azure.storage.blob import ContainerClient
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from gcp_storage_emulator import server as emulator
from gcp_storage_emulator.storage import Storage
from google.oauth2.credentials import Credentials
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from tests.runtime import gcs_emulator
from tests.runtime.storage.azure_on_loopback.certificates import HOSTS, Certificates
from tests.runtime.storage.azure_on_loopback.cloud import ACCOUNT, ACTIONS, KEY, azure_cloud, below
from tests.runtime.storage.azure_on_loopback.front import Front
from tests.runtime.storage.azure_on_loopback.front import Handler as AzureHandler
from tests.runtime.storage.azure_on_loopback.roles import Role

DEPLOYER: Final = "deployer"
"""The login with all permissions, which creates the stores and files that exist before the system."""

_HOUR: Final = timedelta(hours=1)
_folder = Path(sys.argv[1])
_given: Any = json.loads((_folder / "clouds.json").read_text())
_seen: list[tuple[str, str, str, str]] = []
_issued: dict[str, str] = {DEPLOYER: DEPLOYER}
"""The ServiceAccount, such as `hello-aws/churn`, to which each access key or access token was issued."""


def _claims(token: str, audience: str) -> Mapping[str, Any]:
    """Return the claims of a token that the cluster has projected into a Pod."""
    claims: Mapping[str, Any] = jwt.decode(
        token, _key().public_key(), algorithms=["RS256"], audience=audience, issuer=_given["issuer"]
    )
    return claims


@cache
def _key() -> rsa.RSAPrivateKey:
    """Return the cluster's token-signing key.

    Cached because the agent's clients time out after a second.
    """
    loaded = serialization.load_pem_private_key(Path(_given["key"]).read_bytes(), None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    return loaded


def _is_granted(cloud: str, login: str) -> bool:
    who = _issued.get(login, "")
    return who == DEPLOYER or who in _given["granted"][cloud]


def _note(cloud: str, who: str, method: str, path: str) -> None:
    if who != DEPLOYER:
        _seen.append((cloud, who, method, path))


class _Json(BaseHTTPRequestHandler):
    def answer(self, status: int, content: object, headers: Mapping[str, str] | None = None) -> None:
        """Send a JSON document or plain text."""
        text = (content if isinstance(content, str) else json.dumps(content)).encode()
        kind = "text/plain" if isinstance(content, str) else "application/json"
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Type": kind, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)


class PodIdentityAgent(_Json):
    """Simulates the EKS node agent that exchanges a Pod's token for its role's credentials."""

    def do_GET(self) -> None:
        try:
            claims = _claims(self.headers.get("Authorization", ""), "pods.eks.amazonaws.com")
        except jwt.InvalidTokenError as problem:
            self.answer(400, {"message": str(problem)})
            return
        account = claims["kubernetes.io"]
        key = f"ASIA{uuid.uuid4().hex[:16].upper()}"
        _issued[key] = f"{account['namespace']}/{account['serviceaccount']['name']}"
        ends = (datetime.now(UTC) + _HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = {"AccessKeyId": key, "SecretAccessKey": "secret", "Token": "session", "Expiration": ends}
        self.answer(200, {**made, "AccountId": "123456789012"})


class MetadataServer(_Json):
    """Simulates GKE's per-node metadata server, which identifies a Pod by its IP address."""

    def do_GET(self) -> None:
        path, headers = self.path.partition("?")[0], {"Metadata-Flavor": "Google", "Server": "GKE Metadata Server"}
        if path.endswith("/token"):
            token = f"ya29.{uuid.uuid4().hex}"
            _issued[token] = self._account()
            self.answer(200, {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}, headers)
        elif path.rstrip("/").endswith(("/service-accounts/default", f"/service-accounts/{_EMAIL}")):
            known = {"aliases": ["default"], "email": _EMAIL, "scopes": [_SCOPE]}
            self.answer(200, known, headers)
        elif path.endswith("/project/project-id"):
            self.answer(200, "acme-hello", headers)
        else:
            self.answer(404 if path != "/" else 200, "", headers)

    def _account(self) -> str:
        """Return the calling Pod's ServiceAccount, retrying until the API server knows the Pod's address."""
        here = ("--all-namespaces", f"--field-selector=status.podIP={self.client_address[0]}", "--output=json")
        for _ in range(20):
            found = subprocess.run([*_given["kubectl"], "get", "pods", *here], capture_output=True, check=True)
            for pod in json.loads(found.stdout)["items"]:
                if pod["status"]["phase"] not in {"Succeeded", "Failed"}:
                    return f"{pod['metadata']['namespace']}/{pod['spec']['serviceAccountName']}"
            time.sleep(0.5)
        raise LookupError(f"no Pod has the address {self.client_address[0]}")


_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_EMAIL = "acme-hello.svc.id.goog"
"""The name that GKE gives a workload that impersonates no service account. Clients use it instead of `default`."""


class Google(gcs_emulator.Handler):
    """A simulated Cloud Storage that accepts only identities with access."""

    def _handle(self, handle: Callable[[], None]) -> None:
        login = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if not _is_granted("gcp", login):
            self._refuse(401 if login not in _issued else 403, "forbidden", f"{_issued.get(login)} has no access")
            return
        _note("gcp", _issued[login], self.command, self.path)
        super()._handle(handle)


class Azure(AzureHandler):
    """Simulates Blob Storage and Entra ID for clients that connect without a proxy."""

    def _serve(self) -> None:
        self.host = self.headers["Host"].partition(":")[0]
        super()._serve()

    def _blobs(self, body: bytes) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            who = _issued[str(jwt.decode(token, options={"verify_signature": False})["appid"])]
        except (jwt.InvalidTokenError, KeyError):
            who = ""
        _note("azure", who, self.command, self.path)
        super()._blobs(body)


def _of_s3(application: Any) -> Callable[[Any, Any], Iterable[bytes]]:
    """Wrap a simulated S3 application so that it accepts only identities that were granted access."""

    def answered(request: Any, start: Any) -> Iterable[bytes]:
        found = re.search(r"Credential=([^/]+)/", request.get("HTTP_AUTHORIZATION", ""))
        login = found[1] if found else ""
        if not _is_granted("aws", login):
            start("403 Forbidden", [("Content-Type", "application/xml")])
            return [b"<Error><Code>AccessDenied</Code><Message>no identity policy allows this</Message></Error>"]
        _note("aws", _issued[login], request["REQUEST_METHOD"], f"{request['HTTP_HOST']}{request['PATH_INFO']}")
        parts: Iterable[bytes] = application(request, start)
        return parts

    return answered


class Control(_Json):
    """Responds to the test's own requests."""

    def do_GET(self) -> None:
        if self.path == "/seen":
            self.answer(200, _seen)
        elif self.path == "/captured":
            self.answer(200, {cloud: _rows(objects()) for cloud, objects in _CAPTURED.items()})
        else:
            self.answer(404, {})


def _rows(objects: Iterable[bytes]) -> int:
    return sum(len(pd.read_parquet(io.BytesIO(each))) for each in objects)


def _s3() -> Any:
    keys = {"aws_access_key_id": DEPLOYER, "aws_secret_access_key": DEPLOYER}
    return boto3.client("s3", region_name=_given["aws"]["region"], **keys)


def _bucket() -> Any:
    client: Any = google.cloud.storage.Client("acme-hello", Credentials(DEPLOYER))  # type: ignore[no-untyped-call]
    return client.bucket(_given["gcp"]["bucket"])


def _captured_on_s3() -> list[bytes]:
    bucket = _given["aws"]["bucket"]
    found = _s3().list_objects_v2(Bucket=bucket, Prefix="captures/").get("Contents", [])
    return [_s3().get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in found]


def _captured_on_google() -> list[bytes]:
    return [one.download_as_bytes() for one in _bucket().client.list_blobs(_bucket(), prefix="captures/")]


def _captured_on_azure() -> list[bytes]:
    return [_container.download_blob(one).readall() for one in _container.list_blob_names(name_starts_with="captures/")]


_CAPTURED = {"aws": _captured_on_s3, "gcp": _captured_on_google, "azure": _captured_on_azure}


def _put_model() -> None:
    """Upload the model's files to each store, as the model's vendor would."""
    s3, bucket = _s3(), _bucket()
    s3.create_bucket(
        Bucket=_given["aws"]["bucket"],
        CreateBucketConfiguration={"LocationConstraint": _given["aws"]["region"]},
    )
    model = Path(_given["model"])
    for file in sorted(one for one in model.rglob("*") if one.is_file()):
        name, content = f"bought/churn/{file.relative_to(model).as_posix()}", file.read_bytes()
        s3.put_object(Bucket=_given["aws"]["bucket"], Key=name, Body=content)
        bucket.blob(name).upload_from_string(content)
        _container.upload_blob(name, content)


def _serve(server: ThreadingHTTPServer, context: ssl.SSLContext | None = None) -> None:
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()


_certificates = Certificates(_folder, [*HOSTS, *_given["hosts"]])
_context = _certificates.of_server()
os.environ |= dict.fromkeys(("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"), str(_certificates.authority))
os.environ["AZURITE_ACCOUNTS"] = f"{ACCOUNT}:{KEY};{_given['azure']['account']}:{KEY}"
gcs_emulator.BUCKET = _given["gcp"]["bucket"]
for _name in ("base_url", "full_url"):  # the emulator assumes that no client uses TLS
    setattr(
        emulator.Request,
        _name,
        property(lambda self, name=_name: getattr(self, f"_{name}").replace("http://", "https://", 1)),
    )

(_folder / "azure").mkdir()
_key()
with azure_cloud(_folder / "azure") as cloud:
    at: Mapping[str, str] = _given["addresses"]
    cloud.entra.trust(_given["issuer"], _key())
    front = Front(cloud.entra, _certificates, cloud.front.azurite_port, (at["azure"], 443), Azure)
    front.socket = _context.wrap_socket(front.socket, server_side=True, do_handshake_on_connect=False)
    front.of_client = cloud.front.of_client
    identities: dict[str, str] = {}
    for account, modes in _given["granted"]["azure"].items():
        client = cloud.entra.accept(f"system:serviceaccount:{account.replace('/', ':')}", _given["issuer"])
        identities[account], _issued[client] = client, account
        front.roles[client] = tuple(
            Role(_given["azure"]["container"], ACTIONS[mode], below(folder, ACTIONS[mode]))
            for mode, folder in modes.items()
        )
    _container: Any = ContainerClient(
        f"{cloud.endpoint}/{_given['azure']['account']}",
        _given["azure"]["container"],
        credential=KEY,
        connection_verify=str(cloud.authority),
        use_env_settings=False,
    )
    _container.create_container()
    storage = Storage(use_memory_fs=True)
    storage.create_bucket(_given["gcp"]["bucket"], {})
    google_handler: Any = Google
    _serve(ThreadingHTTPServer((at["gcp"], 443), partial(google_handler, storage)), _context)
    s3_application = _of_s3(DomainDispatcherApplication(create_backend_app))
    s3_server = make_server(at["aws"], 443, s3_application, threaded=True, ssl_context=_context)
    threading.Thread(target=s3_server.serve_forever, daemon=True).start()
    _serve(ThreadingHTTPServer((at["agent"], 80), PodIdentityAgent))
    _serve(ThreadingHTTPServer((at["metadata"], 80), MetadataServer))
    _put_model()
    (_folder / "identities.json").write_text(json.dumps(identities))
    _serve(ThreadingHTTPServer((at["control"], 8099), Control))
    threading.Event().wait()
