"""Tests that a command prints a one-line error if its description is invalid or an external service fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelyard_runtime.__main__ import main
from modelyard_runtime.workload.records import OF_TYPE
from tests.runtime.described import completed


def described(folder: Path, monkeypatch: pytest.MonkeyPatch, **more: object) -> None:
    """Write a workload description to the path where it is mounted."""
    workload = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Workload", **more}
    kind = OF_TYPE[str(more["type"])]
    (folder / "workload.json").write_text(json.dumps(completed(kind, workload)))
    monkeypatch.setenv("MODELYARD_WORKLOAD", str(folder / "workload.json"))


def test_unsupported_description_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    described(tmp_path, monkeypatch, type="server")

    assert main(["monitor"]) == 1
    assert capsys.readouterr().err == "refused: 'monitor' is only for monitors, but this workload is of type server\n"


def test_unreachable_store_is_a_one_line_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unreachable store results in a one-line error instead of a traceback."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    stores = {"lake": {"uri": "s3://lake/", "endpoint": "http://127.0.0.1:9", "region": "us-east-1"}}
    dataset = {"uri": "s3://lake/rows", "store": "lake", "format": "parquet", "timestamp": "at"}
    monitor = {
        "type": "data-quality",
        "windowSeconds": 60,
        "checks": [{"name": "rows", "metric": "rows"}],
        "data": {"rows": dataset},
        "current": {"data": "rows"},
        "models": [],
    }
    described(tmp_path, monkeypatch, type="monitor", stores=stores, monitor=monitor)

    assert main(["monitor"]) == 1
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message.startswith("failed because something outside this Pod did not respond as expected: ")
    assert "rows" in message
