"""Tests that `modelyard try` creates a system once, runs all of it, and sends requests to its endpoints."""

from __future__ import annotations

import fcntl
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from modelyard.cli import run as running
from tests.compiler.cli.commands import Run

ROW = {"radius": 17.99}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """Record the commands that would replace this process, in an empty folder with every package installed."""
    commands: list[list[str]] = []

    def become(command: list[str], environment: dict[str, str]) -> int:
        commands.append(command)
        return 0

    def find_spec(name: str) -> str:
        return name

    monkeypatch.setattr(running, "_become", become)
    monkeypatch.setattr(running, "find_spec", find_spec)
    monkeypatch.chdir(tmp_path)
    return commands


def test_a_first_try_makes_a_system_and_a_second_goes_on(run: Run, started: list[list[str]], tmp_path: Path) -> None:
    first = run("try", "--once")
    folder = tmp_path / "modelyard-try"
    spec = folder / "system.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("min: 0.9", "min: 0.8"), encoding="utf-8")
    second = run("try")

    assert (first.code, second.code) == (0, 0)
    assert (folder / "collect.py").is_file()
    assert [command[-4:] for command in started] == [
        ["--once", "--now", "--sample", "--ask"],
        [str(folder), "--now", "--sample", "--ask"],
    ]
    assert "delete the folder to start over" in second.err
    assert "min: 0.8" in spec.read_text(encoding="utf-8")


@pytest.mark.parametrize(("typed", "system"), [("mine", "collect.py"), ("batch", "lifetime_value")])
def test_a_template_or_a_folder(run: Run, started: list[list[str]], tmp_path: Path, typed: str, system: str) -> None:
    """A template name creates a folder of that name. Any other argument is the folder of a local system."""
    run("try", typed)

    assert system in (tmp_path / typed / "system.yaml").read_text(encoding="utf-8")


def test_a_python_without_ray_changes_nothing(run: Run, tmp_path: Path) -> None:
    result = run("try", tmp_path / "new")

    assert result.code == 1
    assert "[E0886]" in result.err
    assert "-m pip install" in result.err
    assert "[local]" in result.err
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made(run: Run, started: list[list[str]], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("try", tmp_path / "file" / "below")

    assert (result.code, "cannot write to" in result.err, started) == (1, True, [])


class Answering(BaseHTTPRequestHandler):
    """An HTTP handler that responds with the body of the request."""

    def do_POST(self) -> None:
        """Respond with the request body, and with status 401 unless the token is correct."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if self.headers["Authorization"] == "Bearer secret" else 401)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
        """Print nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    """Return the URL of an endpoint that checks a token."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/diagnosis"
    server.shutdown()
    server.server_close()


def test_asking_needs_a_system_that_runs(run: Run, started: list[list[str]], tmp_path: Path, endpoint: str) -> None:
    """The run's stored request is sent again using the caller's token. Without a run, asking fails."""
    run("try", "here")
    state = tmp_path / "here" / ".modelyard" / "default"
    state.mkdir(parents=True)
    (state / "token").write_text("secret\n")
    question = {"url": endpoint, "token": str(state / "token"), "row": ROW, "label": "malignant", "value": 1}
    (state / "questions.json").write_text(json.dumps({"diagnosis": question}))
    (state / "run.lock").write_text("1")
    refused = run("try", "here", "--ask")
    assert (refused.code, "[E0877]" in refused.err) == (1, True)

    with (state / "run.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = run("try", "here", "--ask")

        assert result.code == 0
        assert 'ms: {"instances": [{"radius": 17.99}]}' in result.out
        assert "in the data, malignant of this row is 1" in result.out
        (state / "token").write_text("wrong\n")
        assert run("try", "here", "--ask").code == 1
