"""Request paths relative to their endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request


def below(request: Request) -> str:
    """Return the path of a request relative to its endpoint."""
    path: str = request.scope["path"]
    return path.removeprefix(request.scope.get("root_path", ""))


def asks_for_health(request: Request) -> bool:
    """Return whether a request is a probe. Probes need no token and are neither counted nor logged."""
    path = below(request).rstrip("/")
    return request.method == "GET" and (path.endswith("/healthz") or path in {"/v2/health/live", "/v2/health/ready"})
