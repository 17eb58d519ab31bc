"""Tests a rehearsal's gateway and callers, with a server in this process for each side."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from modelyard.rehearsal.gateway import Callers, Gateway, Question, compared


@contextmanager
def side(answer: str) -> Generator[int]:
    """Run a server that answers every request with the same text, and return its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - named by the base class
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """Return a gateway in front of an old and a new side that respond differently."""
    with ExitStack() as stack:
        ports = {name: stack.enter_context(side(name)) for name in ("old", "new")}
        running = Gateway(ports, 0)
        stack.callback(running.close)
        yield running


@pytest.mark.parametrize("percent", [0, 1, 10, 50, 99, 100])
def test_of_any_hundred_requests_each_side_gets_its_share(gateway: Gateway, percent: int) -> None:
    """Shares are exact, so the first step of a cut-over never leaves the new side without requests."""
    gateway.percent_new = percent
    for _ in range(37):
        gateway.choose()

    assert [gateway.choose() for _ in range(100)].count("new") == percent


def test_a_caller_reports_each_answer_that_differs(gateway: Gateway) -> None:
    """Callers remember responses from before the move, and report any that differ or are missing."""
    question = Question("churn", "/churn", "{}", "", ("old",))
    callers = Callers((question,), gateway.port)

    callers.wait_for(3)
    before = list(callers.problems)
    gateway.percent_new = 100
    callers.wait_for(100)
    callers.close()
    gateway.ports = {}
    unreachable = question.ask(gateway.port)

    assert before == []
    assert set(callers.problems) == {"churn gives a different answer: new"}
    assert callers.sent < 100
    assert unreachable.startswith("churn answers 502: ")


def chat(text: str, number: int = 1, tokens: int = 8) -> str:
    """Return a language model's response, as written by the server at different times."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "length"}
    head = {"id": f"chatcmpl-{number}", "created": 1700000000 + number, "model": "assistant"}
    return json.dumps({**head, "choices": [choice], "usage": {"completion_tokens": tokens}})


def test_responses_of_language_models_are_equal_if_their_texts_are() -> None:
    """Their IDs and times don't matter, but the text, finish reason and number of tokens do."""
    assert compared(chat("Hello", 1)) == compared(chat("Hello", 2))
    assert compared(chat("Hello")) != compared(chat("Good morning"))
    assert compared(chat("Hello")) != compared(chat("Hello").replace("length", "stop"))
    assert compared(chat("Hello")) != compared(chat("Hello", tokens=9))


@pytest.mark.parametrize("content", ['{"predictions": [1], "id": "a"}', "[1]", "no JSON"])
def test_other_responses_are_compared_as_they_are(content: str) -> None:
    assert compared(content) == content


def test_a_caller_of_a_language_model_ignores_when_it_answered() -> None:
    with side(chat("Hello", 2)) as port:
        question = Question("assistant", "/assistant/v1/chat/completions", "{}", "", (compared(chat("Hello", 1)),))

        assert question.ask(port) == ""
    with side(chat("Bye")) as port:
        assert question.ask(port).startswith("assistant gives a different answer: ")
