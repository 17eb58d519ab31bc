"""A minimal Kubernetes API client for Pods, authenticated with the Pod's service account."""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

Object: TypeAlias = dict[str, "object"]
"""A Kubernetes object as JSON."""

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TIMEOUT_S = 30


class ApiError(Exception):
    """The API server refused the request with the given HTTP status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@dataclass(frozen=True, slots=True)
class ClusterApi:
    """A client for one namespace. The token is read on every call because the kubelet rotates it."""

    url: str
    namespace: str
    token_file: Path
    trust: ssl.SSLContext | None

    @classmethod
    def of_this_pod(cls) -> ClusterApi:
        """Return a client for the API server and namespace of this Pod."""
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
        url_host = f"[{host}]" if ":" in host else host
        trust = ssl.create_default_context(cafile=str(_ACCOUNT / "ca.crt"))
        namespace = (_ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
        return cls(f"https://{url_host}:{port}", namespace, _ACCOUNT / "token", trust)

    def get(self, resource: str, name: str) -> Object:
        """Get an object, for example `get("apis/ray.io/v1/rayjobs", "retrain-29")`."""
        return self._call("GET", self._path(resource, name), None)

    def list(self, resource: str, labels: str) -> list[Object]:
        """List the objects that match a label selector."""
        items = self._call("GET", f"{self._path(resource)}?labelSelector={quote(labels, safe='')}", None).get("items")
        return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []

    def create(self, resource: str, body: Object) -> Object:
        """Create an object and return it as stored by the server. Raises ApiError 409 if the name is taken."""
        return self._call("POST", f"{self._path(resource)}?fieldValidation=Strict", body)

    def delete(self, resource: str, name: str) -> None:
        """Delete an object, and its dependents in the background. Raises ApiError 404 if it doesn't exist."""
        self._call("DELETE", f"{self._path(resource, name)}?propagationPolicy=Background", None)

    def _path(self, resource: str, name: str = "") -> str:
        group, _, plural = resource.rpartition("/")
        path = f"/{group}/namespaces/{quote(self.namespace, safe='')}/{plural}"
        return f"{path}/{quote(name, safe='')}" if name else path

    def _call(self, method: str, path: str, body: Object | None) -> Object:
        token = self.token_file.read_text(encoding="utf-8").strip()
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S, context=self.trust) as answer:
                document = json.load(answer)
        except urllib.error.HTTPError as problem:
            raise ApiError(problem.code, _reason(problem.read())) from None
        return document if isinstance(document, dict) else {}


def _reason(body: bytes) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        return body[:200].decode("utf-8", "replace")
    return str(document.get("message", document)) if isinstance(document, dict) else str(document)
