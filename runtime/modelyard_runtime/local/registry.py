"""Starts MLflow on this machine, backed by a SQLite database and an artifact folder."""

from __future__ import annotations

import http.client
import importlib.util
import sys
import time
from typing import Any

from modelyard_runtime.local.processes import Processes
from modelyard_runtime.local.state import State
from modelyard_runtime.refusals import Refusal

_PATIENCE_S = 180.0


def start_registry(state: State, processes: Processes, port: int) -> Any:
    """Start the server. Use `await_registry` to wait until it responds."""
    if importlib.util.find_spec("sqlalchemy") is None or importlib.util.find_spec("flask") is None:
        raise Refusal("MLflow is installed without its server: pip install mlflow, not mlflow-skinny alone")
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host=127.0.0.1",
        f"--port={port}",
        "--workers=1",
        f"--backend-store-uri=sqlite:///{state.below('mlflow.db')}",
        f"--default-artifact-root={state.below('artifacts', 'x').parent.as_uri()}",
        "--no-serve-artifacts",
    ]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    return processes.start(command, quiet, state.below("logs", "registry.log"))


def await_registry(process: Any, port: int, state: State) -> None:
    """Wait until the server responds. Raise Refusal if it does not."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if answers(port, "/health"):
            return
        time.sleep(0.3)
    raise Refusal(f"MLflow did not start; its log is {state.folder / 'logs' / 'registry.log'}")


def answers(port: int, path: str) -> bool:
    """Return whether a local server responds to a request with status 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
