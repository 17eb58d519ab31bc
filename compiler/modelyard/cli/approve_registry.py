"""MLflow requests for `modelyard approve`: read a version's tags, and add a tag."""

from __future__ import annotations

import base64
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException, IncompleteRead
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from modelyard.cli.approve import CannotApprove

_API = "/api/2.0/mlflow/model-versions"
_TIMEOUT_S = 30
_LONGEST = 8 * 2**20  # in bytes; a response contains tags with a few thousand characters each
_LOGIN = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
_NOT_MLFLOW = "the server is not MLflow, or something in front of it responds"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Rejects redirects, because credentials must only go to the address the user typed."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Return None so that urllib raises an HTTPError instead of following the redirect."""


def tags_of(registry: str, name: str, version: str) -> dict[str, str]:
    """Return the tags of a version."""
    query = urlencode({"name": name, "version": version})
    model_version = _response(registry, f"/get?{query}", None).get("model_version")
    tags = cast("dict[str, object]", model_version).get("tags", []) if isinstance(model_version, dict) else 0
    listed = cast("list[object]", [] if tags is None else tags if isinstance(tags, list) else [tags])
    if not all(isinstance(tag, dict) for tag in listed):
        raise CannotApprove(f"the registry's response does not describe a model version: {_NOT_MLFLOW}")
    return {str(tag.get("key")): str(tag.get("value")) for tag in cast("list[dict[str, object]]", listed)}


def keep(registry: str, name: str, version: str, tag: str, content: str) -> Mapping[str, str]:
    """Store an approval with a version, and return the version's tags read back from the registry."""
    _response(registry, "/set-tag", {"name": name, "version": version, "key": tag, "value": content})
    tags = tags_of(registry, name, version)
    if tags.get(tag) != content:
        raise CannotApprove(f"the registry accepted the approval but did not keep it: the tag {tag} differs")
    return tags


def checked(registry: str) -> str:
    """Validate a registry URL and strip its trailing slash. Error messages never contain its password."""
    example = "such as http://localhost:5000"
    if "@" in registry:
        raise CannotApprove(f"--registry contains a login, which others could read; remove it and set {_LOGIN}")
    if re.search(r"[^\x21-\x7e]", registry):
        raise CannotApprove(
            f"--registry contains a space or another character that URLs cannot contain; it must be a URL {example}"
        )
    try:
        parts = urlsplit(registry)
        host, _ = parts.hostname, parts.port
    except ValueError as problem:
        raise CannotApprove(f"--registry is not a URL {example}: {problem}") from None
    if parts.scheme not in {"http", "https"} or not host:
        bare = re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]+)?(/.*)?", registry)
        hint = f"did you mean http://{registry}?" if bare else f"use a URL {example}"
        raise CannotApprove(f"--registry must begin with http:// or https://; {hint}")
    if parts.query or parts.fragment:
        raise CannotApprove(f"--registry must be only MLflow's address, {example}, without a query or fragment")
    return registry.rstrip("/")


def one_line(text: str, longest: int) -> str:
    """Escape untrusted text for printing within a line, so that it cannot start a new one."""
    return " ".join(text.split())[:longest]


def _response(registry: str, call: str, body: dict[str, str] | None) -> dict[str, Any]:
    request = urllib.request.Request(f"{registry}{_API}{call}", None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    user, password = (os.environ.get(f"MLFLOW_TRACKING_{part}", "") for part in ("USERNAME", "PASSWORD"))
    if user:
        login = base64.b64encode(f"{user}:{password}".encode("utf-8", "surrogateescape")).decode()
        request.add_header("Authorization", f"Basic {login}")
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=_TIMEOUT_S) as answer:
            return _read(answer)
    except urllib.error.HTTPError as refused:
        raise CannotApprove(_refusal(refused, bool(user))) from None
    except urllib.error.URLError as problem:
        cause = problem.reason
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else cause
        raise CannotApprove(f"no response from {registry}: {reason}") from None
    except IncompleteRead:
        raise CannotApprove("the registry's response ends too early; try again") from None
    except (OSError, ValueError) as problem:
        raise CannotApprove(f"the registry at {registry} does not respond: {problem}") from None
    except HTTPException:
        raise CannotApprove(f"the server at {registry} does not use HTTP") from None


def _read(answer: Any) -> dict[str, Any]:
    content: bytes = answer.read(_LONGEST + 1)
    if len(content) > _LONGEST:
        raise CannotApprove(f"the registry's response exceeds {_LONGEST // 2**20} MiB: {_NOT_MLFLOW}")
    if answer.length:
        raise CannotApprove("the registry's response ends too early; try again")
    try:
        parsed: Any = json.loads(content)
    except (ValueError, RecursionError):
        kind = "with a web page" if content.lstrip()[:1] == b"<" else "with something that is not JSON"
        raise CannotApprove(f"the registry responds {kind}: {_NOT_MLFLOW}, such as a login page") from None
    if not isinstance(parsed, dict):
        raise CannotApprove(f"the registry's response is not in MLflow's format: {_NOT_MLFLOW}")
    return cast("dict[str, Any]", parsed)


def _refusal(refused: urllib.error.HTTPError, has_login: bool) -> str:
    """Return a one-line description of an error response."""
    if 300 <= refused.code < 400:
        location = one_line(str(refused.headers.get("Location", "")).partition("?")[0], 200)
        return (
            f"the registry redirects to {location or 'nowhere'}, but redirects are not followed, "
            "to keep the login private: use the final address"
        )
    try:
        message = json.loads(refused.read(10_000))["message"]
    except (OSError, HTTPException, ValueError, KeyError, TypeError, RecursionError):
        message = refused.reason
    hint = f"; set {_LOGIN}" if refused.code == 401 and not has_login else ""
    return f"the registry responds {refused.code}: {one_line(str(message), 500)}{hint}"
