"""Starts a real MLflow server with user accounts on loopback, just as the registry container does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modelyard_runtime.workload.records import RegistryWorkload
from testbed.processes import free_ports
from tests.runtime.described import BEGINNING, completed

ADMIN, TRAINER, SERVER = "admin", "workload.retrain", "workload.scorer"
PROMOTER, HISTORY = "workload.promoter", "fraud/cards-fraud/aliases"
MODEL, OTHER, EXPERIMENT = "cards-fraud", "other-model", "fraud/retrain"


class Running:
    """A server and the passwords of its users."""

    def __init__(self, folder: Path, database: str = "") -> None:
        (port,) = free_ports(1)
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.database = database or f"sqlite:///{folder}/mlflow.db"
        self.logins = folder / "logins"
        self.logins.mkdir(exist_ok=True)  # the folder of an earlier start
        for name in (TRAINER, SERVER, PROMOTER):
            (self.logins / name).write_text(f"the password of {name}\n")
        self.described: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": str(port),
            "workers": "1",
            "allowedHosts": [f"127.0.0.1:{port}"],
            "artifacts": f"file://{folder}/artifacts",
            "experiments": {name: f"file://{folder}/artifacts/{name}" for name in (EXPERIMENT, HISTORY, "fraud/other")},
            "models": [MODEL, OTHER],
            "users": {
                TRAINER: {"experiments": [EXPERIMENT], "models": [MODEL]},
                PROMOTER: {"experiments": [HISTORY], "models": [MODEL]},
                SERVER: {},
            },
            "movers": [PROMOTER],
        }
        (folder / "workload.json").write_text(
            json.dumps(completed(RegistryWorkload, {**BEGINNING, "server": self.described}))
        )
        self.environment = {
            "MODELYARD_WORKLOAD": str(folder / "workload.json"),
            "MODELYARD_DATABASE": self.database,
            "MODELYARD_LOGINS": str(self.logins),
            "MLFLOW_AUTH_CONFIG_PATH": str(folder / "basic-auth.ini"),
            "MLFLOW_AUTH_ADMIN_USERNAME": ADMIN,
            "MLFLOW_AUTH_ADMIN_PASSWORD": f"the password of {ADMIN}",
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "0" * 32,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }

    def answers(self, path: str = "/health") -> int:
        """Send a request without logging in and return the response's status code."""
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code


@contextmanager
def started(folder: Path, database: str = "") -> Generator[Running]:
    """Run a registry server, using SQLite by default. Its output goes to the file `log` in its folder."""
    server = Running(folder, database)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, **server.environment, "PATH": path, "PYTHONPATH": os.pathsep.join(sys.path)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "modelyard_runtime", "registry"],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,  # the server's workers are separate processes and are killed with the process group
        )
        try:
            until = time.monotonic() + 300
            while not _is_up(server):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < until, (folder / "log").read_text()
                time.sleep(0.5)
            yield server
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _is_up(server: Running) -> bool:
    try:
        return server.answers() == 200
    except urllib.error.URLError:
        return False
