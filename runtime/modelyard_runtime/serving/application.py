"""The Serve application for MLflow models over HTTP, with batching, tokens, logs, captures and alias updates."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol

from modelyard_runtime.captures.capture import Captures
from modelyard_runtime.models.answers import Answer, Predictor, answer, plain
from modelyard_runtime.models.bundle_metrics import BundleMetrics
from modelyard_runtime.models.checker import BadRequest, Rows
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.serving.access_log import LONGEST_ID, Access, access_log_of
from modelyard_runtime.serving.bodies import MOST_BYTES, body_of
from modelyard_runtime.serving.checks import check_server
from modelyard_runtime.serving.inference_protocol import HEADER_LENGTH, Call, Infer, call_of, metadata
from modelyard_runtime.serving.loaded import Serving, load
from modelyard_runtime.serving.paths import asks_for_health, below
from modelyard_runtime.serving.payloads import rows_of
from modelyard_runtime.serving.request_metrics import RequestMetrics
from modelyard_runtime.serving.selection import Selected, Selection, described_origin
from modelyard_runtime.serving.tokens import Tokens
from modelyard_runtime.workload.description import digest
from modelyard_runtime.workload.mounted import mounted_workload
from modelyard_runtime.workload.records import ServerWorkload

if TYPE_CHECKING:
    import pandas as pd
    from ray.serve import Application
    from starlette.requests import Request
    from starlette.responses import Response

DEPLOYMENT = "model"

_MOUNT_LAG_S = 120.0  # the kubelet updates a mounted ConfigMap in a running Pod within about a minute
FOLLOW_S = float(os.environ.get("MODELYARD_FOLLOW_S", "20"))  # on one machine, an alias is looked up more often
_THREADS = 8  # more threads than CPUs, so that a slow call does not block others
_log = logging.getLogger(__name__)


def application(args: dict[str, str]) -> Application:
    """Create the application named by `args`. The digest identifies the version of the mounted description."""
    from ray import serve

    name = args["application"]
    workload = _wait_for_description(name, args.get("digest", ""), _MOUNT_LAG_S)
    return serve.deployment(name=DEPLOYMENT)(server_class(workload, name)).bind(workload, name)


def server_class(workload: ServerWorkload, name: str) -> type[Any]:
    """Return the class that serves an application, which depends on whether it's a language model."""
    if workload.applications[name].generation is None:
        return Server
    from modelyard_runtime.serving.language.server import LanguageServer

    return LanguageServer


def _wait_for_description(name: str, expected_digest: str, patience_s: float) -> ServerWorkload:
    deadline = time.monotonic() + patience_s
    while True:
        workload = check_server(mounted_workload())
        entry = workload.applications.get(name)
        if entry is not None and expected_digest in {"", entry.revision or digest(entry.source)}:
            return workload
        if time.monotonic() > deadline:
            problem = f"does not have the digest {expected_digest}" if entry is not None else "is missing"
            raise Refusal(f"application {name!r} {problem}: the mounted description is a different one")
        time.sleep(2)


class Form(Protocol):
    """A format in which rows and predictions are encoded."""

    def rows(self, body: bytes) -> Rows:
        """Decode the rows in a request body."""
        ...

    def content(self, answers: Answer, version: str, request_id: str) -> dict[str, Any]:
        """Create a response body."""
        ...


@dataclass(frozen=True, slots=True)
class Plain:
    """The default JSON format: rows of named columns, and predictions with the model's name and version."""

    model: str

    def rows(self, body: bytes) -> Rows:
        """Decode the rows in a request body."""
        return rows_of(body)

    def content(self, answers: Answer, version: str, request_id: str) -> dict[str, Any]:
        """Create a response body."""
        content: dict[str, Any] = {"predictions": [in_json(plain(value)) for value in answers.values]}
        if answers.scores is not None:
            content["scores"] = [in_json(score) for score in answers.scores.tolist()]
        return {**content, "model": {"name": self.model, "version": version}, "id": request_id}


@dataclass(frozen=True, slots=True)
class PredictionRequest:
    """Rows to be predicted with one version of the model."""

    serving: Serving
    rows: pd.DataFrame
    keys: dict[str, list[Any]]  # extra columns to capture
    form: Form
    access: Access


