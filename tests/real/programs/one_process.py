"""Run local copies of systems in this process, from generated data to the first results of their monitors.

    one_process.py FOLDER…

Each folder contains a copy that is compiled to `main`. Its state is written to `state` next to it. This process does
what `modelyard run --once --sample` does with more of them: it calls what Ray would run on workers, serves the models
that Serve would serve, and opens the registry's database, which is the same for all systems. A search tries two points
of its space. Prints the outcome of each system as JSON on the last line.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import ray
import ray.serve.batching
import ray.tune  # pyright: ignore[reportUnusedImport]  # it uses Ray when it is imported
import uvicorn
from aiohttp import web
from ray.exceptions import RayError
from starlette.requests import Request

from modelyard_runtime.__main__ import main as runtime
from modelyard_runtime.batch.scorer import Scorer, Task
from modelyard_runtime.jobs.local_runs import RUNS, LocalRuns
from modelyard_runtime.local import sample, work
from modelyard_runtime.local.base import Base
from modelyard_runtime.local.loopback import guarded
from modelyard_runtime.local.notes import Notes
from modelyard_runtime.local.placed import place_all
from modelyard_runtime.local.plan import read_plan
from modelyard_runtime.local.ports import free_port
from modelyard_runtime.local.printer import Printer
from modelyard_runtime.local.router import Router
from modelyard_runtime.local.runs import (
    Outcome,
    Runs,
    _logged_value,  # pyright: ignore[reportPrivateUsage]
    message_of,
)
from modelyard_runtime.local.scaling import Machine
from modelyard_runtime.local.state import State
from modelyard_runtime.serving.application import server_class
from modelyard_runtime.training import tuning
from modelyard_runtime.workload.records import ServerWorkload, workload_of

TRIALS, ROWS, LIVE_ROWS = 2, 1500, 200
CAPTURED_S = 1.5
"""Longer than the interval at which captured requests are written, which an environment variable sets."""

LINE = logging.Formatter("%(asctime)s %(levelname)s %(message)s")


class WorkerFailed(RayError):
    """A task or a method of an actor has raised `cause`, which its caller gets from Ray in the same way."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(str(cause))
        self.cause = cause


@dataclass(frozen=True)
class Reference:
    """The result of a call, which has already ended."""

    value: Any = None
    problem: BaseException | None = None


@dataclass(frozen=True)
class Remote:
    """A function that is called here instead of on a worker, or a class whose methods are."""

    called: Any
    returns: int = 1

    def options(self, num_returns: int = 1, **_: Any) -> Remote:
        """Return a copy for the given number of results. A call in this process needs no resources."""
        return Remote(self.called, num_returns)

    def remote(self, *arguments: Any, **named: Any) -> Any:
        """Call it with the values of the references among its arguments."""
        values = [get(argument) if isinstance(argument, Reference) else argument for argument in arguments]
        if isinstance(self.called, type):
            return Actor(self.called(*values, **named))
        try:
            result = self.called(*values, **named)
        except Exception as problem:  # noqa: BLE001 - as for Ray, `get` raises it
            failed = Reference(problem=WorkerFailed(problem))
            return failed if self.returns == 1 else (failed,) * self.returns
        return Reference(result) if self.returns == 1 else tuple(map(Reference, result))


@dataclass(frozen=True)
class Actor:
    """An object whose methods are called here."""

    instance: Any

    def __getattr__(self, name: str) -> Remote:
        return Remote(getattr(self.instance, name))


def get(reference: Any) -> Any:
    """Return the value of a reference, or those of a list of references."""
    if isinstance(reference, list):
        return [get(each) for each in reference]
    if reference.problem is not None:
        raise reference.problem
    return reference.value


def wait(references: list[Any], **_: Any) -> tuple[list[Any], list[Any]]:
    """Return all references, because every call has ended."""
    return references, []


HERE: dict[str, Any] = {
    "remote": Remote,
    "get": get,
    "put": Reference,
    "wait": wait,
    "kill": lambda actor: None,
    "nodes": list,
    "is_initialized": lambda: True,
}
"""What replaces Ray's functions of the same names."""


def search(declared: Any, trial: Any, worker: Any, most: int, parent: Any, nested: Any, reuse: bool = False) -> Any:
    """Try a few points of a search's space one after the other, and return the best."""
    finished: list[tuple[dict[str, Any], dict[str, float]]] = []
    for number in map(str, range(TRIALS)):
        parameters = {name: domain.sample() for name, domain in tuning.space(declared).items()}
        reported: dict[str, float] = {}
        nested.began(number, parameters)
        trial(parameters, reported.update)
        nested.ended(number, failed=False)
        finished.append((parameters, reported))
    return tuning.best(finished, declared.metric, declared.goal == "maximize")[0]


def score_here(workload: Any, output: str, handle: Any, tasks: list[Task], *_: Any) -> Iterator[Mapping[str, Any]]:
    """Score files in this process."""
    scorer = Scorer(workload, output, handle)
    for task in tasks:
        yield {key: values[0] for key, values in scorer({"task": [task.packed()]}).items()}


class Messages(logging.Handler):
    """Passes on the messages that a run would print, and remembers the last one and all measured values."""

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(LINE)
        self.last, self._show = "", show
        self.values: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self.line(self.format(record))

    def line(self, text: str) -> None:
        """Pass on the message of a line of output, if it has one."""
        if message := message_of(text):
            self.last = message
            self._show(message)
        if value := _logged_value(text):
            self.values[value[0]] = value[1]


