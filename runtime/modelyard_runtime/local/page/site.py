"""Handles the page's requests, independently of the HTTP server."""

from __future__ import annotations

import http.client
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

from modelyard_runtime.jobs.local_runs import RUNNING, LocalRuns
from modelyard_runtime.local.chatting import ask
from modelyard_runtime.local.page.document import document, live
from modelyard_runtime.local.page.forms import BODY, MODEL, PREFIX, TRY
from modelyard_runtime.local.page.guard import Guard, headers_of
from modelyard_runtime.local.page.sections import View
from modelyard_runtime.local.page.signature import Signature, row_of, words_of
from modelyard_runtime.local.page.watch import Watch

DRAWING = "graph.svg"
_HTML, _JSON, _TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 5000
_LIVE = "live"


@dataclass(frozen=True, slots=True)
class Request:
    """A request. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """A response."""

    status: int
    kind: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Site:
    """The web page of one system."""

    watch: Watch
    guard: Guard

    def respond(self, request: Request) -> Response:
        """Handle a request."""
        if self.guard.misdirected(request.headers):
            return refusal(http.client.MISDIRECTED_REQUEST, "this page answers only at its own address")
        path = self.guard.below(request.path)
        if path in {"", _LIVE}:
            handler = self._live if path == _LIVE else self._page
            return handler() if request.method == "GET" else refusal(http.client.METHOD_NOT_ALLOWED, "use GET")
        name = (path or "").removeprefix(TRY)
        if not (path or "").startswith(TRY) or name not in self.watch.plan.endpoints:
            return refusal(
                http.client.NOT_FOUND, "there is nothing at this path; the run has printed the page's address"
            )
        if request.method != "POST":
            return refusal(http.client.METHOD_NOT_ALLOWED, "use the form")
        return self._try(name, request)

    def _page(self) -> Response:
        nonce = secrets.token_urlsafe(16)
        content = document(self._view(), _drawing(self.watch.compiled), nonce)
        return _response(http.client.OK, _HTML, content, nonce)

    def _live(self) -> Response:
        return _response(http.client.OK, _HTML, live(self._view()))

    def _view(self) -> View:
        self.watch.look()
        state = self.watch.state
        events = tuple(event for event in state.events() if all(key in event for key in ("at", "address", "event")))
        runs = LocalRuns(state.folder / "runs").all()
        active = tuple(run for run in runs if run["state"] == RUNNING)
        return View(self.watch, events, active, self.guard.token)

    def _try(self, name: str, request: Request) -> Response:
        """Send the form's values to an endpoint and return its status and message in a response with status 200."""
        if request.headers.get("content-type", "").partition(";")[0].strip() != _FORM:
            return _answer(http.client.UNSUPPORTED_MEDIA_TYPE, "send the fields of the form")
        try:
            fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        except ValueError:
            return _answer(http.client.BAD_REQUEST, "the fields cannot be read")
        if problem := self.guard.foreign(request.headers, fields.get("token", "")):
            return _answer(http.client.FORBIDDEN, problem)
        return _answer(http.client.OK, *self._sent(name, fields))

    def _sent(self, name: str, fields: Mapping[str, str]) -> tuple[str, int]:
        endpoint, signature = self.watch.endpoint(name), self.watch.signatures.get(name, "")
        if endpoint is None or not isinstance(signature, Signature):
            return str(signature) or "the endpoint has not started yet", 0
        if signature.models:
            status, text, _ = ask(endpoint, fields.get(MODEL, ""), fields.get(BODY, ""))
            return text, status
        typed = {key.removeprefix(PREFIX): value for key, value in fields.items() if key.startswith(PREFIX)}
        if signature.inputs:
            status, text = endpoint.predict([row_of(signature, typed)])
        else:
            status, text = endpoint.post(fields.get(BODY, ""))
        return (_indented(text) if status == http.client.OK else words_of(text)), status


def _drawing(compiled: Path) -> str:
    try:
        return (compiled / DRAWING).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""  # a folder compiled by an earlier version has no drawing


def _indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def _answer(status: int, words: str, of_endpoint: int | None = None) -> Response:
    """Return the response shown by the form's script, with the status and message from the endpoint or page."""
    content = {"status": status if of_endpoint is None else of_endpoint, "answer": words}
    return _response(status, _JSON, json.dumps(content))


def refusal(status: int, words: str) -> Response:
    """Return a plain-text response."""
    return _response(status, _TEXT, f"{words}\n")


def _response(status: int, kind: str, content: str, nonce: str = "") -> Response:
    return Response(status, kind, content.encode("utf-8", "replace"), headers_of(nonce or secrets.token_urlsafe(16)))
