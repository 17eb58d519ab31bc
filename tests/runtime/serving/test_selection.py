"""Tests that another variant's version responds for a variant until that variant has a version of its own."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from modelyard_runtime.registry import client as registry
from modelyard_runtime.serving.access_log import AccessLog
from modelyard_runtime.serving.selection import Origin
from tests.runtime.servers import Answered, Endpoint, register, serving, summing, workload

pytestmark = pytest.mark.filterwarnings("ignore")  # raised by MLflow itself

KINDS = {"amount": "double"}
ROW = {"instances": [{"amount": 2.5}]}


@pytest.fixture
def described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Describe the server of a challenger that has no version, for which the champion stands in."""
    monkeypatch.setattr("modelyard_runtime.serving.application.FOLLOW_S", 0.05)
    model = {"name": "sum", "registeredName": "shop-sum", "task": "regression"}
    candidate = {**model, "uri": "models:/shop-sum@candidate", "alias": "candidate"}
    champion = {**model, "uri": "models:/shop-sum@champion", "alias": "champion"}
    return workload(
        tmp_path,
        variant="challenger",
        model=candidate,
        standIn={"variant": "champion", "model": champion},
        capture={"uri": f"file://{tmp_path}/captures", "store": "", "fraction": 1.0},
    )


def awaited(endpoint: Endpoint, variant: str) -> Answered:
    """Wait until the given variant's version responds, and return a response."""
    deadline = time.monotonic() + 60
    while (answered := endpoint.ask(ROW)).headers.get("X-Model-Variant") != variant and time.monotonic() < deadline:
        time.sleep(0.05)
    return answered


def test_stand_in_responds_until_the_variant_has_a_version(
    described: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Responses, the access log and metrics name the variant whose version responded. Only its own are captured."""
    counted: list[tuple[Origin, int]] = []
    register(described, summing(), KINDS)
    with serving(described) as endpoint:
        server: Any = endpoint.server
        server._access_log = AccessLog("scorer", "challenger")
        monkeypatch.setattr(server._metrics, "answered", lambda origin, status, _: counted.append((origin, status)))
        before = endpoint.ask(ROW)
        registry.set_alias("shop-sum", "candidate", register(described, summing(), KINDS))
        after = awaited(endpoint, "challenger")

    assert (before.status, before.headers["X-Model-Variant"], before.content["model"]["version"]) == (
        200,
        "champion",
        "1",
    )
    assert (after.status, after.headers["X-Model-Variant"], after.content["model"]["version"]) == (
        200,
        "challenger",
        "2",
    )
    assert counted[0] == (Origin("champion", "shop-sum", "1"), 200)
    assert counted[-1] == (Origin("challenger", "shop-sum", "2"), 200)
    assert {status for _, status in counted} == {200}
    logged = [json.loads(line)["variant"] for line in capsys.readouterr().out.splitlines()]
    assert (logged[0], logged[-1]) == ("champion", "challenger")
    captured = {path.parent.name: pd.read_parquet(path) for path in tmp_path.glob("captures/*/*/*.parquet")}
    assert {name: set(rows["model_version"]) for name, rows in captured.items()} == {"variant=challenger": {"2"}}


def test_variant_with_the_same_version_responds_itself(described: dict[str, Any]) -> None:
    """The stand-in ends even if both aliases point to the same version."""
    number = register(described, summing(), KINDS)
    with serving(described) as endpoint:
        first = endpoint.ask(ROW).headers["X-Model-Variant"]
        registry.set_alias("shop-sum", "candidate", number)
        after = awaited(endpoint, "challenger")

    assert (first, after.headers["X-Model-Variant"]) == ("champion", "challenger")


def test_nothing_responds_while_neither_has_a_version(described: dict[str, Any]) -> None:
    with serving(described) as endpoint:
        before = endpoint.ask(ROW)
        register(described, summing(), KINDS)
        after = awaited(endpoint, "champion")

    assert (before.status, before.content["error"]) == (503, "no version of models:/shop-sum@candidate exists yet")
    assert "X-Model-Variant" not in before.headers
    assert after.status == 200
