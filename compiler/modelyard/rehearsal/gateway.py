"""A rehearsal's callers, which send requests nonstop, and the weighted gateway in front of both sides."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, cast

from modelyard.records import record
from modelyard.rehearsal.stand_ins import passed_on

SIDES: Final = ("old", "new")
_WHOLE: Final = 100
_PAUSE_S: Final = 0.05
_SHOWN: Final = 200
_OF_ONE_RESPONSE: Final = frozenset({"id", "created"})


class Gateway:
    """Forwards requests to the two sides, weighted by percentage, and counts the responses from each side."""

    def __init__(self, ports: Mapping[str, int], percent_new: int) -> None:
        self.ports, self.percent_new = dict(ports), percent_new
        self.answered: Counter[str] = Counter()
        self._requests = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """Return the port at which callers reach the gateway."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop responding to requests."""
        self._server.shutdown()
        self._server.server_close()

    def choose(self) -> str:
        """Return the side for the next request. Out of a hundred requests, each side gets exactly its percentage."""
        with self._lock:
            before, self._requests = self._requests, self._requests + 1
            share = self.percent_new
        is_new = before * share // _WHOLE < (before + 1) * share // _WHOLE
        return SIDES[is_new]

    def answer(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Forward a request and count the response."""
        side = self.choose()
        status, content = passed_on(self.ports.get(side, 0), path, body, headers)
        with self._lock:
            self.answered[side] += 1
        return status, content

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, content = gateway.answer(self.path, body, dict(self.headers.items()))
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - named by the base class
                """Log nothing."""

        return Handler


@record
class Question:
    """A request to an endpoint, and its correct responses: those of the endpoint's variants on the old side."""

    endpoint: str
    path: str
    body: str
    token: str
    answers: tuple[str, ...]

    def send(self, port: int, path: str) -> tuple[int, str]:
        """Send the request, and return the status and the response."""
        headers = {"X-Request-ID": "migration", **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        status, content = passed_on(port, path, self.body.encode(), headers)
        return status, content.decode("utf-8", "replace")

    def ask(self, port: int) -> str:
        """Send the request to a local port. Returns what is wrong with the response, or "" if nothing is."""
        status, content = self.send(port, self.path)
        if status != http.client.OK:
            return f"{self.endpoint} answers {status}: {content[:_SHOWN]}"
        if compared(content) in self.answers:
            return ""
        return f"{self.endpoint} gives a different answer: {content[:_SHOWN]}"


def question_of(entry: Mapping[str, Any]) -> Question:
    """Return a Question from its entry in a file."""
    endpoint, path, body, token = (str(entry[name]) for name in ("endpoint", "path", "body", "token"))
    return Question(endpoint, path, body, token, tuple(map(str, entry["answers"])))


class Callers:
    """Sends requests to the gateway repeatedly, on a separate thread, and records what goes wrong."""

    def __init__(self, questions: Sequence[Question], port: int) -> None:
        self.questions, self._port = questions, port
        self.sent = 0
        self.problems: list[str] = []
        self._pause_s = _PAUSE_S
        self._ended = threading.Event()
        self._one_more = threading.Condition()
        self._thread = threading.Thread(target=self._call, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop sending requests. The request in progress is completed first."""
        self._ended.set()
        self._thread.join()

    def wait_for(self, count: int) -> None:
        """Wait until `count` more requests have been sent without pauses, or until a response is wrong."""
        with self._one_more:
            until, self._pause_s = self.sent + count, 0.0
            while self.sent < until and self.questions and not self.problems:
                self._one_more.wait()
            self._pause_s = _PAUSE_S

    def _call(self) -> None:
        while self.questions and not self._ended.is_set():
            problem = self.questions[self.sent % len(self.questions)].ask(self._port)
            if problem:
                self.problems.append(problem)
            with self._one_more:
                self.sent += 1
                self._one_more.notify_all()
            self._ended.wait(self._pause_s)


def compared(content: str) -> str:
    """Return what must be equal in two responses to the same request.

    For a language model, this is everything but the response's ID and creation time.
    """
    try:
        response = json.loads(content)
    except ValueError:
        return content
    if not isinstance(response, dict) or "choices" not in response:
        return content
    fields = cast("dict[str, Any]", response)
    return json.dumps({name: value for name, value in fields.items() if name not in _OF_ONE_RESPONSE}, sort_keys=True)
