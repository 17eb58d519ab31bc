"""Runs systems locally as a new user would, using `modelyard try` and a rehearsed move of an example.

The compiler's Python has no Ray, so it starts the runtime with the Python of the runtime's environment.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from modelyard.rehearsal.used import digests
from modelyard_runtime.local.processes import marked, sweep
from testbed import environments
from testbed.places import REPOSITORY
from tests.narrowing import present

REQUIREMENTS = ("runtime/modelyard_runtime/requirements.txt", "tests/runtime/requirements.txt")
PATIENCE_S = 1200


@pytest.fixture(scope="module")
def python() -> str:
    """Return the Python of the runtime's environment."""
    return str(environments.environment("".join((REPOSITORY / path).read_text() for path in REQUIREMENTS)))


MODELYARD = ("-m", "modelyard")
KILLED = Path(__file__).parent / "programs" / "killed_rehearsal.py"
MOMENTS = ("7-dual-run:do", "9-cut-over:weights")
LANGUAGE_MODEL = f"""
models:
  chat:
    task: text-generation
    framework: transformers
    import: {{store: lake, path: incoming/chat/1, digest: "sha256:{64 * "0"}"}}
inference:
  assistant: {{variants: {{live: {{model: chat@champion}}}}, compute: {{cpu: 1, memory: 2Gi}}}}
"""


def run(folder: Path, python: str, *arguments: str, program: tuple[str, ...] = MODELYARD) -> str:
    """Run a command in a folder and return its full output. The command must leave no processes running."""
    command = [sys.executable, *program, *arguments, "--python", python]
    path = os.pathsep.join(str(REPOSITORY / part) for part in ("compiler", "schemas", "targets", "stacks", "runtime"))
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
        )
        assert result.returncode == 0, result.stdout
        assert not [process for state in _states(folder) for process in marked(str(state))]
        return result.stdout
    finally:
        for state in _states(folder):
            sweep(str(state))


def _states(folder: Path) -> list[Path]:
    """Return the state folders of all systems.

    A folder's path also identifies the processes of a running system.
    """
    return [*folder.rglob(".modelyard/*"), *folder.rglob(".modelyard/*.rehearsal/*")]


def test_try_leads_to_a_prediction_of_a_row_that_was_held_out(tmp_path: Path, python: str) -> None:
    """User code collects real data, and every part of the system runs once, ending in a prediction."""
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


@pytest.mark.usefixtures("rclone")
def test_a_system_of_a_cloud_moves_while_callers_ask(tmp_path: Path, python: str) -> None:
    """A local copy is trained, served, and moved back and forth using the plan's commands. No response changes.

    The rehearsal is killed midway through the dual run and again while both sides serve callers, and resumes from
    there. Every object, ID, version, alias and digest then exists on both sides. A language model moves with the other
    model.
    """
    shutil.copytree(REPOSITORY / "examples" / "hello", tmp_path / "hello", ignore=shutil.ignore_patterns("build"))
    with (tmp_path / "hello" / "environments" / "aws.yaml").open("a", encoding="utf-8") as overlay:
        overlay.write(LANGUAGE_MODEL)
    before = (tmp_path / "hello" / "modelyard.lock").read_bytes()

    move = ("migrate", "hello", "--env", "aws", "--to", "gcp:europe-west3", "--rehearse")
    text = run(tmp_path, python, *move, program=(str(KILLED), *MOMENTS, "--"))

    assert [line for line in text.splitlines() if line.startswith((*MOMENTS, "finish"))] == [
        *(f"{moment} {-signal.SIGKILL}" for moment in MOMENTS),
        "finish 0",
    ]
    assert re.findall("continuing with (.*)", text) == ["7-dual-run", "9-cut-over", "8-freeze"]
    folder = tmp_path / "hello" / ".modelyard" / "aws-gcp.rehearsal"
    assert_it_ran_as_a_copy(text, (folder / "old" / "seed.log").read_text(encoding="utf-8"))
    assert (tmp_path / "hello" / "modelyard.lock").read_bytes() == before
    assert not (tmp_path / "hello" / "build").exists()
    assert "both sides gave the same answers to 56 requests" in text
    steps = re.findall(r"at (\d+) percent, the new side answered (\d+) of (\d+) requests", text)
    assert [int(step[0]) for step in steps] == [1, 10, 50, 100] * 3, "before and after the rollback, and in the report"
    for percent, new, all_of_them in steps:
        assert int(new) == pytest.approx(int(all_of_them) * int(percent) / 100, abs=2)
    assert "the old side serves all requests again; continuing with 8-freeze" in text
    match = present(re.search(r"callers sent (\d+) requests; every answer was the same as before the move", text))
    assert int(match[1]) > 800
    old, new = (digests(folder / which / "stores" / "hello-lake") for which in ("old", "new"))
    assert old == new
    assert any(name.endswith(".parquet") for name in new)
    assert any(name.endswith("MLmodel") for name in new)
    assert registry(folder / "old") == registry(folder / "new")
    versions = registry(folder / "new")["registered_model_aliases"]
    assert versions == [("hello-chat", "champion", 1), ("hello-churn", "champion", 1)]
    generated = [json.loads((folder / f"system/assistant-{which}.json").read_text()) for which in ("old", "new")]
    assert generated[0] == generated[1]
    assert len(generated[0][0]["message"]["content"]) == 8


def assert_it_ran_as_a_copy(notes: str, log: str) -> None:
    """Assert that only what this machine cannot do is replaced, and that the copy runs from data to responses."""
    assert "deployment                   aws is replaced by this machine" in notes
    assert "data.subscribers             GENERATED" in log
    assert "'champion' of hello-churn is now version 1" in log
    assert "answered 600 generated rows" in log
    assert "assistant answers: " in log


COPIED = {
    "experiments": "experiment_id, name",
    "runs": "run_uuid, experiment_id, name, status",
    "metrics": "run_uuid, key, value, step, timestamp",
    "params": "run_uuid, key, value",
    "model_versions": "name, version, run_id",
    "model_version_tags": "name, version, key, value",
    "registered_model_aliases": "name, alias, version",
}
"""The columns that must be equal in both sides' registries, by table. Addresses of files differ."""


def registry(side: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return the contents of a side's MLflow database that must match on both sides."""
    with closing(sqlite3.connect(f"{(side / 'mlflow.db').as_uri()}?mode=ro", uri=True)) as connection:
        return {
            table: sorted(connection.execute(f"SELECT {columns} FROM {table}")) for table, columns in COPIED.items()
        }
