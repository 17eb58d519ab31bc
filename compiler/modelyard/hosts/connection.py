"""Requests to a code host's REST API, with a token that is never printed or sent anywhere else."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from http.client import HTTPException
from typing import Any, Final, TypeAlias, cast
from urllib.parse import urlsplit

from modelyard.records import field, record

_TIMEOUT_S: Final = 30
_LONGEST: Final = 64 * 2**20
_TRIES: Final = 4
_LONGEST_PAUSE_S: Final = 60.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})

Json: TypeAlias = Any
"""A response from an API. Code that reads it checks its structure."""


class HostError(Exception):
    """Raised if the host rejects a request or does not respond. `again_after_s` is set if a retry may help."""

    def __init__(self, reason: str, status: int = 0, again_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.status, self.again_after_s = status, again_after_s


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Rejects redirects, because urllib would send the token along."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Return None so that urllib raises an HTTPError instead."""


@record
class Connection:
    """An API's base URL, and the header that contains the token."""

    url: str
    header: str
    secret: str = field(repr=False)

    def send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Json:
        """Send one request and return the parsed response, or None if it is empty."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", content, method=method)
        request.add_header("Accept", "application/json")
        request.add_header("Content-Type", "application/json")
        request.add_header("User-Agent", "modelyard")
        request.add_unredirected_header(self.header, self.secret)
        try:
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=_TIMEOUT_S) as answer:
                return _parsed(answer.read(_LONGEST + 1))
        except urllib.error.HTTPError as refused:
            with refused:
                raise _refusal(refused, method, path) from None
        except (OSError, HTTPException) as problem:
            cause = getattr(problem, "reason", problem)
            reason = getattr(cause, "strerror", None) or type(cause).__name__
            raise HostError(f"no answer from {self.url}: {reason}", again_after_s=0.0) from None


def connection(url: str, header: str, secret: str) -> Connection:
    """Return a connection. Raises HostError if the token could be intercepted or would inject a header."""
    if not _is_private(url):
        raise HostError("the address of the API must be a URL that begins with https://")
    if re.search(r"[^\x21-\x7e ]", secret):
        raise HostError("the token contains a character that a header cannot contain")
    return Connection(url.rstrip("/"), header, secret)


def part(value: Json, *path: str) -> Json:
    """Return the value at a path in a response, or None if the response lacks it."""
    for name in path:
        value = cast("dict[str, Json]", value).get(name) if isinstance(value, dict) else None
    return value


def rows(value: Json) -> list[Json]:
    """Return the response as a list. Raises HostError if it is not a list."""
    if not isinstance(value, list):
        raise HostError("the host's answer does not match its API documentation")
    return list(cast("Iterable[Json]", value))


def _is_private(url: str) -> bool:
    """Return whether requests to this URL cannot be intercepted, because they use TLS or stay on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))


def repeated(call: Callable[[], str]) -> str:
    """Retry a function while the host is overloaded or unresponsive, with at most four calls in total.

    The function must start with a read. Otherwise, a creation that succeeded without a response would be repeated.
    """
    for attempt in range(_TRIES):
        try:
            return call()
        except HostError as problem:
            if problem.again_after_s is None or attempt == _TRIES - 1:
                raise
            time.sleep(min(max(problem.again_after_s, 2.0**attempt), _LONGEST_PAUSE_S))
    raise AssertionError


def _parsed(content: bytes) -> Json:
    if len(content) > _LONGEST:
        raise HostError(f"the host's answer exceeds {_LONGEST // 2**20} MiB")
    if not content.strip():
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise HostError("the host does not answer with JSON: something in front of it responds") from None


def _refusal(refused: urllib.error.HTTPError, method: str, path: str) -> HostError:
    """Return the error for a response, without the body, which may contain what was sent."""
    if 300 <= refused.code < 400:
        return HostError("the host redirects, but redirects are not followed, to keep the token private", refused.code)
    wait = refused.headers.get("Retry-After", "")
    is_busy = refused.code == 429 or refused.code >= 500 or (refused.code == 403 and wait.isdecimal())
    pause = (float(wait) if wait.isdecimal() else 0.0) if is_busy else None
    hint = {401: "; is the token valid?", 403: "; may the token do that?", 404: "; may the token read that?"}
    where = path.partition("?")[0]
    return HostError(
        f"the host answers {method} {where} with {refused.code}{hint.get(refused.code, '')}", refused.code, pause
    )
