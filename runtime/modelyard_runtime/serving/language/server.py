"""The deployment of a language model, with OpenAI's routes for chats, completions and the model list."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from modelyard_runtime.models.checker import BadRequest
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.serving.access_log import LONGEST_ID, Access, access_log_of
from modelyard_runtime.serving.application import FOLLOW_S, headers_of
from modelyard_runtime.serving.bodies import MOST_BYTES, body_of
from modelyard_runtime.serving.language.adapters import NamedAdapters
from modelyard_runtime.serving.language.engine import BadPrompt, Engine, Piece, Sampling
from modelyard_runtime.serving.language.loaded import Loaded, load
from modelyard_runtime.serving.language.mlx_engine import EngineFailed
from modelyard_runtime.serving.language.requests import ApiError, TextRequest, request_of
from modelyard_runtime.serving.language.responses import DONE, Form, encoded, error_body, event, model_card, usage
from modelyard_runtime.serving.language.scaling import ONGOING_TOKENS
from modelyard_runtime.serving.language.token_metrics import TokenMetrics
from modelyard_runtime.serving.paths import asks_for_health, below
from modelyard_runtime.serving.request_metrics import RequestMetrics
from modelyard_runtime.serving.selection import Selection, described_origin
from modelyard_runtime.serving.tokens import Tokens

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from modelyard_runtime.workload.records import ServerWorkload

_USUAL: Final = 8
"""Characters for each token of the context, beyond which only the beginning of a prompt becomes tokens at first."""

_MOST: Final = 128
"""Characters for each token of the context, beyond which a prompt does not fit."""

_SPLIT: Final = 8
"""Tokens that the beginning of a text may have in addition, because it ends within a word and has a first token."""

_GENERATES: Final = {"/v1/chat/completions": True, "/v1/completions": False}
_MODEL: Final = re.compile(r"/v1/models/(?P<name>.+)")
_FAILED: Final = ApiError("the model failed on this request; see the server's log", status=500)
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Generating:
    """A generation in progress, with its first piece, which has already arrived."""

    loaded: Loaded
    form: Form
    request: TextRequest
    prompt_tokens: int
    first: Piece
    rest: AsyncGenerator[Piece]
    access: Access


class LanguageServer:
    """One replica of a language model. While its variant has no version, it serves that of the one that stands in."""

    def __init__(self, workload: ServerWorkload, name: str) -> None:
        record = workload.applications[name]
        if record.generation is None:
            raise Refusal(f"application {name!r} has no settings for generation")
        self._workload, self._model, self._generation = workload, record.model, record.generation
        self._timeout_s = record.timeout_seconds
        self._most_bytes = MOST_BYTES if record.max_body_bytes is None else record.max_body_bytes
        self._tokens = Tokens(record.auth.token_files) if record.auth is not None else None
        self._access_log = access_log_of(record)
        self._selection = Selection(workload, record)
        self._metrics = RequestMetrics(name, record.timeout_seconds)
        self._token_metrics = TokenMetrics(name, record, self._generation)
        self._held: dict[object, int] = {}  # tokens of each text that is being generated or waits for the batch
        self._adapters = NamedAdapters(workload, record.adapters)
        self.loaded: Loaded | None = None
        self._renew()
        self._ended = threading.Event()
        if not self._final():
            threading.Thread(target=self._follow, name="versions", daemon=True).start()

    async def __call__(self, request: Request) -> Response:
        """Handle one request. Every error is returned in OpenAI's format."""
        access = Access(request.headers.get("x-request-id", "")[:LONGEST_ID] or uuid.uuid4().hex)
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._respond(request, access)
        except TimeoutError:
            response = self._error(ApiError(f"no response within {self._timeout_s} s", status=504), access)
        except ApiError as error:
            response = self._error(error, access)
        except BadRequest as problem:
            response = self._error(ApiError(str(problem), status=problem.status), access)
        except BadPrompt as problem:
            response = self._error(ApiError(str(problem)), access)
        except Exception:  # noqa: BLE001 - a failed request gets an error response and must not end the replica
            _log.exception("request %s failed", access.request_id)
            response = self._error(_FAILED, access)
        if not asks_for_health(request) and response.media_type != "text/event-stream":
            self._answered(access, response.status_code)
        return response

    def check_health(self) -> None:
        """Report this replica as unhealthy if its engine has ended, so that Serve replaces it."""
        if self.loaded is not None and not self.loaded.engine.alive:
            raise RuntimeError("the engine of the language model has ended")

    def record_autoscaling_stats(self) -> dict[str, float]:
        """Return the values that the autoscaler can count instead of requests."""
        return {ONGOING_TOKENS: float(sum(self._held.values()))}

    def __del__(self) -> None:
        """Shut down the engine when Serve stops the replica."""
        if hasattr(self, "_ended"):
            self._ended.set()
        loaded: Loaded | None = getattr(self, "loaded", None)
        if loaded is not None:
            loaded.engine.close()

    async def _respond(self, request: Request, access: Access) -> Response:
        path, loaded = below(request).rstrip("/"), self.loaded
        access.origin = loaded.origin if loaded is not None else None
        absent = ApiError(f"no version of {self._model.uri} exists yet", status=503)
        if asks_for_health(request):
            if loaded is None:
                raise absent
            return _json({"status": "ok", "version": loaded.version}, 200, access)
        self._check_token(request, access)
        if loaded is None:
            raise absent
        chat = _GENERATES.get(path)
        if chat is None:
            return self._about_models(request, path, loaded, access)
        _check_method(request, "POST")
        text_request = request_of(await body_of(request, self._most_bytes), chat=chat)
        named = self._named(text_request.model, loaded)
        access.origin = named.origin
        generating = await self._begin(text_request, named, access)
        return self._streamed(generating) if text_request.stream else await self._complete(generating)

    def _check_token(self, request: Request, access: Access) -> None:
        if self._tokens is None:
            return
        access.caller = self._tokens.caller(request.headers.get("authorization", ""))
        if access.caller is None:
            raise ApiError("this endpoint requires a bearer token", code="invalid_api_key", status=401)

    def _about_models(self, request: Request, path: str, loaded: Loaded, access: Access) -> Response:
        served = {self._generation.model: loaded, **self._adapters.loaded}
        match = _MODEL.fullmatch(path)
        if path != "/v1/models" and match is None:
            raise ApiError("there is nothing at this path; use /v1/chat/completions or /v1/completions", status=404)
        _check_method(request, "GET")
        if match is not None:
            served = {match["name"]: self._named(match["name"], loaded)}
        context = loaded.engine.context_length
        cards = [model_card(name, version.created, context) for name, version in served.items()]
        return _json(cards[0] if match is not None else {"object": "list", "data": cards}, 200, access)

    def _named(self, name: str, loaded: Loaded) -> Loaded:
        """Return the loaded version for a model name in a request, which is the endpoint's model or an adapter."""
        version = loaded if name == self._generation.model else self._adapters.of(name)
        if version is None:
            names = " and ".join(repr(known) for known in (self._generation.model, *self._adapters.loaded))
            message = f"there is no model {name[:80]!r} here; this endpoint serves {names}"
            raise ApiError(message, "model", "model_not_found", 404)
        return version

    async def _begin(self, text_request: TextRequest, loaded: Loaded, access: Access) -> Generating:
        """Begin generating and wait for the first piece. Errors until then can still set the response status."""
        prompt = await asyncio.to_thread(_tokens_of, text_request, loaded)
        sampling = self._sampling(text_request, len(prompt), loaded)
        rest = self._generate(prompt, sampling, loaded.engine)
        try:
            first = await anext(rest)
        except EngineFailed:
            current = None if self.loaded is None else self._named(text_request.model, self.loaded)
            if current is None or current is loaded:
                raise
            return await self._begin(text_request, current, access)  # another version took over in this moment
        except BaseException:
            await rest.aclose()
            raise
        self._token_metrics.began(loaded.origin, len(prompt), access.seconds)
        form = Form(text_request.chat, access.request_id, text_request.model, int(time.time()))
        return Generating(loaded, form, text_request, len(prompt), first, rest, access)

    async def _generate(self, prompt: Sequence[int], sampling: Sampling, engine: Engine) -> AsyncGenerator[Piece]:
        """Generate text, counting its tokens until it ends."""
        text = object()
        self._held[text] = len(prompt)
        try:
            async with aclosing(engine.generate(prompt, sampling)) as pieces:
                async for piece in pieces:
                    self._held[text] = len(prompt) + piece.tokens
                    yield piece
        finally:
            del self._held[text]

    def _sampling(self, text_request: TextRequest, prompt_tokens: int, loaded: Loaded) -> Sampling:
        """Return the sampling settings. Requesting more than the endpoint or model allows is an error."""
        most, context = self._generation.max_tokens, loaded.engine.context_length
        if text_request.max_tokens is not None and text_request.max_tokens > most:
            raise ApiError(f"this endpoint generates at most {most} tokens", "max_tokens", "invalid_value")
        if prompt_tokens + (text_request.max_tokens or 1) > context:
            message = f"the model's context is {context} tokens, but the prompt has {prompt_tokens}"
            message += f" and {text_request.max_tokens} more are requested" if text_request.max_tokens else ""
            raise ApiError(message, "messages" if text_request.chat else "prompt", "context_length_exceeded")
        limit = text_request.max_tokens or min(most, context - prompt_tokens)
        return Sampling(limit, text_request.temperature, text_request.top_p, text_request.seed, text_request.stop)

    async def _complete(self, generating: Generating) -> Response:
        texts: list[str] = []
        last = generating.first
        async with aclosing(self._pieces(generating)) as pieces:
            async for piece in pieces:
                texts.append(piece.text)
                last = piece
        token_usage = usage(generating.prompt_tokens, last.tokens)
        return _json(generating.form.complete("".join(texts), last.finish_reason, token_usage), 200, generating.access)

    def _streamed(self, generating: Generating) -> Response:
        from starlette.responses import StreamingResponse

        headers = {**headers_of(generating.access, 200), "Cache-Control": "no-cache"}
        return StreamingResponse(self._events(generating), 200, headers, "text/event-stream")

    async def _events(self, generating: Generating) -> AsyncGenerator[bytes]:
        """Yield the events of a stream. Once it has begun, errors become events since the status was already sent."""
        form, token_usage, status = generating.form, usage(generating.prompt_tokens, 0), 499
        rest_s = max(0.0, self._timeout_s - generating.access.seconds)  # the first piece took part of the time
        try:
            async with asyncio.timeout(rest_s), aclosing(self._pieces(generating)) as pieces:
                for chunk in form.opening():
                    yield event(chunk)
                async for piece in pieces:
                    token_usage = usage(generating.prompt_tokens, piece.tokens)
                    yield event(form.chunk(piece))
            if generating.request.usage_at_end:
                yield event(form.last(token_usage))
            yield DONE
            status = 200
        except TimeoutError:
            status = 504
            yield event(error_body(ApiError(f"the text was not complete within {self._timeout_s} s", status=504)))
        except Exception:  # noqa: BLE001 - a failed request gets an error event and must not end the replica
            _log.exception("request %s failed", generating.access.request_id)
            status = 500
            yield event(error_body(_FAILED))
        finally:
            self._answered(generating.access, status)
            if status >= 500:
                self._token_metrics.broke(generating.loaded.origin)

    async def _pieces(self, generating: Generating) -> AsyncGenerator[Piece]:
        """Yield all pieces of a generation, which ends with the last piece or when the client disconnects."""
        began, piece = time.perf_counter(), generating.first
        try:
            yield piece
            async for piece in generating.rest:
                yield piece
        finally:
            await generating.rest.aclose()
            self._token_metrics.ended(generating.loaded.origin, piece.tokens, time.perf_counter() - began)

    def _error(self, error: ApiError, access: Access) -> Response:
        return _json(error_body(error), error.status, access)

    def _answered(self, access: Access, status: int) -> None:
        self._metrics.answered(access.origin or self._selection.own, status, access.seconds)
        if self._access_log is not None:
            self._access_log.write(access, status)

    def _renew(self) -> None:
        """Load the versions the description's URIs currently resolve to, unless they are already loaded."""
        selected, before = self._selection.current(), self.loaded
        if selected is None or (
            before is not None and (before.uri, before.origin) == (selected.version.uri, selected.origin)
        ):
            if before is not None:
                self._adapters.renew(before)
            return
        loaded = load(self._workload, selected, self._generation, len(self._adapters))
        self._adapters.renew(loaded)
        self.loaded = loaded
        self._metrics.serves(loaded.origin)
        _log.info("%s serves %s", self._generation.model, described_origin(loaded.origin, self._selection.own))
        if before is not None:
            before.engine.close()

    def _follow(self) -> None:
        while not self._ended.wait(FOLLOW_S):
            try:
                self._renew()
            except Exception:  # noqa: BLE001 - a version that is loaded keeps serving
                _log.exception("%s cannot be loaded; the replica continues with what it has", self._model.uri)
            if self._final():
                return

    def _final(self) -> bool:
        """Return whether everything is loaded, and by number, so that it never changes."""
        served = self.loaded is not None and self._selection.final(self.loaded.origin)
        return served and not self._adapters.follow


