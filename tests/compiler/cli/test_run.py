"""Tests that `modelyard run` starts the compiled runtime, and reports why a system can't run on this machine."""

from __future__ import annotations

import fcntl
import json
import os
import sys
from pathlib import Path

import pytest

from modelyard.cli import run as running
from tests.compiler.cli.commands import Run
from tests.examples import FOLDER, SYSTEMS

LANGUAGE = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: support}
governance: {owner: {team: care, email: care@acme.example}}
deployment: {mode: local}
stores: {files: {type: object}, runs: {type: database}}
registry: {database: runs, artifacts: files}
models:
  chat:
    task: text-generation
    framework: transformers
    import:
      store: files
      path: chat/1
      digest: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
inference:
  assistant:
    variants: {live: {model: chat@champion}}
    compute: {cpu: 1, memory: 2Gi}
"""
FAKE = """#!/bin/sh
case "$1" in
  -c) echo '[]';;
  *) for word in "$@"; do echo "$word"; done; echo "PYTHONPATH=$PYTHONPATH";;
esac
"""


@pytest.fixture
def laptop(tmp_path: Path) -> Path:
    """Return a folder with a spec that runs on this machine."""
    folder = tmp_path / "laptop"
    folder.mkdir()
    (folder / "system.yaml").write_text((SYSTEMS / "laptop" / "system.yaml").read_text())
    return folder


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """Record the commands that would replace this process. All Python packages count as installed."""
    commands: list[tuple[list[str], dict[str, str]]] = []

    def become(command: list[str], environment: dict[str, str]) -> int:
        commands.append((command, environment))
        return 0

    monkeypatch.setattr(running, "_become", become)

    def find_spec(name: str) -> str:
        return name

    monkeypatch.setattr(running, "find_spec", find_spec)
    return commands


def test_runtime_gets_the_compiled_folder(
    run: Run, laptop: Path, started: list[tuple[list[str], dict[str, str]]]
) -> None:
    """The compiled runtime takes precedence in imports, and everything written by a run is next to the spec."""
    assert run("run", laptop, "pipelines.train", "--once", "--sample").code == 0
    ((command, environment),) = started
    compiled = laptop / "build" / "default" / "main"

    assert command[:5] == [sys.executable, "-m", "modelyard_runtime", "local", str(compiled)]
    assert command[5:] == [
        "pipelines.train",
        *("--state", str(laptop / ".modelyard" / "default")),
        *("--code", str(laptop)),
        "--once",
        "--sample",
    ]
    assert environment["PYTHONPATH"].split(os.pathsep)[0] == str(compiled / "runtime")
    assert (compiled / "runtime" / "modelyard_runtime" / "__main__.py").is_file()


def test_an_address_alone_is_of_the_spec_in_this_folder(
    run: Run, laptop: Path, started: list[tuple[list[str], dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(laptop)
    assert run("run", "monitors.drift").code == 0

    assert started[0][0][5] == "monitors.drift"


def test_another_python_is_asked_for_its_packages(
    run: Run, laptop: Path, started: list[tuple[list[str], dict[str, str]]], tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text(FAKE)
    python.chmod(0o755)
    assert run("run", laptop, "--python", python).code == 0
    assert started[0][0][0] == str(python)

    python.write_text(FAKE.replace("[]", '["ray"]'))
    result = run("run", laptop, "--python", python)
    assert result.code == 1
    assert "[E0886]" in result.err
    assert "it lacks ray" in result.err
    for path, reason in ((tmp_path / "nowhere", "No such file"), (Path("/bin/ls"), "it is not Python")):
        result = run("run", laptop, "--python", path)
        assert "[E0887]" in result.err
        assert reason in result.err


def test_this_python_lacks_the_runtimes_packages(run: Run, laptop: Path) -> None:
    """If the compiler's own environment has neither Ray nor MLflow, the error says so, and nothing is written."""
    result = run("run", laptop)

    assert result.code == 1
    assert "[E0886]" in result.err
    assert f'{sys.executable} -m pip install "' in result.err
    assert '[local]"' in result.err
    assert not (laptop / "build").exists()


def test_language_models_need_another_extra(run: Run, tmp_path: Path) -> None:
    """A system without language models doesn't need the package that serves them."""
    (tmp_path / "system.yaml").write_text(LANGUAGE)
    result = run("run", tmp_path)

    assert "[E0886]" in result.err
    assert "mlx_lm" in result.err
    assert '[local,language]"' in result.err


