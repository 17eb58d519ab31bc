"""Fixtures: folders with a valid and an invalid spec, the command line, a registry and an approver's key."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from modelyard.cli.main import main
from modelyard_runtime.promotion import gate
from modelyard_runtime.registry import lineage
from tests.compiler.cli.approving import DIGEST, Registry, listed
from tests.compiler.cli.commands import SPEC, CommandResult
from tests.examples import FOLDER


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's cache folder out of the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    """Return a copy of the smallest example, which has a cloud environment."""
    shutil.copytree(FOLDER / "hello", tmp_path / "hello")
    return tmp_path / "hello"


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """Return a folder with a spec."""
    folder = tmp_path / "churn"
    folder.mkdir()
    (folder / "system.yaml").write_text(SPEC, encoding="utf-8")
    return folder


@pytest.fixture
def wrong(system: Path) -> Path:
    """Return a folder with a spec that has a typo."""
    (system / "system.yaml").write_text(SPEC.replace("compute:", "compte:"), encoding="utf-8")
    return system


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., CommandResult]:
    """Return a function that runs the command line in this process."""

    def run_command(*arguments: str | Path) -> CommandResult:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return CommandResult(code, captured.out, captured.err)

    return run_command


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the URL of a loopback registry without authentication, with a model version that passed its gate."""
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD", raising=False)
    Registry.tags = {
        "modelyard.digest": DIGEST,
        gate.GATE_TAG: "held",
        lineage.WORKLOAD_TAG: "pipelines.retrain",
        "modelyard.environment": "default",
    }
    Registry.logins, Registry.instead, Registry.forgets = [], b"", False
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Return an SSH key that the spec lists for one of its groups of approvers."""
    return listed(tmp_path, "model-risk", "ada@acme.example")
