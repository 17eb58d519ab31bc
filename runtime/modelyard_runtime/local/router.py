"""A router in front of Serve that emulates an HTTPRoute, including path prefix, weights, mirror and timeout.

Endpoints are available at `/ENDPOINT/…` here, whereas each has its own Gateway or Service in a cluster.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from modelyard_runtime.local.loopback import foreign
from modelyard_runtime.local.plan import Endpoint
from modelyard_runtime.serving.language.requests import ApiError
from modelyard_runtime.serving.language.responses import error_body

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "content-length",
    }
)
"""Headers of one connection, which a proxy does not pass on (RFC 9110, 7.6.1), and those that aiohttp sets itself."""

_LARGEST = 1024**3  # applications have their own limit, and a larger body would fill this process's memory
_SIGNIFICANT = 100
_EVENTS, _JSON = "text/event-stream", "application/json"


@dataclass(slots=True)
class Router:
    """Chooses an application for each request and forwards the request to Serve."""

    endpoints: Mapping[str, Endpoint]
    serve: str  # base URL
    chance: random.Random = field(default_factory=random.SystemRandom)
    answered: Callable[[str, str], None] = lambda application, kind: None
    _session: aiohttp.ClientSession | None = None
    _mirrors: set[asyncio.Task[None]] = field(default_factory=set)

    def application(self) -> web.Application:
        """Return the web application."""
        app = web.Application(client_max_size=_LARGEST)
        app.router.add_route("*", "/{path:.*}", self.handle)
        app.on_cleanup.append(self._close)
        return app

    def backend(self, endpoint: Endpoint) -> str:
        """Choose an application by weight. As in an HTTPRoute, applications with weight zero receive no requests."""
        weighted = [backend for backend in endpoint.backends if backend.weight]
        chosen = self.chance.choices(weighted, [backend.weight for backend in weighted])
        return chosen[0].application

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Handle one request."""
        name, _, rest = request.rel_url.raw_path.lstrip("/").partition("/")
        endpoint = self.endpoints.get(name)
        reason = foreign(request.headers)
        if reason:
            return _error(endpoint, 403, reason)
        below = None if endpoint is None else below_prefix(f"/{rest}", endpoint.path)
        if endpoint is None or below is None:
            known = ", ".join(f"/{name}{entry.path.rstrip('/')}" for name, entry in self.endpoints.items())
            return _error(endpoint, 404, f"no endpoint has this path; available: {known}")
        body = await request.read()
        if endpoint.mirror is not None and self.chance.random() * _SIGNIFICANT < endpoint.mirror.percent:
            self._copy(endpoint.mirror.application, below, request, body, endpoint)
        application = self.backend(endpoint)
        try:
            return await self._forward(application, below, request, body, endpoint)
        except TimeoutError:
            return _error(endpoint, 504, f"no answer within {endpoint.timeout_seconds} s")
        except aiohttp.ClientError as problem:
            return _error(endpoint, 503, f"the server of {application} is not reachable: {problem}")

    def _copy(self, application: str, below: str, request: web.Request, body: bytes, endpoint: Endpoint) -> None:
        """Send a copy of a request without waiting for the response."""

        async def send() -> None:
            try:
                await self._forward(application, below, request, body, endpoint)
            except (aiohttp.ClientError, TimeoutError):
                return

        task = asyncio.get_running_loop().create_task(send())
        self._mirrors.add(task)
        task.add_done_callback(self._mirrors.discard)

    async def _forward(
        self, application: str, below: str, request: web.Request, body: bytes, endpoint: Endpoint
    ) -> web.StreamResponse:
        if self._session is None:
            self._session = aiohttp.ClientSession(auto_decompress=False)
        headers = [(name, text) for name, text in request.headers.items() if name.lower() not in _HOP_BY_HOP]
        query = f"?{request.rel_url.raw_query_string}" if request.rel_url.raw_query_string else ""
        async with self._session.request(
            request.method,
            URL(f"{self.serve}/{application}{below}{query}", encoded=True),
            data=body or None,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=endpoint.timeout_seconds),
        ) as answer:
            passed: Any = [(name, text) for name, text in answer.headers.items() if name.lower() not in _HOP_BY_HOP]
            self.answered(application, str(answer.status))
            if answer.content_type == _EVENTS:
                return await _streamed(answer, request, passed)
            if endpoint.generates_text and answer.status >= 400 and answer.content_type != _JSON:
                retry = {"Retry-After": answer.headers["Retry-After"]} if "Retry-After" in answer.headers else {}
                return _error(endpoint, answer.status, (await answer.text(errors="replace")).strip(), retry)
            response = web.Response(body=await answer.read(), status=answer.status)
            response.headers.clear()
            response.headers.extend(passed)
            return response

    async def _close(self, app: web.Application) -> None:
        if self._session is not None:
            await self._session.close()


async def _streamed(answer: aiohttp.ClientResponse, request: web.Request, headers: Any) -> web.StreamResponse:
    """Forward events as they arrive.

    If the client disconnects, closing the connection to Serve stops text generation.
    """
    response = web.StreamResponse(status=answer.status)
    response.headers.extend(headers)
    await response.prepare(request)
    try:
        async for part in answer.content.iter_any():
            await response.write(part)
    except (aiohttp.ClientError, TimeoutError):
        if request.transport is not None:
            request.transport.abort()  # an ordinary end would look like the end of the text
    return response


def _error(
    endpoint: Endpoint | None, status: int, message: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return an error, using OpenAI's format for language models, since their clients parse errors in every response.

    This also rewrites plain-text errors from Ray's proxy.
    """
    if endpoint is None or not endpoint.generates_text:
        return web.json_response({"error": message}, status=status, headers=headers)
    return web.json_response(error_body(ApiError(message, status=status)), status=status, headers=headers)


def below_prefix(path: str, prefix: str) -> str | None:
    """Return the rest of a path below a prefix, or None if the path doesn't start with all of its elements."""
    base = prefix.rstrip("/")
    if path != base and not path.startswith(f"{base}/"):
        return None
    rest = path[len(base) :]
    return "" if rest == "/" else rest
