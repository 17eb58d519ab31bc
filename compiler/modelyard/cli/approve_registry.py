"""What `modelyard approve` asks of MLflow: the digest of a version, and a tag beside it."""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode

from modelyard.cli.approve import CannotApprove

_API = "/api/2.0/mlflow/model-versions"
_TIMEOUT_S = 30


def digest_of(registry: str, name: str, version: str | None) -> str:
    """The digest that training has kept with a version."""
    query = urlencode({"name": name, "version": _wanted(version)})
    found = _asked(f"{registry.rstrip('/')}{_API}/get?{query}", None)
    tags = {str(one.get("key")): str(one.get("value")) for one in found.get("model_version", {}).get("tags", [])}
    return tags.get("modelyard.digest", "")


def set_tag(registry: str, name: str, version: str | None, tag: str, content: str) -> None:
    """Lay an approval beside a version."""
    body = {"name": name, "version": _wanted(version), "key": tag, "value": content}
    _asked(f"{registry.rstrip('/')}{_API}/set-tag", body)


def _wanted(version: str | None) -> str:
    if not version:
        raise CannotApprove("say which version with --version")
    return version


def _asked(url: str, body: dict[str, str] | None) -> dict[str, Any]:
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    user, password = (os.environ.get(f"MLFLOW_TRACKING_{part}", "") for part in ("USERNAME", "PASSWORD"))
    if user:
        request.add_header("Authorization", f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            found: dict[str, Any] = json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as refused:
        raise CannotApprove(
            f"the registry answers {refused.code}: {refused.read(500).decode('utf-8', 'replace')}"
        ) from None
    except (OSError, ValueError) as problem:
        raise CannotApprove(f"the registry does not answer: {problem}") from None
    return found
