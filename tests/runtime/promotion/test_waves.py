"""Tests that versions reach sites in waves.

An alert, missing reports or a premature start stops the rollout.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from modelyard_runtime.bundles.bundle import Pointer
from modelyard_runtime.bundles.store import current, publish, put_in_use
from modelyard_runtime.models.loading import Models
from modelyard_runtime.promotion.waves import advance
from modelyard_runtime.storage.filesystem import Place, local
from modelyard_runtime.workload.records import Model, Waves, Workload
from tests.narrowing import present
from tests.runtime.bundles import make_bundle
from tests.runtime.described import record
from tests.runtime.object_store import BUCKET, ObjectStore

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
POINTERS = ("shops-canary.json", "shops-wave-1.json", "shops-wave-2.json")
WAVES = Waves(target="shops", pointers=POINTERS, soak_seconds=3600)


class Prometheus:
    """A fake Prometheus that returns how many sites serve a version and how many alerts are firing."""

    def __init__(self) -> None:
        self.serving, self.firing = 1, 0
        self.queries: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                (query,) = parse_qs(urlsplit(self.path).query)["query"]
                outer.queries.append(query)
                count = outer.firing if "ALERTS" in query else outer.serving
                result = [{"metric": {}, "value": [0, str(count)]}] if count else []
                body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                """Log nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def workload(self) -> Workload:
        """Return a promoter's description whose Prometheus is this server."""
        otlp = f"http://127.0.0.1:{self._server.server_port}/api/v1/otlp/v1/metrics"
        return record(Workload, {"system": "shelf", "metrics": {"otlp": otlp, "namespace": "shelf"}})

    def stop(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    """Return a Prometheus server that reports one site serving the version and no firing alerts."""
    server = Prometheus()
    yield server
    server.stop()


@pytest.fixture
def where(tmp_path: Path) -> Place:
    """Return a bundle folder to which nothing has been delivered."""
    return local(tmp_path)


def deliver(where: Place, version: str) -> None:
    put_in_use(where, Pointer(f"{version}-abc", version, "0" * 64))


def reached(where: Place) -> list[str]:
    """Return the version each wave's pointer refers to, or "-" if it has none."""
    pointers = [current(where, name) for name in POINTERS]
    return ["-" if pointer is None else pointer.version for pointer in pointers]


def test_each_wave_follows_the_soak_of_the_one_before(prometheus: Prometheus, where: Place) -> None:
    deliver(where, "1")
    progress: list[list[str]] = []
    for minutes in (0, 30, 61, 90, 122, 500):
        advance(prometheus.workload, where, WAVES, NOW + timedelta(minutes=minutes))
        progress.append(reached(where))

    assert progress == [["1", "-", "-"]] * 2 + [["1", "1", "-"]] * 2 + [["1", "1", "1"]] * 2


def test_an_alert_at_a_site_with_the_version_stops_it(prometheus: Prometheus, where: Place) -> None:
    """Only alerts from sites of the target that serve the version count."""
    deliver(where, "7")
    advance(prometheus.workload, where, WAVES, NOW)
    prometheus.firing = 2

    message = advance(prometheus.workload, where, WAVES, NOW + timedelta(hours=2))
    assert (
        message == "1 of 3 waves of shops have version 7; the next waits while 2 alert(s) fire at sites that serve it"
    )
    assert reached(where) == ["7", "-", "-"]
    serving = '(ray_modelyard_bundle_version{modelyard_system="shelf",modelyard_target="shops"} == 7)'
    assert prometheus.queries[0] == f"count({serving})"
    assert prometheus.queries[1].endswith(f"}} and on(modelyard_site) {serving})")

    prometheus.firing = 0
    advance(prometheus.workload, where, WAVES, NOW + timedelta(hours=2))
    assert reached(where) == ["7", "7", "-"]


def test_silence_is_no_success(prometheus: Prometheus, where: Place) -> None:
    """Without a Prometheus, or without a site that reports serving the version, no further site gets it."""
    deliver(where, "1")
    advance(prometheus.workload, where, WAVES, NOW)
    prometheus.serving = 0

    assert "until a site reports" in advance(prometheus.workload, where, WAVES, NOW + timedelta(days=9))
    workload = prometheus.workload
    prometheus.stop()
    assert "cannot be read" in advance(workload, where, WAVES, NOW + timedelta(days=9))
    assert reached(where) == ["1", "-", "-"]


def test_a_version_that_was_taken_back_leaves_all_sites_at_once(prometheus: Prometheus, where: Place) -> None:
    deliver(where, "1")
    for hours in (0, 2, 4):
        advance(prometheus.workload, where, WAVES, NOW + timedelta(hours=hours))
    deliver(where, "2")
    for hours in (5, 7):
        advance(prometheus.workload, where, WAVES, NOW + timedelta(hours=hours))
    assert reached(where) == ["2", "2", "1"]

    deliver(where, "1")
    prometheus.firing = 1
    advance(prometheus.workload, where, WAVES, NOW + timedelta(hours=7))
    assert reached(where) == ["1", "1", "1"]


def test_a_version_overtaken_by_another_starts_again(prometheus: Prometheus, where: Place) -> None:
    """The canary sites get the newest version immediately, which starts its soak."""
    deliver(where, "1")
    for hours in (0, 2):
        advance(prometheus.workload, where, WAVES, NOW + timedelta(hours=hours))
    deliver(where, "2")
    advance(prometheus.workload, where, WAVES, NOW + timedelta(hours=3))
    assert reached(where) == ["2", "1", "-"]
    advance(prometheus.workload, where, WAVES, NOW + timedelta(hours=3, minutes=30))
    assert reached(where) == ["2", "1", "-"]


def test_a_site_reads_the_pointer_of_its_wave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site keeps its bundle until its wave has a pointer, even if the bundle was delivered by hand."""
    store = ObjectStore()
    workload = record(Workload, store.described(monkeypatch))
    uri = f"s3://{BUCKET}/mlflow/bundles/cards-fraud/champion"
    source = {"uri": f"{uri}/", "store": "artifacts", "cache": str(tmp_path / "disk"), "pollSeconds": 1}
    model = record(
        Model,
        {"registeredName": "cards-fraud", "uri": "models:/cards-fraud@champion", "alias": "champion"}
        | {"bundle": {**source, "pointer": POINTERS[1]}},
    )
    make_bundle(tmp_path / "carried", "1")
    publish(tmp_path / "carried", local(tmp_path / "disk"))
    from modelyard_runtime.storage.filesystem import place

    where = place(workload, uri, "artifacts")
    make_bundle(tmp_path / "2", "2")
    pointer = publish(tmp_path / "2", where)

    models = Models(workload, model)
    assert present(models.version()).version == "1"
    from modelyard_runtime.storage.filesystem import write_whole

    write_whole(where.below(POINTERS[1]), pointer.text().encode())
    assert present(models.version()).version == "2"
    store.cut()
