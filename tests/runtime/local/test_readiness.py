"""Tests that a run waits for every server behind an endpoint, not just the first."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from modelyard_runtime.local import readiness
from modelyard_runtime.local.placed import Placed
from modelyard_runtime.local.plan import Backend, Endpoint
from modelyard_runtime.local.readiness import await_versions, has_version
from modelyard_runtime.workload.records import ServerWorkload
from tests.runtime import servers
from tests.runtime.described import BEGINNING, completed

LOADING = {"scorer-champion": 2, "scorer-broken": 1000}
"""The requests until an application has loaded its version."""


@pytest.fixture
def asked() -> Iterator[tuple[int, Counter[str]]]:
    """Serve health checks for several applications, and yield the port and the request count of each."""
    seen: Counter[str] = Counter()

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            application = self.path.split("/")[1]
            seen[application] += 1
            loaded = seen[application] > LOADING.get(application, 0)
            self.send_response(200 if loaded else 503)
            self.end_headers()
            self.wfile.write(b"" if loaded else b"no version yet")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in http.server
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, seen
        server.shutdown()
        thread.join()


def endpoint(**weights: int) -> Endpoint:
    """Return an endpoint whose applications share the traffic."""
    backends = tuple(Backend(application=f"scorer-{name}", weight=weight) for name, weight in weights.items())
    return Endpoint(backends=backends, path="/", timeout_seconds=5, callers=(), prefix="/", models=())


def test_all_variants_with_traffic_are_awaited(
    asked: tuple[int, Counter[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The champion is awaited although the challenger is ready first. A variant without traffic is ignored."""
    port, seen = asked
    monkeypatch.setattr(readiness, "ALIAS_S", 5.0)

    assert not await_versions(endpoint(challenger=5, champion=95, old=0), port, Placed())
    assert seen == {"scorer-challenger": 1, "scorer-champion": 3}


def test_variant_that_never_loads_is_named_with_its_share(
    asked: tuple[int, Counter[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "ALIAS_S", 0.0)

    problem = await_versions(endpoint(challenger=95, broken=5), asked[0], Placed())

    assert problem == "scorer-broken, which gets 5 percent of the requests: no version yet"


def test_version_in_the_registry_gets_more_time_to_load(tmp_path: Path) -> None:
    described = {**BEGINNING, **servers.workload(tmp_path)}
    placed = Placed({"server.json": completed(ServerWorkload, {**described, "type": "server"})})

    assert not has_version("scorer-live", placed)
    client = MlflowClient()  # of the description's registry
    client.create_registered_model("shop-sum")
    client.create_model_version("shop-sum", str(tmp_path))
    assert not has_version("scorer-live", placed)
    client.set_registered_model_alias("shop-sum", "champion", "1")
    assert has_version("scorer-live", placed)
    (application,) = placed.contents["server.json"]["applications"].values()
    champion = application["model"]
    application["model"] = {**champion, "uri": "models:/shop-sum@candidate", "alias": "candidate"}
    assert not has_version("scorer-live", placed)
    application["standIn"] = {"variant": "champion", "model": champion}
    assert has_version("scorer-live", placed)
    assert not has_version("another", placed)