class RunsHere(Runs):
    """Runs workloads in this process."""

    def _once(
        self, address: str, verb: str, description: Path, timeout_s: int, replaced: Callable[[], bool]
    ) -> Outcome:
        messages, root, printed = Messages(lambda line: self._show(address, line)), logging.getLogger(), io.StringIO()
        os.environ["MODELYARD_WORKLOAD"] = str(description)
        root.addHandler(messages)
        try:
            with redirect_stderr(printed):
                code = runtime([verb])
        finally:
            root.removeHandler(messages)
        for line in printed.getvalue().splitlines():
            messages.line(line)
        self.notes.measured(address, messages.values)
        return Outcome(code == 0, messages.last, self._log(address))


@dataclass
class Servers:
    """The model servers of a system and the router in front of them, in a thread."""

    applications: dict[str, Any]
    thread: threading.Thread | None = None
    running: uvicorn.Server | None = None
    started: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on to the application that its path begins with."""
        name = scope["path"].split("/")[1]
        response = await self.applications[name](Request({**scope, "root_path": f"/{name}"}, receive))
        await response(scope, receive, send)

    def start(self, router: Router, port: int, serve_port: int) -> None:
        """Start serving, and return once requests are accepted."""
        config = uvicorn.Config(self, port=serve_port, log_level="error", lifespan="off")
        server = self.running = uvicorn.Server(config)
        self.thread = threading.Thread(target=asyncio.run, args=(self._serve(server, router, port),), daemon=True)
        self.thread.start()
        self.started.wait(60)

    async def _serve(self, server: uvicorn.Server, router: Router, port: int) -> None:
        runner = web.AppRunner(router.application(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self.started.set()
        await server.serve()
        await runner.cleanup()

    def stop(self) -> None:
        """Stop serving, after which captured requests are on disk."""
        if self.running is not None and self.thread is not None:
            self.running.should_exit = True
            self.thread.join(30)
        for application in self.applications.values():
            application.__del__()


class Here(Base):
    """What the workloads of a system need, in this process."""

    servers: Servers

    def start(self) -> None:
        """Describe the workloads for this machine."""
        self.registry_uri = f"sqlite:///{self.state.folder.parents[1]}/registry.db"
        self.placed = place_all(self.folder, self.plan, self.state, self.machine, self.registry_uri)
        nothing: Any = None
        self.runs = RunsHere(self.state, nothing, {}, self.say, Notes(self.state))
        self.servers = Servers({})
        self.endpoints_port = free_port(8600)
        self.serve_port = free_port(8700, frozenset({self.endpoints_port}))

    def deployed(self) -> bool:
        """Start the servers when they are asked for, which is after the training."""
        for server in self.plan.servers.values():
            workload = workload_of(self.placed.contents[server.description])
            assert isinstance(workload, ServerWorkload)
            for name in workload.applications:
                self.servers.applications[name] = guarded(server_class(workload, name))(workload, name)
        router = Router(self.plan.endpoints, f"http://127.0.0.1:{self.serve_port}")
        self.servers.start(router, self.endpoints_port, self.serve_port)
        return True


def run(folder: Path) -> dict[str, Any]:
    """Run a copy once, and return its exit code, output and events."""
    output = io.StringIO()
    plan, state = read_plan(folder / "main"), State.at(folder / "state")
    runs = LocalRuns(state.below("runs", "x").parent)
    runs.declare({name: pipeline.schedule.overlap for name, pipeline in plan.pipelines.items()})
    os.environ[RUNS] = str(runs.folder)
    here = Here(plan, folder / "main", state, folder, Printer(output), Machine(1, 0))
    here.start()
    try:
        running = work.Work(here, runs, (), sample=True, drift=False)
        running.begin(everything=True)
        code = running.report()
    finally:
        here.servers.stop()
    return {
        "code": code,
        "output": output.getvalue(),
        "events": list(state.events()),
        "endpoints": [f"inference.{name}" for name in plan.endpoints],
        "monitors": [f"monitors.{name}" for name in plan.monitors],
    }


def main(folders: list[str]) -> None:
    """Run every copy, one after the other."""
    outcomes: dict[str, Any] = {}
    queue = ray.serve.batching._BatchQueue  # pyright: ignore[reportPrivateUsage]
    with (
        mock.patch.multiple(ray, **HERE),
        mock.patch.object(queue, "_warn_if_max_batch_size_exceeds_max_ongoing_requests"),  # which asks for its replica
        mock.patch("modelyard_runtime.pipelines.steps.search", search),
        mock.patch("modelyard_runtime.batch.run.on_workers", score_here),
        mock.patch.multiple(sample, ROWS=ROWS, LIVE_ROWS=LIVE_ROWS),
        mock.patch.object(work, "_CAPTURED_S", CAPTURED_S),
    ):
        for folder in map(Path, folders):
            try:
                outcomes[folder.name] = run(folder)
            except Exception:  # noqa: BLE001 - the other copies run nevertheless
                outcomes[folder.name] = {"code": 2, "output": traceback.format_exc(), "events": []}
    print(json.dumps(outcomes))


if __name__ == "__main__":
    logging.getLogger().setLevel(logging.INFO)
    main(sys.argv[1:])
