"""Serves three code hosts' comment APIs on loopback, refusing the same requests as the real hosts."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN: Final = "t0ken-of-a-test"
OURS: Final = "github-actions[bot]"
LONGEST: Final = 65_536


@dataclass
class Note:
    """A comment, with its author and text."""

    number: int
    author: str
    text: str


@dataclass
class CodeHost:
    """A code host's state, i.e. the comments and labels of change 7, and all requests received."""

    url: str = ""
    notes: list[Note] = field(default_factory=list[Note])
    labels: set[str] = field(default_factory=set[str])
    requests: list[str] = field(default_factory=list[str])
    busy: list[tuple[int, dict[str, str]]] = field(default_factory=list[tuple[int, dict[str, str]]])
    pulls: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def ours(self) -> list[str]:
        """The texts of the comments that `modelyard` has written."""
        return [note.text for note in self.notes if note.author == OURS]

    @property
    def writes(self) -> list[str]:
        """The methods of requests that changed comments."""
        return [
            request
            for request in self.requests
            if re.match("(POST|PATCH|PUT|DELETE) .*(comments|notes|threads)", request)
        ]

    def add(self, text: str, author: str = OURS) -> Note:
        """Add a comment."""
        self.notes.append(Note(len(self.notes) + 1, author, text))
        return self.notes[-1]

    def edit(self, number: int, text: str, may_edit_all: bool = True) -> tuple[int, Any]:
        """Replace a comment's text, unless another user wrote it and the host forbids that."""
        note = self.notes[number - 1]
        if note.author != OURS and not may_edit_all:
            return 403, {"message": "forbidden"}
        note.text = text
        return 200, {"id": number}


Route = Callable[[CodeHost, "re.Match[str]", Any, dict[str, list[str]]], tuple[int, Any]]


def _page(items: list[Any], query: dict[str, list[str]]) -> list[Any]:
    size, page = int(query["per_page"][0]), int(query["page"][0])
    return items[(page - 1) * size : page * size]


def _created(host: CodeHost, text: str) -> tuple[int, Any]:
    if not text or len(text) > LONGEST:
        return 422, {"message": "Validation Failed"}
    return 201, {"id": host.add(text).number}


def _relabelled(host: CodeHost, add: str, remove: str) -> tuple[int, Any]:
    host.labels = (host.labels | {name for name in add.split(",") if name}) - set(remove.split(","))
    return 200, {}


def _dropped(host: CodeHost, name: str) -> tuple[int, Any]:
    if name not in host.labels:
        return 404, {"message": "Label does not exist"}
    host.labels.remove(name)
    return 200, []


def _labelled(host: CodeHost, names: list[str]) -> tuple[int, Any]:
    host.labels |= set(names)
    return 200, []


def _on_azure(note: Note) -> dict[str, Any]:
    return {"id": 1, "author": {"id": note.author}, "content": note.text}


def _version_on_azure(path: str) -> str:
    """Return a resource's API version. For the token's owner, there is only a preview version."""
    return "7.1-preview" if path.endswith("/connectionData") else "7.1"


