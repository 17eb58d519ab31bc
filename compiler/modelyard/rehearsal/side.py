"""Run one side of a rehearsal: MLflow with its own database, and a system's model servers, without a Ray cluster.

This program needs a Python with Ray and MLflow installed, and the compiled runtime. It prints a line of JSON with its
ports once all servers respond, and then prints `restarted` for each `restart` line that it reads. It exits when its
standard input ends, so nothing outlives the rehearsal, however the rehearsal ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import Any, TextIO

REQUESTS = "requests.json"
_ROWS = 50
_HOST = "127.0.0.1"
_PATIENCE_S = 60.0


def main(arguments: list[str]) -> int:
    """Run a compiled system in a state folder until standard input ends."""
    compiled, folder = (Path(argument) for argument in arguments)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # nobody would read the access logs that servers write to standard output
        return _run(compiled, folder, answers, _orders())


def _orders() -> SimpleQueue[str]:
    """Return a queue of the lines on standard input. When it ends, the main thread exits, whatever it is doing."""
    lines: SimpleQueue[str] = SimpleQueue()

    def read() -> None:
        with open(0, "rb", buffering=0, closefd=False) as stream:  # Python aborts if a thread is reading sys.stdin
            for line in stream:
                lines.put(line.decode().strip())
        os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGTERM, _exit)
    threading.Thread(target=read, daemon=True).start()
    return lines


def _exit(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # an orderly shutdown must not be interrupted
    raise SystemExit(0)


def _run(compiled: Path, folder: Path, answers: TextIO, orders: SimpleQueue[str]) -> int:
    plan = import_module("modelyard_runtime.local.plan").read_plan(compiled)
    state = import_module("modelyard_runtime.local.state").State.at(folder)
    with _lock(state):
        processes = import_module("modelyard_runtime.local.processes").Processes(str(state.folder))
        try:
            _serve(compiled, plan, state, processes, answers, orders)
        finally:
            processes.end()
    return 0


def _lock(state: Any) -> Any:
    """Acquire a state folder's lock, waiting while processes of a killed rehearsal still hold it."""
    refusal = import_module("modelyard_runtime.refusals").Refusal
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return state.lock()
        except refusal:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _serve(compiled: Path, plan: Any, state: Any, processes: Any, answers: TextIO, orders: SimpleQueue[str]) -> None:
    ports = import_module("modelyard_runtime.local.ports")
    registry = import_module("modelyard_runtime.local.registry")
    port = ports.free_port(plan.ports.registry)
    server = registry.start_registry(state, processes, port)
    machine = import_module("modelyard_runtime.local.scaling").Machine.this()
    place_all = import_module("modelyard_runtime.local.placed").place_all
    placed = place_all(compiled, plan, state, machine, f"http://{_HOST}:{port}")
    registry.await_registry(server, port, state)
    servers = dict(_servers(plan, placed))
    _keep_requests(plan, state, placed)
    serve = ports.free_port(plan.ports.endpoints)
    endpoints = ports.free_port(plan.ports.endpoints, frozenset({serve}))
    _start(servers, serve)
    router = import_module("modelyard_runtime.local.router").Router(plan.endpoints, f"http://{_HOST}:{serve}")
    listening = threading.Event()
    threading.Thread(target=asyncio.run, args=(_route(router, endpoints, listening),), daemon=True).start()
    if not listening.wait(_PATIENCE_S):
        raise TimeoutError(f"nothing listens at port {endpoints}")
    answers.write(json.dumps({"registry": port, "serve": serve, "endpoints": endpoints}) + "\n")
    answers.flush()
    while True:
        if orders.get() == "restart":
            server.terminate()
            server.wait()
            server = registry.start_registry(state, processes, port)
            registry.await_registry(server, port, state)
            answers.write("restarted\n")
            answers.flush()


def _servers(plan: Any, placed: Any) -> Any:
    records = import_module("modelyard_runtime.workload.records")
    check = import_module("modelyard_runtime.serving.checks").check_server
    class_of = import_module("modelyard_runtime.serving.application").server_class
    for entry in plan.servers.values():
        workload = check(records.workload_of(placed.contents[entry.description]))
        for application in entry.applications:
            name = str(application["name"])
            yield name, class_of(workload, name)(workload, name)


def _keep_requests(plan: Any, state: Any, placed: Any) -> None:
    """Store requests for each endpoint as paths and bodies, along with the path of a caller's token file."""
    path = state.folder / REQUESTS
    if path.exists():
        return
    requests: dict[str, Any] = {}
    for name, endpoint in plan.endpoints.items():
        token = str(state.token(name, endpoint.callers[0])) if endpoint.callers else ""
        requests[name] = {"requests": _requests(endpoint, plan, placed), "token": token}
    path.write_text(json.dumps(requests), encoding="utf-8")


def _requests(endpoint: Any, plan: Any, placed: Any) -> list[tuple[str, Any]]:
    """Return short texts for a language model, and rows of the system's own data for any other model."""
    asking = import_module("modelyard_runtime.local.asking")
    if endpoint.generates_text:
        texts: list[tuple[str, Any]] = asking.texts_for(endpoint, placed)
        return texts
    rows = asking.rows_for(endpoint, plan, placed)
    return [("", {"instances": [row]}) for row in rows.features[:_ROWS]] if rows is not None else []


def _start(servers: dict[str, Any], port: int) -> None:
    """Serve applications on a port. As in Ray Serve, the path's first segment selects the application."""
    uvicorn = import_module("uvicorn")
    starlette = import_module("starlette.requests"), import_module("starlette.responses")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        name = str(scope["path"]).split("/")[1]
        server = servers.get(name)
        if server is None:
            response: Any = starlette[1].JSONResponse({"error": f"no application {name!r}"}, status_code=404)
        else:
            response = await server(starlette[0].Request({**scope, "root_path": f"/{name}"}, receive))
        await response(scope, receive, send)

    running: Any = uvicorn.Server(uvicorn.Config(app, host=_HOST, port=port, log_level="error", lifespan="off"))
    threading.Thread(target=running.run, daemon=True).start()
    while not running.started:
        threading.Event().wait(0.02)


async def _route(router: Any, port: int, listening: threading.Event) -> None:
    web = import_module("aiohttp.web")
    runner = web.AppRunner(router.application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, _HOST, port).start()
    listening.set()
    await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