def _tokens_of(text_request: TextRequest, loaded: Loaded) -> Sequence[int]:
    engine = loaded.engine
    if text_request.chat:
        _check_length(
            text_request,
            engine,
            "".join(message["content"] for message in text_request.messages),
            len(text_request.messages),
        )
        return engine.chat_tokens(text_request.messages)
    if not isinstance(text_request.prompt, str):
        return text_request.prompt
    _check_length(text_request, engine, text_request.prompt)
    return engine.text_tokens(text_request.prompt)


def _check_length(text_request: TextRequest, engine: Engine, text: str, messages: int = 1) -> None:
    """Refuse a prompt that is far too long before tokenizing all of it, which would take seconds and gigabytes.

    Each message is at least one token. In common tokenizers, a token has up to 128 characters, and usually about 4.
    """
    context, place = engine.context_length, "messages" if text_request.chat else "prompt"
    beginning = text[: _USUAL * context] if len(text) > _USUAL * context else ""
    too_long = messages > context or len(text) > _MOST * context
    if too_long or (beginning and len(engine.text_tokens(beginning)) > context + _SPLIT):
        message = f"the model's context is {context} tokens, and the prompt has more"
        raise ApiError(message, place, "context_length_exceeded")


def _check_method(request: Request, method: str) -> None:
    if request.method != method:
        raise ApiError(f"use {method} for this path", status=405)


def _json(content: dict[str, Any], status: int, access: Access) -> Response:
    from starlette.responses import Response

    return Response(encoded(content), status, headers_of(access, status), "application/json")