class Server:
    """One replica of a model server.

    While its variant has no version, it serves the version of the variant that stands in. Responses, logs and metrics
    then have the name of that variant, and nothing is captured.
    """

    def __init__(self, workload: ServerWorkload, name: str) -> None:
        from ray import serve

        record = workload.applications[name]
        self._name, self._workload = name, workload
        self._model = record.model
        self._task = self._model.task
        self._timeout_s = record.timeout_seconds
        self._most_bytes = MOST_BYTES if record.max_body_bytes is None else record.max_body_bytes
        self._entrypoint = record.entrypoint
        self._tokens = Tokens(record.auth.token_files) if record.auth is not None else None
        self._access_log = access_log_of(record)
        self._selection = Selection(workload, record)
        bundles = self._selection.bundles
        self._bundle_metrics = BundleMetrics(bundles, {"application": name}) if bundles else None
        self._metrics = RequestMetrics(name, record.timeout_seconds)
        self.serving: Serving | None = None
        self._begin()
        capture = record.capture
        self._captures = Captures(workload, capture, record.variant) if capture is not None else None
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="requests")
        self._one_by_one = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        batching = record.batching
        gather = serve.batch(
            max_batch_size=max(batching.max_size, 1),
            batch_wait_timeout_s=batching.max_wait_milliseconds / 1000,
        )
        self._gathered: Any = gather(self._answer_all) if batching.max_size > 1 else None
        self._ended = threading.Event()
        if not self._final():
            threading.Thread(target=self._follow, name="versions", daemon=True).start()

    async def __call__(self, request: Request) -> Response:
        """Handle one request. Every error becomes a JSON response."""
        request_id = request.headers.get("x-request-id", "")[:LONGEST_ID] or uuid.uuid4().hex
        access = Access(request_id)
        try:
            async with asyncio.timeout(self._timeout_s):
                status, content = await self._respond(request, access)
        except TimeoutError:
            status, content = 504, {"error": f"no response within {self._timeout_s} s"}
        except BadRequest as problem:
            status, content = problem.status, {"error": str(problem)}
        except Exception:  # noqa: BLE001 - a failed request gets an error response and must not end the replica
            _log.exception("request %s failed", request_id)
            status, content = 500, {"error": "the model failed on this request; see the server's log"}
        if not asks_for_health(request):
            self._metrics.answered(access.origin or self._selection.own, status, access.seconds)
            if self._access_log is not None:
                self._access_log.write(access, status)
        return _response(content, status, access)

    def __del__(self) -> None:
        """Write the pending captures when Serve stops the replica."""
        if hasattr(self, "_ended"):
            self._ended.set()
            if self._captures is not None:
                self._captures.close()

    async def _respond(self, request: Request, access: Access) -> tuple[int, dict[str, Any] | bytes]:
        serving, call = self.serving, call_of(below(request))
        access.origin = serving.origin if serving is not None else None
        absent = {"error": f"no version of {self._model.uri} exists yet"}
        if call is not None and call.kind == "live":
            return 200, {"live": True}
        if asks_for_health(request):
            if serving is None:
                return 503, absent
            return 200, {"status": "ok", "version": serving.version} if call is None else {"ready": True}
        if self._tokens is not None:
            access.caller = self._tokens.caller(request.headers.get("authorization", ""))
        if self._tokens is not None and access.caller is None:
            return 401, {"error": "this endpoint requires a bearer token"}
        if request.method != ("POST" if call is None or call.kind == "infer" else "GET"):
            return 405, {"error": "send rows with POST"}
        if serving is None:
            return 503, absent
        form: Form = Plain(serving.origin.model)
        if call is not None:
            self._check_names(call, serving)
            if call.kind != "infer":
                return 200, _described_by(call, serving)
            form = Infer(call.model, serving.checker.columns, request.headers.get(HEADER_LENGTH))
        return 200, await self._answered(await body_of(request, self._most_bytes), serving, form, access)

    def _check_names(self, call: Call, serving: Serving) -> None:
        if call.model and call.model not in (self._model.registered_name, self._model.name, serving.origin.model):
            raise BadRequest(f"there is no model {call.model!r} here", 404)
        if call.version and call.version != serving.version:
            raise BadRequest(f"version {call.version} of the model is not served here; {serving.version} is", 404)

    async def _answered(self, body: bytes, serving: Serving, form: Form, access: Access) -> bytes:
        """Respond to a request body, running work that grows with the number of rows outside the event loop."""
        loop = asyncio.get_running_loop()
        if self._gathered is None:
            threads = self._threads if serving.overlaps else self._one_by_one
            return await loop.run_in_executor(threads, self._at_once, body, serving, form, access)
        pending = await loop.run_in_executor(self._threads, self._request_of, body, serving, form, access)
        answers: Answer = await self._gathered(pending)
        return await loop.run_in_executor(self._threads, self._encoded, pending, answers)

    def _at_once(self, body: bytes, serving: Serving, form: Form, access: Access) -> bytes:
        pending = self._request_of(body, serving, form, access)
        return self._encoded(pending, answer(serving.model, self._task, pending.rows))

    def _request_of(self, body: bytes, serving: Serving, form: Form, access: Access) -> PredictionRequest:
        rows = form.rows(body)
        access.rows = len(rows)
        key_values = {name: rows.values(name) for name in (self._captures.keys if self._captures is not None else ())}
        keys = {name: values for name, values in key_values.items() if values is not None}
        return PredictionRequest(serving, serving.checker.frame(rows), keys, form, access)

    def _encoded(self, pending: PredictionRequest, answers: Answer) -> bytes:
        """Capture the predictions, and encode them as a response body."""
        origin, request_id = pending.serving.origin, pending.access.request_id
        if self._captures is not None and origin.variant == self._selection.own.variant:
            self._captures.keep(request_id, pending.rows, answers, origin.version, pending.keys)
        return _json(pending.form.content(answers, origin.version, request_id))

    async def _answer_all(self, pending: list[PredictionRequest]) -> list[Answer]:
        """Predict the rows of several requests with one call per model version."""
        answers: dict[int, Answer] = {}
        loop = asyncio.get_running_loop()
        for serving in {id(request.serving): request.serving for request in pending}.values():
            places = [place for place, request in enumerate(pending) if request.serving is serving]
            frames = [pending[place].rows for place in places]
            threads = self._threads if serving.overlaps else self._one_by_one
            results = await loop.run_in_executor(threads, _together, serving.model, self._task, frames)
            answers |= dict(zip(places, results, strict=True))
        return [answers[place] for place in range(len(pending))]

    def _begin(self) -> None:
        """Load the first model, preferring a bundle on this disk over waiting for an unreachable store."""
        self._load(self._selection.on_disk())
        if self.serving is None:
            self._renew()
        elif self._bundle_metrics is not None:
            self._bundle_metrics.tell()

    def _renew(self) -> None:
        """Load the version the description's URI currently resolves to, unless it is already loaded."""
        selected = self._selection.current()
        if self._bundle_metrics is not None:
            self._bundle_metrics.tell()
        self._load(selected)

    def _load(self, selected: Selected | None) -> None:
        before = self.serving
        if selected is None or (
            before is not None and (before.uri, before.origin) == (selected.version.uri, selected.origin)
        ):
            return
        self.serving = load(self._workload, selected, self._entrypoint)
        self._metrics.serves(selected.origin)
        _log.info("%s serves %s", self._name, described_origin(selected.origin, self._selection.own))

    def _final(self) -> bool:
        return self.serving is not None and self._selection.final(self.serving.origin)

    def _follow(self) -> None:
        bundles = self._selection.bundles
        while not self._ended.wait(FOLLOW_S if bundles is None else bundles.poll_s):
            try:
                self._renew()
            except Exception:  # noqa: BLE001 - a version that is loaded keeps serving
                _log.exception("%s cannot be loaded; the replica continues with what it has", self._model.uri)
            if self._final():
                return


