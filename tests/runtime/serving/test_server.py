"""Tests how a model server responds to or refuses requests, and that slow requests do not block others."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression

from modelyard_runtime.serving.application import Server
from modelyard_runtime.serving.request_metrics import RequestMetrics
from modelyard_runtime.serving.selection import Origin
from modelyard_runtime.workload.records import ServerWorkload
from tests.runtime.described import record
from tests.runtime.servers import Endpoint, register, serving, summing, workload

pytestmark = pytest.mark.filterwarnings("ignore")  # raised by MLflow itself

KINDS = {"amount": "double", "country": "string", "age": "long"}
ROW = {"amount": 2.5, "country": "ch", "age": 40}


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Describe a server that serves a summing model from its registry."""
    description = workload(tmp_path_factory.mktemp("server"))
    register(description, summing(), KINDS)
    return description


@pytest.fixture(scope="module")
def endpoint(described: dict[str, Any]) -> Iterator[Endpoint]:
    """Run the described server, and yield its endpoint."""
    with serving(described) as endpoint:
        yield endpoint


def test_rows_are_answered(endpoint: Endpoint) -> None:
    """A response contains the model version and the caller's request ID."""
    response = endpoint.ask({"instances": [ROW, {**ROW, "age": 41}]}, headers={"X-Request-ID": "mine"})

    assert response.status == 200
    assert response.content["predictions"] == [42.5, 43.5]
    assert response.content["model"] == {"name": "shop-sum", "version": "1"}
    assert response.content["id"] == response.headers["X-Request-ID"] == "mine"


@pytest.mark.parametrize(
    ("row", "why"),
    [({**ROW, "age": 2**63}, "column 'age' contains"), ({**ROW, "amount": 10**400}, "column 'amount' contains")],
)
def test_number_out_of_range_is_a_client_error(endpoint: Endpoint, row: Any, why: str) -> None:
    response = endpoint.ask({"instances": [row]})

    assert response.status == 422
    assert response.content["error"].startswith(why)


def test_health_does_not_wait_for_a_large_request(endpoint: Endpoint) -> None:
    """Health checks are answered while a large request is processed outside the event loop."""
    body = {"instances": [ROW] * 60_000}
    slowest, ended = 0.0, threading.Event()
    statuses: list[int] = []

    def large() -> None:
        statuses.append(endpoint.ask(body).status)
        ended.set()

    thread = threading.Thread(target=large)
    thread.start()
    while not ended.is_set():
        began = time.perf_counter()
        assert endpoint.ask(path="/healthz", method="GET").status == 200
        slowest = max(slowest, time.perf_counter() - began)
    thread.join()
    began = time.perf_counter()
    endpoint.ask(body)
    duration = time.perf_counter() - began

    assert statuses == [200]
    assert slowest < duration / 2


def test_estimator_answers_match_mlflow(tmp_path: Path) -> None:
    """The server calls the estimator directly, skipping MLflow's second validation of the rows."""
    description = workload(tmp_path)
    rows = pd.DataFrame(np.random.default_rng(1).normal(size=(50, 3)), columns=["a", "b", "c"])
    model = LinearRegression().fit(rows, rows.sum(axis=1) * 2)
    register(description, model, dict.fromkeys(rows, "double"))
    server = Server(record(ServerWorkload, description), "scorer-live")

    assert server.serving is not None
    assert server.serving.overlaps
    predicted = server.serving.model.predict(rows)

    np.testing.assert_allclose(predicted, model.predict(rows))
    server.__del__()


@pytest.mark.parametrize("declared", [True, False])
def test_oversized_body_is_refused_without_reading_it_all(described: dict[str, Any], declared: bool) -> None:
    """The server closes the connection on an oversized body, whether its length is declared or it is chunked."""
    application = {**described["applications"]["scorer-live"], "maxBodyBytes": 100_000}
    with (
        serving({**described, "applications": {"scorer-live": application}}) as endpoint,
        socket.create_connection(_host_and_port(endpoint), timeout=20) as connection,
    ):
        length = b"Content-Length: 500000000" if declared else b"Transfer-Encoding: chunked"
        connection.sendall(b"POST /shop HTTP/1.1\r\nHost: shop\r\n" + length + b"\r\n\r\n")
        sent_bytes = 0 if declared else _send_chunks(connection, 50_000_000)
        answer = connection.recv(4096)

        assert endpoint.ask({"instances": [ROW]}).status == 200

    assert answer.startswith(b"HTTP/1.1 413")
    assert sent_bytes < 20_000_000


def _send_chunks(connection: socket.socket, most: int) -> int:
    """Send chunks until the server responds, and return the number of bytes sent."""
    sent_bytes, chunk = 0, b"10000\r\n" + b" " * 65536 + b"\r\n"
    while sent_bytes < most and not select.select([connection], [], [], 0)[0]:
        try:
            connection.sendall(chunk)
        except ConnectionError:
            break
        sent_bytes += len(chunk)
    return sent_bytes


