"""Tests a system's full cycle on one machine, with real Ray and MLflow, from generated data to gated retraining.

`tests/systems/laptop` trains a model, serves it, scores with it and monitors it. In the first run, the data is as
expected. Then the labels become noise and the requests drift, so the monitor starts a retraining that the gate refuses.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelyard_runtime.local.calling import Endpoint
from modelyard_runtime.local.processes import marked, sweep
from tests.narrowing import present
from tests.shown_system import Visitor

COMPILED = Path(__file__).parents[2] / "golden" / "laptop-default" / "main"
PATIENCE_S = 900


@dataclass
class Run:
    """A local run of the system in its own process, and the lines that it has printed."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    reader: threading.Thread | None = None

    @classmethod
    def of(cls, state: Path, *arguments: str) -> Run:
        """Start a run of the system in the given folder."""
        command = [sys.executable, "-m", "modelyard_runtime", "local", str(COMPILED), *arguments, "--state", str(state)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=state.parent
        )
        run = cls(process)
        run.reader = threading.Thread(target=run._read, daemon=True)
        run.reader.start()
        return run

    def _read(self) -> None:
        with present(self.process.stdout) as stream:
            for line in stream:
                self.lines.append(line)

    def text(self) -> str:
        """Return all output printed so far."""
        return "".join(self.lines)

    def await_line(self, part: str) -> str:
        """Wait until the run prints a line that contains the given string."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for line in list(self.lines):
                if part in line:
                    return line
            assert self.process.poll() is None, self.text()
            time.sleep(0.1)
        raise AssertionError(f"no line has {part!r}:\n{self.text()}")

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal to the run and return its exit code."""
        self.process.send_signal(number)
        return self.wait(60)

    def wait(self, patience_s: float = PATIENCE_S) -> int:
        """Wait for the run's process to end and its output to be complete. Return the exit code."""
        code = self.process.wait(patience_s)
        present(self.reader).join(10)
        return code


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder for the system's state; on teardown, end any processes left behind by a failed test."""
    folder = tmp_path_factory.mktemp("laptop") / "state"
    yield folder
    sweep(str(folder))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def first(state: Path) -> Run:
    """Run the system once on generated data."""
    run = Run.of(state, "--once", "--sample")
    run.wait()
    return run


def events(state: Path) -> list[dict[str, Any]]:
    """Return the events that the system's runs have recorded."""
    return [json.loads(line) for line in (state / "events.jsonl").read_text().splitlines()]


def test_a_first_run_trains_promotes_serves_scores_and_looks(first: Run, state: Path) -> None:
    text = first.text()

    assert first.process.returncode == 0, text
    assert "GENERATED" in text
    assert "gate: auc holds" in text
    assert "'champion' of laptop-churn is now version 1" in text
    assert "answered 600 generated rows" in text
    assert "check psi of inference.churn failed" not in text  # without drift, there is no alert
    scores = pd.read_parquet(state / "stores" / "laptop-lake" / "scores")
    assert len(scores) == 3000
    succeeded = {event["address"] for event in events(state) if event["event"] == "succeeded"}
    assert {"pipelines.train", "pipelines.score", "monitors.drift"} <= succeeded
    assert list(marked(str(state))) == []


def test_drift_starts_a_retraining_and_a_worse_version_is_refused(first: Run, state: Path) -> None:
    """Drift starts one retraining, and the gate keeps version 1.

    The second run of the system continues from version 1.
    """
    assert first.process.returncode == 0
    (file,) = (state / "stores" / "laptop-lake" / "customers").glob("*.parquet")
    rows = pd.read_parquet(file)
    rows["left"] = np.random.default_rng(3).integers(0, 2, len(rows))
    rows.to_parquet(file)

    run = Run.of(state, "inference.churn", "monitors.drift", "--drift")
    run.await_line("pipeline train is started")
    assert "usage" in run.await_line("check psi of inference.churn failed: usage")
    assert not [line for line in run.lines if "failed: plan" in line]
    run.await_line("pipelines.train              done in")
    assert "auc" in run.await_line("fails the gate")
    address = json.loads((state / "addresses.json").read_text())
    status, answer = Endpoint("churn", "/", address["endpoints"], None).predict([{"usage": 1.0, "age": 2, "plan": "a"}])

    assert status == 200, answer
    assert json.loads(answer)["model"]["version"] == "1"
    check_page(Visitor(address["page"]))
    assert run.end() == 0, run.text()
    assert list(marked(str(state))) == []
    assert events(state)[-1]["event"] == "stopped"
    runs = [json.loads(path.read_text()) for path in (state / "runs").glob("2*.json")]
    assert [run_record["pipeline"] for run_record in runs if run_record["startedBy"] == "monitor-drift"] == ["train"]


def check_page(page: Visitor) -> None:
    """Check that the page shows this run's decisions and measurements, and that its form can query the model."""
    status, answer = page.submit("churn", {"input:usage": "1", "input:age": "2", "input:plan": "a"})
    _, text = page.get()

    assert (status, answer["status"]) == (200, 200), answer
    assert '"version": "1"' in answer["answer"]
    assert page.submit("churn", {"input:usage": "much"})[1]["status"] == 422
    assert re.search(r"<td>1</td><td><span[^>]*>champion</span></td><td>held</td>", text)
    assert re.search(r"<td>2</td><td></td><td>refused</td>", text)
    for part in ("fails the gate", "pipeline train is started", "psi by monitors.drift", "auc_roc of laptop-churn"):
        assert part in text


@pytest.mark.parametrize(("delay_s", "number"), [(0.2, signal.SIGINT), (3.0, signal.SIGTERM)])
def test_a_signal_at_the_start_leaves_nothing(delay_s: float, number: int, tmp_path: Path) -> None:
    """A signal at startup leaves nothing behind.

    It arrives while Python imports Ray, which cannot be imported a second time, or while Ray and MLflow start.
    """
    folder = tmp_path / "state"
    run = Run.of(folder)
    run.await_line("everything is kept")
    time.sleep(delay_s)
    run.end(number)

    assert "Traceback" not in run.text()
    assert "everything has stopped" in run.text()
    assert list(marked(str(folder))) == []
    assert not (folder / "addresses.json").exists()


def test_a_killed_run_leaves_no_process_and_the_next_goes_on(first: Run, state: Path) -> None:
    assert first.process.returncode == 0
    run = Run.of(state, "inference.churn")
    run.await_line("answers at http://127.0.0.1")
    run.end(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while list(marked(str(state))) and time.monotonic() < deadline:
        time.sleep(0.2)

    assert list(marked(str(state))) == []
    again = Run.of(state, "inference.churn")
    again.await_line("answers at http://127.0.0.1")
    assert again.end(signal.SIGTERM) == 0, again.text()
    assert list(marked(str(state))) == []