def test_a_cluster_is_not_this_machine(run: Run, system: Path) -> None:
    """If the target is a cluster, the hint names an environment that runs on this machine, if any."""
    result = run("run", system)
    assert "[E0885]" in result.err
    assert "provider: local" in result.err

    result = run("run", FOLDER / "fraud-detection")
    assert "[E0885]" in result.err
    assert "add --env dev" in result.err


def test_a_copy_of_a_system_elsewhere_runs_here(
    run: Run, started: list[tuple[list[str], dict[str, str]]], tmp_path: Path
) -> None:
    """The local copy has its own folder. The spec, its lock and its output remain unchanged."""
    spec = tmp_path / "hello" / "system.yaml"
    spec.parent.mkdir()
    spec.write_text((FOLDER / "hello" / "system.yaml").read_text())
    result = run("run", spec.parent, "--sample", "--once")
    copied = spec.parent / ".modelyard" / "default.sample"

    assert result.code == 0
    assert "registry                     http://mlflow.mlflow.svc:5000 is not opened" in result.err
    assert started[0][0][4:] == [
        str(copied / "build" / "main"),
        *("--state", str(copied), "--code", str(spec.parent), "--once", "--sample"),
    ]
    assert "provider: local" in (copied / "system.yaml").read_text()
    assert sorted(path.name for path in spec.parent.iterdir()) == [".modelyard", "system.yaml"]
    assert run("run", spec.parent, "--drift").code == 0  # a second copy replaces the first
    assert run("status", spec.parent).code == 0


def test_a_copy_has_the_workloads_that_were_not_left_out(
    run: Run, started: list[tuple[list[str], dict[str, str]]], tmp_path: Path
) -> None:
    spec = tmp_path / "recommender" / "system.yaml"
    spec.parent.mkdir()
    spec.write_text((FOLDER / "recommender" / "system.yaml").read_text())

    assert run("run", spec.parent, "pipelines.train-ranker", "--sample").code == 0
    result = run("run", spec.parent, "pipelines.train-towers", "--sample")
    assert (result.code, "[E0889]" in result.err, len(started)) == (1, True, 1)


def test_an_unknown_workload_is_reported_with_the_nearest(
    run: Run, laptop: Path, started: list[tuple[list[str], dict[str, str]]]
) -> None:
    result = run("run", laptop, "pipelines.trian")

    assert result.code == 1
    assert "[E0889]" in result.err
    assert "did you mean 'pipelines.train'" in result.err
    assert started == []


def test_a_wrong_spec_is_reported_as_by_validate(run: Run, laptop: Path) -> None:
    path = laptop / "system.yaml"
    path.write_text(path.read_text().replace("auc_roc", "auc_rok"))
    result = run("run", laptop)

    assert result.code == 1
    assert "[E0435]" in result.err


def test_status_and_events_read_what_was_recorded(run: Run, laptop: Path) -> None:
    """A truncated line, other JSON or control characters in a record don't cause an error."""
    assert "[E0888]" in run("status", laptop).err
    state = laptop / ".modelyard" / "default"
    state.mkdir(parents=True)
    event = {
        "at": "2026-11-27T18:00:00+00:00",
        "address": "pipelines.train",
        "event": "succeeded",
        "text": "\x1b[2Jfine",
    }
    (state / "events.jsonl").write_text(f'{json.dumps(event)}\n[1]\n{{"at": 3}}\n{{"at": "2026')

    status = run("status", laptop)
    assert status.out.startswith("not running\n")
    assert "pipelines.train              succeeded at 2026-11-27T18:00:00+00:00" in status.out
    assert "\x1b" not in status.out
    assert run("events", laptop).out.count("\n") == 1
    assert json.loads(run("events", laptop, "--format", "json").out) == [event]
    assert json.loads(run("status", laptop, "--format", "json").out)["running"] is None


def test_status_lists_what_answers_while_it_runs(run: Run, laptop: Path) -> None:
    """Only endpoints that have started are listed, and only while a run holds the lock."""
    state = laptop / ".modelyard" / "default"
    state.mkdir(parents=True)
    (state / "addresses.json").write_text(json.dumps({"page": "http://127.0.0.1:8600/key/", "endpoints": 8000}))
    with (state / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        running = run("status", laptop).out

    assert "page                         http://127.0.0.1:8600/key/\n" in running
    assert "endpoints                    http://127.0.0.1:8000/\n" in running
    assert "registry" not in running
    assert "8600" not in run("status", laptop).out