def test_many_tiny_rows_are_refused_quickly(endpoint: Endpoint) -> None:
    """Five million tiny rows fit into a body.

    The server refuses them because of their number, without checking each.
    """
    body = b'{"instances": [' + b"{}," * 5_000_000 + b"{}]}"
    began = time.process_time()

    response = endpoint.ask(body)

    assert response.status == 413
    assert time.process_time() - began < 10  # this took half a minute in an earlier version


def test_captures_contain_only_signature_columns_and_keys(tmp_path: Path) -> None:
    """A long request ID is truncated in captures."""
    capture = {"uri": f"file://{tmp_path}/captures", "store": "", "fraction": 1.0, "keys": ["id"]}
    description = workload(tmp_path, capture=capture)
    register(description, summing(), KINDS)
    with serving(description) as endpoint:
        body = {"instances": [{**ROW, "id": 7, "password": "secret", "prediction": 1}]}
        response = endpoint.ask(body, headers={"X-Request-ID": "x" * 5000})

    assert len(response.content["id"]) == 128
    rows = pd.concat(pd.read_parquet(path) for path in (tmp_path / "captures").rglob("*.parquet"))
    assert {"amount", "country", "age", "id"} <= set(rows)
    assert "password" not in rows
    assert rows["prediction"].tolist() == [42.5]
    assert rows["request_id"].tolist() == ["x" * 128]


def test_requests_are_counted_by_version(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused requests are counted as well, but health checks are not."""
    recorded: list[tuple[Origin, int]] = []
    metrics = endpoint.server._metrics  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(metrics, "answered", lambda origin, status, seconds: recorded.append((origin, status)))

    endpoint.ask({"instances": [ROW]})
    endpoint.ask({"instances": [{}]})
    endpoint.ask(path="/healthz", method="GET")

    first = Origin("live", "shop-sum", "1")
    assert recorded == [(first, 200), (first, 422)]


def test_request_metrics_have_a_version_tag() -> None:
    metrics, origin = RequestMetrics("scorer-live"), Origin("live", "shop-sum", "7")
    metrics.serves(origin)
    metrics.answered(origin, 200, 0.01)

    requests, seconds = metrics._requests, metrics._seconds  # pyright: ignore[reportPrivateUsage]
    assert {"application", "variant", "model", "version", "status"} == set(requests.info["tag_keys"])
    assert "version" in seconds.info["tag_keys"]


def test_slow_request_does_not_delay_others(tmp_path: Path) -> None:
    """Model calls may overlap.

    A request that takes too long is abandoned, and other requests are served in the meantime.
    """
    description = workload(tmp_path, timeoutSeconds=3)
    register(description, Slow(), {"amount": "double"})
    with serving(description) as endpoint:
        slow = [threading.Thread(target=endpoint.ask, args=({"instances": [{"amount": 8.0}]},)) for _ in range(2)]
        for thread in slow:
            thread.start()
        time.sleep(0.5)
        response = endpoint.ask({"instances": [{"amount": 0.0}]})
        given_up = endpoint.ask({"instances": [{"amount": 8.0}]})
        for thread in slow:
            thread.join()

    assert (response.status, response.content["predictions"]) == (200, [0])
    assert given_up.status == 504


def test_a_version_by_number_is_loaded_once_it_is_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may start before its model version exists. It responds 503 until then."""
    monkeypatch.setattr("modelyard_runtime.serving.application.FOLLOW_S", 0.05)
    description = workload(tmp_path)
    model = description["applications"]["scorer-live"]["model"]
    del model["alias"]
    model |= {"uri": "models:/shop-sum/2", "version": "2"}
    register(description, summing(), KINDS)
    with serving(description) as endpoint:
        assert endpoint.ask({"instances": [ROW]}).status == 503
        register(description, summing(), KINDS)
        deadline = time.monotonic() + 60
        while (answered := endpoint.ask({"instances": [ROW]})).status == 503 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert (answered.status, answered.content["model"]["version"]) == (200, "2")


def _host_and_port(endpoint: Endpoint) -> tuple[str, int]:
    host, _, port = endpoint.address.partition("/")[0].partition(":")
    return host, int(port)


class Slow(RegressorMixin, BaseEstimator):  # pyright: ignore[reportUntypedBaseClass]
    """An estimator that sleeps for as many seconds as its first input value."""

    def fit(self, rows: pd.DataFrame, label: Any = None) -> Slow:
        """Do nothing."""
        return self

    def predict(self, rows: pd.DataFrame) -> Any:
        """Sleep, then return the first column."""
        time.sleep(float(rows.iloc[0, 0]))
        return rows.iloc[:, 0].to_numpy()
