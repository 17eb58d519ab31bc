"""Tests that the router in front of Ray Serve behaves like an HTTPRoute."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from modelyard_runtime.local.loopback import guarded
from modelyard_runtime.local.plan import Backend, Endpoint, Mirror
from modelyard_runtime.local.router import Router, below_prefix

Requests = list[tuple[str, str]]


def endpoint(weights: dict[str, int], **fields: Any) -> Endpoint:
    backends = tuple(Backend(application=name, weight=weight) for name, weight in weights.items())
    settings: dict[str, Any] = {"path": "/", "timeout_seconds": 5, "callers": (), "prefix": "/", "models": ()}
    return Endpoint(backends=backends, **{**settings, **fields})


def run_router(
    entry: Endpoint, work: Callable[[aiohttp.ClientSession, str], Awaitable[Any]], *, slow: frozenset[str] = frozenset()
) -> tuple[Any, Requests]:
    """Run a router in front of applications that return their own names.

    Return the result of `work` and the requests the applications received.
    """
    seen: Requests = []

    async def answer(request: web.Request) -> web.Response:
        name, _, rest = request.path.lstrip("/").partition("/")
        seen.append((name, f"/{rest}"))
        if name in slow:
            await asyncio.sleep(2)
        query, content = request.rel_url.raw_query_string, (await request.read()).decode()
        body = {"name": name, "method": request.method, "body": content, "q": query}
        headers = {"X-Request-ID": request.headers.get("X-Request-ID", ""), "Retry-After": "20"}
        return web.json_response(body, status=503 if name == "empty" else 200, headers=headers)

    async def run() -> Any:
        serve = web.Application()
        serve.router.add_route("*", "/{path:.*}", answer)
        async with TestServer(serve) as upstream:
            router = Router({"scorer": entry}, str(upstream.make_url("")).rstrip("/"), random.Random(7))
            async with TestServer(router.application()) as front, aiohttp.ClientSession() as session:
                result = await work(session, str(front.make_url("")).rstrip("/"))
                await asyncio.sleep(0.05)
                return result

    return asyncio.run(run()), seen


async def names(session: aiohttp.ClientSession, url: str, count: int = 1) -> Counter[str]:
    counts: Counter[str] = Counter()
    for _ in range(count):
        async with session.post(f"{url}/scorer", data=b"{}") as reply:
            counts[(await reply.json())["name"]] += 1
    return counts


def test_traffic_is_split_by_weight() -> None:
    counts, _ = run_router(endpoint({"a": 80, "b": 20, "c": 0}), lambda session, url: names(session, url, 400))

    assert counts["c"] == 0
    assert 50 < counts["b"] < 110


def test_a_mirror_gets_copies_and_does_not_delay_answers() -> None:
    """The mirror takes two seconds to respond, but no client waits for it or sees its response."""
    mirrored = endpoint({"a": 100}, mirror=Mirror(application="shadow", percent=100))
    counts, seen = run_router(
        mirrored, lambda session, url: asyncio.wait_for(names(session, url, 3), 1.5), slow=frozenset({"shadow"})
    )

    assert counts == {"a": 3}
    assert Counter(name for name, _ in seen) == {"a": 3, "shadow": 3}


def test_a_mirror_gets_its_share() -> None:
    mirrored = endpoint({"a": 100}, mirror=Mirror(application="shadow", percent=10))
    _, seen = run_router(mirrored, lambda session, url: names(session, url, 300))

    assert 10 < Counter(name for name, _ in seen)["shadow"] < 60


def test_requests_and_answers_pass_unchanged() -> None:
    async def work(session: aiohttp.ClientSession, url: str) -> Any:
        headers = {"X-Request-ID": "r-1"}
        address = URL(f"{url}/scorer/v2/models?a=1&b=%2F", encoded=True)
        async with session.put(address, data=b"\xc3\xa9", headers=headers) as reply:
            return reply.status, dict(reply.headers), await reply.json()

    (status, headers, body), seen = run_router(endpoint({"a": 1}), work)

    assert status == 200
    assert headers["X-Request-ID"] == "r-1"
    assert body == {"name": "a", "method": "PUT", "body": "é", "q": "a=1&b=%2F"}
    assert seen == [("a", "/v2/models")]


def test_errors_of_an_application_are_its_own() -> None:
    async def work(session: aiohttp.ClientSession, url: str) -> Any:
        async with session.get(f"{url}/scorer/healthz") as reply:
            return reply.status, reply.headers["Retry-After"]

    assert run_router(endpoint({"empty": 1}), work)[0] == (503, "20")


def test_a_slow_application_ends_in_a_timeout() -> None:
    async def work(session: aiohttp.ClientSession, url: str) -> Any:
        async with session.get(f"{url}/scorer") as reply:
            return reply.status

    assert run_router(endpoint({"a": 1}, timeout_seconds=1), work, slow=frozenset({"a"}))[0] == 504


def test_unknown_paths_name_the_known_ones() -> None:
    async def work(session: aiohttp.ClientSession, url: str) -> Any:
        replies = []
        for path in ("/", "/other", "/scorer", "/scorer/pay", "/scorer/payment", "/scorer/pay/v2"):
            async with session.get(url + path) as reply:
                replies.append((reply.status, await reply.text()))
        return replies

    replies, seen = run_router(endpoint({"a": 1}, path="/pay"), work)

    assert [status for status, _ in replies] == [404, 404, 404, 200, 404, 200]
    assert "/scorer/pay" in replies[0][1]
    assert seen == [("a", "/"), ("a", "/v2")]


@pytest.mark.parametrize(
    ("path", "prefix", "rest"),
    [
        ("/", "/", ""),
        ("/a/b", "/", "/a/b"),
        ("/pay", "/pay", ""),
        ("/pay/", "/pay/", ""),
        ("/pay/x", "/pay", "/x"),
        ("/payment", "/pay", None),
        ("/", "/pay", None),
    ],
)
def test_a_prefix_matches_whole_elements(path: str, prefix: str, rest: str | None) -> None:
    """The path `/payment` doesn't match the prefix `/pay`, as with an HTTPRoute's PathPrefix."""
    assert below_prefix(path, prefix) == rest


def test_events_are_passed_on_as_they_come() -> None:
    """The first words of a language model arrive while the rest are still being generated."""

    async def run() -> list[bytes]:
        read = asyncio.Event()

        async def events(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            await response.write(b"data: 1\n\n")
            await asyncio.wait_for(read.wait(), 10)
            await response.write(b"data: 2\n\n")
            return response

        serve = web.Application()
        serve.router.add_route("*", "/{path:.*}", events)
        async with TestServer(serve) as upstream:
            router = Router({"chat": endpoint({"chat-live": 1})}, str(upstream.make_url("")).rstrip("/"))
            async with (
                TestServer(router.application()) as front,
                aiohttp.ClientSession() as session,
                session.post(front.make_url("/chat/v1/completions")) as answer,
            ):
                first = await asyncio.wait_for(answer.content.readuntil(b"\n\n"), 10)
                read.set()
                return [first, await answer.content.read()]

    assert asyncio.run(run()) == [b"data: 1\n\n", b"data: 2\n\n"]


async def refused(session: aiohttp.ClientSession, url: str) -> list[Any]:
    """Return the statuses of requests with browser-style headers and of requests sent by programs."""
    found: list[Any] = []
    port = URL(url).port
    for headers in (
        {"Host": "evil.example"},
        {"Host": f"evil.example:{port}"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": f"localhost:{port}", "Origin": "http://localhost:3000"},
        {"Host": f"[::1]:{port}"},
        {},
    ):
        async with session.post(f"{url}/scorer", data=b"{}", headers=headers) as reply:
            assert "Access-Control-Allow-Origin" not in reply.headers
            found.append(reply.status)
    return found


def test_pages_of_other_sites_cannot_use_a_model() -> None:
    """Requests from other sites' pages are refused, whether via DNS rebinding, a form or a script."""
    statuses, seen = run_router(endpoint({"a": 1}), refused)

    assert statuses == [403, 403, 403, 403, 403, 200, 200, 200]
    assert len(seen) == 3