def _response(content: dict[str, Any] | bytes, status: int, access: Access) -> Response:
    from starlette.responses import Response

    body = content if isinstance(content, bytes) else _json(content | {"id": access.request_id})
    return Response(body, status, headers_of(access, status), "application/json")


def headers_of(access: Access, status: int) -> dict[str, str]:
    """Return a response's own headers: the request ID, the variant that produced the response, and those of errors."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {"Retry-After": "20"} if status == 503 else {}
    variant = {"X-Model-Variant": access.origin.variant} if access.origin is not None and status != 401 else {}
    return {"X-Request-ID": access.request_id, **variant, **headers}


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _described_by(call: Call, serving: Serving) -> dict[str, Any]:
    if call.kind == "server":
        return {"name": "modelyard", "version": serving.version, "extensions": ["binary_tensor_data"]}
    if call.kind == "model ready":
        return {"name": call.model, "ready": True}
    return metadata(call.model, serving.version, serving.checker.columns)


def in_json(value: Any) -> Any:
    """Convert a number to valid JSON. Non-finite numbers become null."""
    if isinstance(value, list):
        return [in_json(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _together(model: Predictor, task: str, frames: list[pd.DataFrame]) -> list[Answer]:
    import pandas as pd

    answers = answer(model, task, frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True))
    parts: list[Answer] = []
    start = 0
    for frame in frames:
        part = slice(start, start + len(frame))
        parts.append(
            Answer(answers.values[part], None if answers.scores is None else answers.scores[part], answers.classes)
        )
        start += len(frame)
    return parts
