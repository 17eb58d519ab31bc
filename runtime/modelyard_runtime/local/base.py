"""The foundation of a local system, i.e. its processes, registry, Ray and model servers."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelyard_runtime.local.notes import Notes
from modelyard_runtime.local.placed import Placed, place_all
from modelyard_runtime.local.plan import LocalPlan
from modelyard_runtime.local.ports import free_port
from modelyard_runtime.local.printer import Printer
from modelyard_runtime.local.processes import Processes
from modelyard_runtime.local.registry import await_registry, start_registry
from modelyard_runtime.local.runs import Runs, code_folders
from modelyard_runtime.local.scaling import Machine, groups_of
from modelyard_runtime.local.state import READY, State
from modelyard_runtime.refusals import Refusal

_log = logging.getLogger(__name__)
_SERVE_PORT = 8700
_OBJECT_STORE = 512 * 2**20
_ENVIRONMENT = {
    "MODELYARD_FOLLOW_S": "1",
    "MODELYARD_FLUSH_S": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # with Ray's default of 15, workers get no CPU time on a busy machine
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "RAY_SERVE_LOG_TO_STDERR": "0",
    # By default, Serve's proxy has 5 seconds to start, and 10 seconds to answer each health check. On a busy machine,
    # Serve would replace it again and again.
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
    "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "60",
}
"""Variables for all processes of a local system: short intervals, no telemetry, and patience on a busy machine."""


@dataclass(slots=True)
class Base:
    """Starts and stops what all workloads need."""

    plan: LocalPlan
    folder: Path
    state: State
    code: Path
    say: Printer
    machine: Machine = field(default_factory=Machine.this)
    processes: Processes | None = None
    runs: Runs | None = None
    placed: Placed = field(default_factory=Placed)
    endpoints_port: int = 0
    serve_port: int = 0
    registry_uri: str = ""
    _registry: Any = None
    _servers: Any = None

    def start(self) -> None:
        """Start the registry and Ray, and begin deploying the servers."""
        os.environ.update(_ENVIRONMENT)
        # Ray listens on the machine's own address even if it is configured with the loopback address.
        os.environ.update({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)})
        runtime = str(Path(__file__).resolve().parents[2])
        os.environ["PYTHONPATH"] = code_folders([str(self.code), runtime])
        self.processes = Processes(str(self.state.folder))
        registry_port = self._start_registry()
        self.placed = place_all(self.folder, self.plan, self.state, self.machine, self.registry_uri)
        for address, sentences in self.placed.scaled.items():
            for sentence in sentences:
                self.say(address, sentence)
        address = self._start_ray()
        environment = {"RAY_ADDRESS": address, "MLFLOW_TRACKING_URI": self.registry_uri}
        self.runs = Runs(self.state, self.processes, environment, self.say, Notes(self.state))
        if self._registry is not None:
            await_registry(self._registry, registry_port, self.state)
            self.say("registry", f"MLflow answers at {self.registry_uri}")
        self.state.announce(registry=self.registry_uri)
        if self.plan.servers:
            self._start_servers(environment)

    def _start_registry(self) -> int:
        assert self.processes is not None
        if self.plan.registry.adopted or not self.plan.registry.uri:
            self.registry_uri = self.plan.registry.uri
            return 0
        port = free_port(self.plan.ports.registry)
        self.registry_uri = f"http://127.0.0.1:{port}"
        self._registry = start_registry(self.state, self.processes, port)
        return port

    def _start_ray(self) -> str:
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        context = self._init_ray()
        address = str(context.address_info["gcs_address"])
        for number, handler in handlers.items():  # Ray's own SIGTERM handler would end this process immediately
            signal.signal(number, handler)
        self.say("ray", f"{self.machine.cpus} CPUs, {self.machine.gpus} GPUs")
        return address

    def _init_ray(self) -> Any:
        import ray

        logging.getLogger("ray").setLevel(logging.ERROR)
        try:
            return ray.init(
                address="local",
                num_cpus=self.machine.cpus,
                num_gpus=self.machine.gpus,
                resources=groups_of(list(self.placed.contents.values()), self.machine),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                object_store_memory=_OBJECT_STORE,
            )
        except Exception as problem:  # noqa: BLE001 - Ray raises no specific exception if it fails to start
            raise Refusal(f"Ray did not start: {problem}") from None

    def _start_servers(self, environment: dict[str, str]) -> None:
        assert self.processes is not None
        assert self.runs is not None
        self.endpoints_port = free_port(self.plan.ports.endpoints)
        self.serve_port = free_port(_SERVE_PORT, frozenset({self.endpoints_port}))
        arguments = [str(self.folder), str(self.state.folder), str(self.endpoints_port), str(self.serve_port)]
        log = self.state.below("logs", "serving.log")
        self._servers = self.processes.start(self.runs.command("serve", *arguments), environment, log)
        self.state.announce(endpoints=self.endpoints_port)

    def deployed(self) -> bool:
        """Return whether all applications are running. Raises Refusal if the server process has ended."""
        self.check()
        return (self.state.folder / READY).exists()

    def check(self) -> None:
        """Raise Refusal if the registry or the servers have stopped."""
        logs = self.state.folder / "logs"
        if self._servers is not None and self._servers.poll() is not None:
            raise Refusal(f"the servers have stopped; their log is {logs / 'serving.log'}")
        if self._registry is not None and self._registry.poll() is not None:
            raise Refusal(f"MLflow has stopped; its log is {logs / 'registry.log'}")

    def end(self) -> None:
        """Stop everything."""
        if self.processes is not None:
            self.processes.end(_leave_ray)
        self.state.withdraw()


def _leave_ray() -> None:
    """Disconnect from Ray, ignoring failures after an interrupted startup, as Ray is killed anyway."""
    shutdown = getattr(sys.modules.get("ray"), "shutdown", None)
    if shutdown is None:
        return
    try:
        shutdown()
    except Exception:  # noqa: BLE001 - a partly started Ray can fail in many ways, and this process is about to end
        _log.debug("Ray was not shut down", exc_info=True)