def test_server_behind_the_router_refuses_other_sites_as_well() -> None:
    """The server port is open on the local machine, so a web page could also target it directly."""

    class Echo:
        async def __call__(self, request: Any) -> str:
            return "an answer"

    server = guarded(Echo)()
    here, there = SimpleNamespace(headers={"host": "127.0.0.1:1"}), SimpleNamespace(headers={"host": "evil.example:1"})

    assert asyncio.run(server(here)) == "an answer"
    assert asyncio.run(server(there)).status_code == 403


def test_errors_of_a_language_model_have_the_format_of_openai() -> None:
    """The router's errors and Ray's plain-text proxy errors are converted. The server's errors are unchanged."""

    async def run() -> list[Any]:
        async def answer(request: web.Request) -> web.Response:
            if request.path.endswith("/own"):
                return web.json_response({"error": {"message": "mine"}}, status=404)
            return web.Response(text="Request dropped due to backpressure", status=503, headers={"Retry-After": "5"})

        serve = web.Application()
        serve.router.add_route("*", "/{path:.*}", answer)
        async with TestServer(serve) as upstream:
            entry = endpoint({"chat-live": 1}, path="/support", generates_text=True)
            router = Router({"chat": entry, "gone": entry}, str(upstream.make_url("")).rstrip("/"))
            async with TestServer(router.application()) as front, aiohttp.ClientSession() as session:
                found: list[Any] = []
                for path in ("/chat/elsewhere", "/chat/support/own", "/chat/support/v1/models"):
                    async with session.get(front.make_url(path)) as reply:
                        found.append((reply.status, (await reply.json())["error"], reply.headers.get("Retry-After")))
                await upstream.close()
                async with session.get(front.make_url("/gone/support/v1/models")) as reply:
                    found.append((reply.status, (await reply.json())["error"], None))
                return found

    absent, own, busy, gone = asyncio.run(run())
    assert absent[:1] == (404,)
    assert absent[1]["type"] == "not_found_error"
    assert own == (404, {"message": "mine"}, None)
    assert busy[0] == 503
    assert busy[1] == {
        "message": "Request dropped due to backpressure",
        "type": "server_error",
        "param": None,
        "code": None,
    }
    assert busy[2] == "5"
    assert (gone[0], gone[1]["type"]) == (503, "server_error")
