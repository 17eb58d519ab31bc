"""Runs our HTTP server without a Ray cluster, using models in a file registry, and sends requests to it."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import uvicorn
from starlette.requests import Request
from starlette.responses import Response

from modelyard_runtime.registry import client as registry
from modelyard_runtime.serving.application import Server
from modelyard_runtime.workload.records import ServerWorkload, Workload
from tests.runtime.described import record

Kinds = Mapping[str, str]


def summing() -> Any:
    """Return a model that predicts the sum of a row's values.

    If the first value exceeds 1000, the model first sleeps for the excess in seconds.
    """
    from mlflow.pyfunc.model import PythonModel

    class Summing(PythonModel):  # type: ignore[misc]
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            numbers = model_input.select_dtypes("number")
            time.sleep(max(float(numbers.iloc[0, 0]) - 1000, 0))
            return numbers.sum(axis=1).to_numpy()

    return Summing()


def workload(folder: Path, **application: Any) -> dict[str, Any]:
    """Return a server's description."""
    model = {"name": "sum", "registeredName": "shop-sum", "task": "regression"}
    described = {
        "variant": "live",
        "model": {**model, "uri": "models:/shop-sum@champion", "alias": "champion"},
        "batching": {"maxSize": 1, "maxWaitMilliseconds": 5},
        "timeoutSeconds": 30,
        **application,
    }
    return {"registry": {"uri": f"file://{folder}/registry"}, "applications": {"scorer-live": described}}


def register(described: Mapping[str, Any], model: Any, kinds: Kinds, required: bool = True) -> str:
    """Register a model version with the given columns, and point the alias to it."""
    from mlflow.models import ModelSignature
    from mlflow.sklearn import log_model
    from mlflow.types import ColSpec, Schema

    registry.connect(record(Workload, dict(described)))
    signature = ModelSignature(Schema([ColSpec(kind, name, required=required) for name, kind in kinds.items()]))
    with mlflow.start_run():
        if not hasattr(model, "fit"):
            logged = mlflow.pyfunc.log_model(name="model", python_model=model, signature=signature, pip_requirements=[])
        else:
            logged = log_model(
                model, name="model", signature=signature, serialization_format="cloudpickle", pip_requirements=[]
            )
    version = registry.register("shop-sum", logged.model_uri, {})
    registry.set_alias("shop-sum", "champion", version.version)
    return version.version


@dataclass(frozen=True)
class Answered:
    """A server's response."""

    status: int
    content: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Endpoint:
    """The address of a server."""

    address: str
    server: Server

    def ask(
        self, content: Any = None, path: str = "", method: str = "POST", headers: Mapping[str, str] | None = None
    ) -> Answered:
        """Send one request. A body given as bytes is sent unchanged."""
        body = content if isinstance(content, bytes | type(None)) else json.dumps(content).encode()
        request = urllib.request.Request(
            f"http://{self.address}{path}", body, {"Content-Type": "application/json", **(headers or {})}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return Answered(response.status, _content(response.read()), response.headers)
        except urllib.error.HTTPError as problem:
            return Answered(problem.code, _content(problem.read()), dict(problem.headers.items()))


@contextmanager
def serving(described: dict[str, Any], prefix: str = "/shop") -> Generator[Endpoint]:
    """Run the described server under a URL path prefix, as Ray Serve does."""
    server = Server(record(ServerWorkload, described), "scorer-live")

    async def app(scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        response: Response = await server(Request({**scope, "root_path": prefix}, receive))
        await response(scope, receive, send)

    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    yield Endpoint(f"127.0.0.1:{port}{prefix}", server)
    running.should_exit = True
    thread.join(timeout=30)
    server.__del__()


def _content(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
