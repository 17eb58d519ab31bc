"""`serve` deploys a system's model servers to the local Ray instance, behind the router."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import threading
from pathlib import Path
from typing import Any

from aiohttp import web

from modelyard_runtime.local.loopback import guarded
from modelyard_runtime.local.plan import LocalPlan, read_plan
from modelyard_runtime.local.router import Router
from modelyard_runtime.local.scaling import deployment_options
from modelyard_runtime.local.state import READY
from modelyard_runtime.serving.application import DEPLOYMENT, server_class
from modelyard_runtime.serving.checks import check_server
from modelyard_runtime.workload.records import workload_of

_log = logging.getLogger(__name__)


def run(folder: str, state: str, port: int, serve_port: int) -> int:
    """Serve until SIGTERM, creating `serving.ready` once all applications are running."""
    import ray

    plan = read_plan(Path(folder))
    ready = Path(state) / READY
    ready.unlink(missing_ok=True)
    ray.init(address=os.environ["RAY_ADDRESS"], log_to_driver=False)
    deployed = threading.Thread(target=_deploy, args=(plan, Path(state), serve_port, ready), daemon=True)
    deployed.start()
    asyncio.run(_route(plan, port, serve_port))
    return 0


def _deploy(plan: LocalPlan, state: Path, serve_port: int, ready: Path) -> None:
    try:
        from ray import serve

        serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": serve_port})
        serve.run_many(_targets(plan, state))
        ready.touch()
    except Exception:  # noqa: BLE001 - the run reports the log of a process that ends
        _log.exception("the servers could not be deployed")
        os._exit(1)


def _targets(plan: LocalPlan, state: Path) -> list[Any]:
    from ray import serve

    targets: list[Any] = []
    for server in plan.servers.values():
        content = json.loads((state / server.description).read_text(encoding="utf-8"))
        workload = check_server(workload_of(content))
        for entry in server.applications:
            options = deployment_options(entry["deployments"][0])
            name = str(entry["name"])
            deployment = serve.deployment(name=DEPLOYMENT, **options)(guarded(server_class(workload, name)))
            targets.append(serve.RunTarget(deployment.bind(workload, name), name=name, route_prefix=f"/{name}"))
    return targets


async def _route(plan: LocalPlan, port: int, serve_port: int) -> None:
    router = Router(plan.endpoints, f"http://127.0.0.1:{serve_port}")
    runner = web.AppRunner(router.application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    await runner.cleanup()
