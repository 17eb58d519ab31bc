"""The Serve application: any MLflow model over HTTP, with batching, tokens, access log, captures and alias followed."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from modelyard_runtime import registry
from modelyard_runtime.access_log import Access, AccessLog
from modelyard_runtime.answers import Answer, Predictor, answer, choosing_by, plain
from modelyard_runtime.bundle_metrics import BundleMetrics
from modelyard_runtime.capture import Captures
from modelyard_runtime.description import Section, description, digest, integer, section, sections, text
from modelyard_runtime.models import Models
from modelyard_runtime.payloads import BadRequest, fitted, rows_of
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.tokens import Tokens
from modelyard_runtime.user_code import entrypoint

if TYPE_CHECKING:
    import pandas as pd
    from ray.serve import Application
    from starlette.requests import Request
    from starlette.responses import Response

DEPLOYMENT = "model"

_MOUNT_LAG_S = 120.0  # the kubelet brings a changed ConfigMap to a running Pod within about a minute
_FOLLOW_S = 20.0
_log = logging.getLogger(__name__)


def application(args: dict[str, str]) -> Application:
    """The application of the mounted description that `args` names; its digest says which state of it is meant."""
    from ray import serve

    workload = _described(args["application"], args.get("digest", ""), _MOUNT_LAG_S)
    deployment = serve.deployment(name=DEPLOYMENT)(Server)
    return deployment.bind(workload, args["application"])


def _described(name: str, wanted: str, patience_s: float) -> Section:
    ends = time.monotonic() + patience_s
    while True:
        workload = description()
        found = sections(workload, "applications").get(name)
        if found is not None and (not wanted or digest(found) == wanted):
            return workload
        if time.monotonic() > ends:
            what = f"is not in its state {wanted}" if found is not None else "is not there"
            raise Refusal(f"application {name!r} {what}: the mounted description is another one")
        time.sleep(2)


@dataclass(frozen=True, slots=True)
class Serving:
    """The model that answers now."""

    model: Predictor
    columns: tuple[registry.Column, ...]
    version: str
    uri: str


class Server:
    """One replica."""

    def __init__(self, workload: Section, name: str) -> None:
        from ray import serve

        described = sections(workload, "applications")[name]
        self._name = name
        self._model = section(described, "model")
        self._task = text(self._model, "task")
        self._timeout_s = integer(described, "timeoutSeconds")
        self._entrypoint = text(described, "entrypoint")
        self._tokens = _tokens(section(described, "auth")) if "auth" in described else None
        self._access_log = _access_log(described)
        self._models = Models(workload, self._model)
        self._told = BundleMetrics(self._models.bundles, {"application": name}) if self._models.bundles else None
        self._serving: Serving | None = None
        self._begin()
        capture = section(described, "capture")
        self._captures = Captures(workload, capture, text(described, "variant")) if capture else None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        batching = section(described, "batching")
        gather = serve.batch(
            max_batch_size=max(integer(batching, "maxSize"), 1),
            batch_wait_timeout_s=integer(batching, "maxWaitMilliseconds") / 1000,
        )
        self._gathered: Any = gather(self._answer_all) if integer(batching, "maxSize") > 1 else None
        self._ended = threading.Event()
        if not text(self._model, "version"):
            threading.Thread(target=self._follow, name="alias", daemon=True).start()

    async def __call__(self, request: Request) -> Response:
        """Answer one request; whatever goes wrong is said as JSON."""
        from starlette.responses import JSONResponse

        request_id = request.headers.get("x-request-id") or uuid.uuid4().hex
        access = Access(request_id)
        try:
            status, content = await asyncio.wait_for(self._respond(request, access), self._timeout_s)
        except TimeoutError:
            status, content = 504, {"error": f"no answer within {self._timeout_s} s"}
        except BadRequest as problem:
            status, content = problem.status, {"error": str(problem)}
        except Exception:  # noqa: BLE001 - a request's failure ends in its answer, not in the replica
            _log.exception("request %s failed", request_id)
            status, content = 500, {"error": "the model failed on this request; see the server's log"}
        if self._access_log is not None and not _asks_for_health(request):
            self._access_log.write(access, status)
        more = {"WWW-Authenticate": "Bearer"} if status == 401 else {"Retry-After": "20"} if status == 503 else {}
        return JSONResponse(content | {"id": request_id}, status, {"X-Request-ID": request_id, **more})

    def __del__(self) -> None:
        """Serve ends a replica so: what was captured is written first."""
        if hasattr(self, "_ended"):
            self._ended.set()
            if self._captures is not None:
                self._captures.close()

    async def _respond(self, request: Request, access: Access) -> tuple[int, dict[str, Any]]:
        serving = self._serving
        absent = {"error": f"no version of {text(self._model, 'uri')} exists yet"}
        if _asks_for_health(request):
            return (503, absent) if serving is None else (200, {"status": "ok", "version": serving.version})
        if self._tokens is not None:
            access.caller = self._tokens.caller(request.headers.get("authorization", ""))
        if self._tokens is not None and access.caller is None:
            return 401, {"error": "this endpoint asks for a bearer token"}
        if request.method != "POST":
            return 405, {"error": "send rows by POST"}
        if serving is None:
            return 503, absent
        rows = rows_of(await request.body())
        access.rows = len(rows)
        asked = serving, fitted(rows, serving.columns)
        said: Answer = await (self._gathered(asked) if self._gathered is not None else self._answer_one(asked))
        if self._captures is not None:
            self._captures.keep(access.request_id, rows.assign(**dict(asked[1].items())), said, serving.version)
        return 200, self._content(said, serving)

    def _content(self, said: Answer, serving: Serving) -> dict[str, Any]:
        content: dict[str, Any] = {"predictions": [in_json(plain(value)) for value in said.values]}
        if said.scores is not None:
            content["scores"] = [in_json(one) for one in said.scores.tolist()]
        return {**content, "model": {"name": text(self._model, "registeredName"), "version": serving.version}}

    async def _answer_one(self, asked: tuple[Serving, pd.DataFrame]) -> Answer:
        return (await self._answer_all([asked]))[0]

    async def _answer_all(self, asked: list[tuple[Serving, pd.DataFrame]]) -> list[Answer]:
        """The rows of several requests in one call of each version that they began with."""
        found: dict[int, Answer] = {}
        for serving in {id(one): one for one, _ in asked}.values():
            places = [place for place, (one, _) in enumerate(asked) if one is serving]
            frames = [asked[place][1] for place in places]
            loop = asyncio.get_running_loop()
            said = await loop.run_in_executor(self._thread, _together, serving.model, self._task, frames)
            found |= dict(zip(places, said, strict=True))
        return [found[place] for place in range(len(asked))]

    def _begin(self) -> None:
        """Load a first model: what this disk holds of a bundle, so that no store is waited for that is out of reach."""
        bundles = self._models.bundles
        if bundles is not None and bundles.on_disk() is not None:
            self._load(bundles.version())
        if self._serving is None:
            self._renew()
        elif self._told is not None:
            self._told.tell()

    def _renew(self) -> None:
        """Load what the description's URI means now, unless it is what answers already."""
        version = self._models.version()
        if self._told is not None:
            self._told.tell()
        self._load(version)

    def _load(self, version: registry.Version | None) -> None:
        if version is None or (self._serving is not None and self._serving.uri == version.uri):
            return
        loaded = registry.load(version.uri)
        model: Predictor = loaded
        if self._entrypoint:
            model = entrypoint(self._entrypoint)(loaded)
            if not callable(getattr(model, "predict", None)):
                raise Refusal(f"entrypoint {self._entrypoint} must give an object with predict(rows)")
            model = choosing_by(model, loaded.threshold())
        self._serving = Serving(model, loaded.columns(), version.version, version.uri)
        _log.info("%s serves version %s of %s", self._name, version.version, version.name)

    def _follow(self) -> None:
        bundles = self._models.bundles
        while not self._ended.wait(_FOLLOW_S if bundles is None else bundles.poll_s):
            try:
                self._renew()
            except Exception:  # noqa: BLE001 - the version that answers goes on answering
                _log.exception("%s cannot be renewed; the version before goes on", text(self._model, "uri"))


def _asks_for_health(request: Request) -> bool:
    return request.method == "GET" and request.url.path.rstrip("/").endswith("/healthz")


def _access_log(described: Section) -> AccessLog | None:
    """The log that an application writes, if its description asks for one."""
    log = section(described, "accessLog")
    return AccessLog(text(log, "endpoint"), text(described, "variant")) if log else None


def _tokens(auth: Section) -> Tokens:
    if text(auth, "type") != "bearer-token":
        raise Refusal(f"requests cannot be asked for {text(auth, 'type')!r} here; only for a bearer-token")
    files = section(auth, "tokenFiles")
    return Tokens({caller: text(files, caller) for caller in files})


def in_json(value: Any) -> Any:
    """A number as JSON has it: none that is not finite."""
    if isinstance(value, list):
        return [in_json(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _together(model: Predictor, task: str, frames: list[pd.DataFrame]) -> list[Answer]:
    import pandas as pd

    said = answer(model, task, frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True))
    parts: list[Answer] = []
    start = 0
    for frame in frames:
        part = slice(start, start + len(frame))
        parts.append(Answer(said.values[part], None if said.scores is None else said.scores[part], said.classes))
        start += len(frame)
    return parts