_GITHUB: Final = "/repos/acme/ml"
_GITLAB: Final = "/projects/12/merge_requests/7"
_AZURE: Final = r"/p%20id/_apis/git/repositories/r/pullRequests/7"
ROUTES: Final[dict[str, Route]] = {
    f"GET {_GITHUB}/issues/7/comments": lambda host, _, __, query: (
        200,
        _page([{"id": n.number, "user": {"login": n.author}, "body": n.text} for n in host.notes], query),
    ),
    f"POST {_GITHUB}/issues/7/comments": lambda host, _, body, __: _created(host, body["body"]),
    rf"PATCH {_GITHUB}/issues/comments/(\d+)": lambda host, match, body, _: host.edit(int(match[1]), body["body"]),
    f"GET {_GITHUB}/issues/7/labels": lambda host, _, __, query: (
        200,
        _page([{"name": n} for n in host.labels], query),
    ),
    f"POST {_GITHUB}/issues/7/labels": lambda host, _, body, __: _labelled(host, body["labels"]),
    rf"DELETE {_GITHUB}/issues/7/labels/(.+)": lambda host, match, _, __: _dropped(host, unquote(match[1])),
    f"GET {_GITHUB}/pulls": lambda host, _, __, query: (
        200,
        _page([pull for pull in host.pulls if pull["label"] == query["head"][0]], query),
    ),
    "GET /user": lambda _, __, ___, ____: (200, {"id": OURS}),
    f"GET {_GITLAB}/notes": lambda host, _, __, query: (
        200,
        _page([{"id": n.number, "author": {"id": n.author}, "body": n.text} for n in host.notes], query),
    ),
    f"POST {_GITLAB}/notes": lambda host, _, body, __: _created(host, body["body"]),
    rf"PUT {_GITLAB}/notes/(\d+)": lambda host, match, body, _: host.edit(int(match[1]), body["body"]),
    f"PUT {_GITLAB}": lambda host, _, body, __: _relabelled(host, body["add_labels"], body["remove_labels"]),
    "GET /_apis/connectionData": lambda _, __, ___, ____: (200, {"authenticatedUser": {"id": OURS}}),
    f"GET {_AZURE}/threads": lambda host, _, __, ___: (
        200,
        {"value": [{"id": n.number, "comments": [_on_azure(n)]} for n in host.notes]},
    ),
    f"POST {_AZURE}/threads": lambda host, _, body, __: _created(host, body["comments"][0]["content"]),
    rf"PATCH {_AZURE}/threads/(\d+)/comments/1": lambda host, match, body, _: host.edit(
        int(match[1]), body["content"], may_edit_all=False
    ),
    f"POST {_AZURE}/labels": lambda host, _, body, __: _labelled(host, [body["name"]]),
    rf"DELETE {_AZURE}/labels/(.+)": lambda host, match, _, __: _dropped(host, unquote(match[1])),
}


def _answer(host: CodeHost, method: str, target: str, headers: Any, content: bytes) -> tuple[int, Any]:
    parts = urlsplit(target)
    host.requests.append(f"{method} {parts.path}")
    if headers.get("Authorization") != f"Bearer {TOKEN}" and headers.get("PRIVATE-TOKEN") != TOKEN:
        return 401, {"message": f"bad credentials {headers.get('Authorization')}"}
    if "_apis" in parts.path and parse_qs(parts.query).get("api-version") != [_version_on_azure(parts.path)]:
        return 400, {"message": "the api-version is missing"}
    body = json.loads(content) if content else None
    for route, answer in ROUTES.items():
        match = re.fullmatch(route, f"{method} {parts.path}")
        if match:
            return answer(host, match, body, parse_qs(parts.query))
    return 404, {"message": "Not Found"}


@contextmanager
def running() -> Generator[CodeHost]:
    """Run the APIs on a free loopback port."""
    host = CodeHost()

    class Handler(BaseHTTPRequestHandler):
        def _respond(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers: dict[str, str] = {}
            if host.busy:
                status, headers = host.busy.pop(0)
                answer: Any = {"message": "busy"}
            else:
                status, answer = _answer(host, self.command, self.path, self.headers, content)
            data = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _respond  # noqa: N815 - as the library calls them

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library calls it
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    host.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()


def environment_of(name: str, host: CodeHost, event: str = "") -> dict[str, str]:
    """Return the environment variables set by a host's pipelines. `event` is the path of GitHub's event file."""
    return {
        "github": {
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_REPOSITORY": "acme/ml",
            "GITHUB_EVENT_PATH": event,
            "GITHUB_API_URL": host.url,
        },
        "gitlab": {
            "GITLAB_TOKEN": TOKEN,
            "CI_API_V4_URL": host.url,
            "CI_PROJECT_ID": "12",
            "CI_MERGE_REQUEST_IID": "7",
        },
        "azure": {
            "SYSTEM_ACCESSTOKEN": TOKEN,
            "SYSTEM_COLLECTIONURI": f"{host.url}/",
            "SYSTEM_TEAMPROJECTID": "p id",
            "BUILD_REPOSITORY_ID": "r",
            "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
        },
    }[name]
