"""Tests that metrics are pushed with the right content and to all replicas."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from modelyard_runtime.telemetry.otlp import Sample, push, request_body

Starter = Callable[[str, int, int], "Receiver"]
NAME = "prometheus.monitoring.svc"
SAMPLES = [Sample("modelyard_monitor_value", 0.31, {"feature": "amount"}), Sample("modelyard_monitor_breach", 1.0)]


class Receiver(ThreadingHTTPServer):
    """A Prometheus replica that either stores received metrics or responds with an error."""

    def __init__(self, address: str, port: int, status: int) -> None:
        super().__init__((address, port), _Handler)
        self.status = status
        self.got: list[tuple[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = self.server
        assert isinstance(receiver, Receiver)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.got.append((self.headers["Host"], json.loads(body)))
        self.send_response(receiver.status)
        self.end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Log nothing."""


@pytest.fixture
def start() -> Iterator[Starter]:
    """Return a function that starts receivers on loopback; stop them on teardown."""
    started: list[Receiver] = []

    def start_receiver(address: str, port: int, status: int) -> Receiver:
        receiver = Receiver(address, port, status)
        started.append(receiver)
        threading.Thread(target=receiver.serve_forever, args=(0.02,), daemon=True).start()
        return receiver

    yield start_receiver
    for receiver in started:
        receiver.shutdown()
        receiver.server_close()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make retries immediate, and make the Service's name resolve to two Pods."""
    known = socket.getaddrinfo

    def resolve(host: str, *arguments: Any, **rest: Any) -> Any:
        addresses = ["127.0.0.1", "127.0.0.2"] if host == NAME else [host]
        return [entry for address in addresses for entry in known(address, *arguments, **rest)]

    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def test_every_replica_receives_the_metrics(start: Starter) -> None:
    """Every Prometheus replica receives the metrics, because each one evaluates alerts on its own data.

    One without the data would report the monitor as stale.
    """
    first = start("127.0.0.1", 0, 200)
    port = first.server_address[1]
    second = start("127.0.0.2", port, 200)

    push(f"http://{NAME}:{port}/api/v1/otlp/v1/metrics", SAMPLES, {"service.name": "fraud-drift"})

    assert first.got == second.got
    assert [host for host, _ in first.got] == [f"{NAME}:{port}"]


def test_one_replica_is_enough(start: Starter) -> None:
    first = start("127.0.0.1", 0, 503)
    second = start("127.0.0.2", first.server_address[1], 200)

    push(f"http://{NAME}:{first.server_address[1]}/", SAMPLES, {})

    assert (len(first.got), len(second.got)) == (1, 1)


def test_no_reachable_replica_is_an_error_after_retries(start: Starter) -> None:
    receiver = start("127.0.0.1", 0, 503)

    with pytest.raises(OSError, match="503"):
        push(f"http://127.0.0.1:{receiver.server_address[1]}/", SAMPLES, {})

    assert len(receiver.got) > 1


def test_gauge_has_one_point_per_sample() -> None:
    body: Any = request_body(SAMPLES, {"service.name": "x"}, 12.5)
    (scope,) = body["resourceMetrics"][0]["scopeMetrics"]
    (point,) = scope["metrics"][0]["gauge"]["dataPoints"]

    assert [metric["name"] for metric in scope["metrics"]] == ["modelyard_monitor_value", "modelyard_monitor_breach"]
    assert point == {
        "asDouble": 0.31,
        "timeUnixNano": "12500000000",
        "attributes": [{"key": "feature", "value": {"stringValue": "amount"}}],
    }
