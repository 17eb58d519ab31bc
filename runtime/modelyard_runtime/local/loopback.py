"""Refuses requests that a web page makes its visitor's browser send to this machine.

A page can send requests to any address, and even read the responses if its DNS name has been rebound to 127.0.0.1.
Browsers put the page's host name into `Host` or `Origin`, which programs on this machine have no reason to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def foreign(headers: Mapping[str, str]) -> str:
    """Return the reason why a request is considered foreign, or "" if it comes from this machine."""
    if not _is_loopback(f"http://{headers.get('host', '')}"):
        return "this machine answers only requests to localhost or 127.0.0.1"
    origin = headers.get("origin")
    if (origin is not None and not _is_loopback(origin)) or headers.get("sec-fetch-site") == "cross-site":
        return "web pages of other sites cannot send requests to this machine"
    return ""


def _is_loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in _NAMES
    except ValueError:
        return False


def guarded(server: type[Any]) -> type[Any]:
    """Return a subclass of a model server that refuses foreign requests, even if they bypass the router."""

    async def call(self: Any, request: Any) -> Any:
        from starlette.responses import JSONResponse

        reason = foreign(request.headers)
        return JSONResponse({"error": reason}, 403) if reason else await server.__call__(self, request)

    return type(server.__name__, (server,), {"__call__": call})
