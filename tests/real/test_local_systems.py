"""Runs systems on this machine as a newcomer does: `modelyard try`, and a copy of an example for a cluster.

The compiler's Python has no Ray, so it starts the runtime with the one of the runtime's environment.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from modelyard.rehearsal.gateway import Question, body_of
from modelyard.rehearsal.running import SideProcess
from modelyard_runtime.local.processes import marked, sweep
from testbed import environments
from testbed.places import REPOSITORY
from tests.narrowing import present

REQUIREMENTS = ("runtime/modelyard_runtime/requirements.txt", "tests/runtime/requirements.txt")
PATIENCE_S = 900


@pytest.fixture(scope="module")
def python() -> str:
    """Return the Python of the runtime's environment."""
    return str(environments.environment("".join((REPOSITORY / path).read_text() for path in REQUIREMENTS)))


def run(folder: Path, python: str, *arguments: str) -> str:
    """Run a command in a folder, and return everything that it prints. Nothing may be left running."""
    command = [sys.executable, "-m", "modelyard", *arguments, "--python", python]
    path = os.pathsep.join(str(REPOSITORY / part) for part in ("compiler", "schemas", "targets", "stacks", "runtime"))
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stdout
        assert not [process for state in folder.rglob(".modelyard/*") for process in marked(str(state))]
        return done.stdout
    finally:
        for state in folder.rglob(".modelyard/*"):
            sweep(str(state))


def test_try_leads_to_a_prediction_of_a_row_that_was_held_out(tmp_path: Path, python: str) -> None:
    """Real data are collected by user code, and every part of the system decides once."""
    text = run(tmp_path, python, "try", "--once")
    state = tmp_path / "modelyard-try" / ".modelyard" / "default"

    assert "gate: good-enough holds: auc_roc is 0.9" in text
    assert "'champion' of modelyard-try-diagnosis is now version 1" in text
    answer = present(re.search(r"answer after \d+ ms: (.*)", text))
    (predicted,) = json.loads(answer[1])["predictions"]
    question = json.loads((state / "questions.json").read_text())["diagnosis"]
    assert predicted == question["value"]
    assert "malignant" not in question["row"]
    assert "answered 569 rows of the data" in text
    assert "check psi of inference.diagnosis failed" not in text
    assert list((state / "stores" / "modelyard-try-lake" / "scores").rglob("*.parquet"))


def test_a_system_of_a_cluster_answers_as_a_copy(tmp_path: Path, python: str) -> None:
    shutil.copytree(REPOSITORY / "examples" / "hello", tmp_path / "hello", ignore=shutil.ignore_patterns("build"))
    before = (tmp_path / "hello" / "modelyard.lock").read_bytes()
    text = run(tmp_path, python, "run", "hello", "--sample", "--once")

    assert "deployment                   kubernetes is replaced by this machine" in text
    assert "data.subscribers             GENERATED" in text
    assert "'champion' of hello-churn is now version 1" in text
    assert "answered 600 generated rows" in text
    assert (tmp_path / "hello" / "modelyard.lock").read_bytes() == before
    assert not (tmp_path / "hello" / "build").exists()
    assert_answers_without_ray(tmp_path / "hello" / ".modelyard" / "default.sample", python)


def assert_answers_without_ray(state: Path, python: str) -> None:
    """A rehearsal of a move starts the same system again, asks it for rows of its data, and restarts its registry."""
    (compiled,) = (path for path in (state / "build").iterdir() if path.is_dir())
    side = SideProcess(python, compiled, state, state.parents[1])
    try:
        (row, *others) = json.loads((state / "requests.json").read_text())["churn"]["rows"]
        question = Question("churn", "/churn", body_of(row), "", ())
        status, answer = question.send(side.ports["endpoints"], "/churn")
        side.restart_registry()
    finally:
        side.close()
    assert len(others) == 49
    assert (status, json.loads(answer)["model"]["version"]) == (200, "1")
    assert not list(marked(str(state)))
