"""A client for a language server on standard streams, which opens documents and sends requests."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, BinaryIO, Final, cast

CURSOR: Final = "▮"
_PATIENCE_S: Final = 60


class LanguageClient:
    """A running language server. `settings` are the client's answers to configuration requests, by section."""

    def __init__(self, command: Sequence[str], settings: Mapping[str, object] | None = None) -> None:
        self._settings = settings or {}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._answers: dict[int, queue.Queue[Any]] = {}
        self._published: dict[str, queue.Queue[list[dict[str, Any]]]] = {}
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> LanguageClient:
        item = {"snippetSupport": True, "documentationFormat": ["markdown"]}
        text = {"completion": {"completionItem": item}, "hover": {"contentFormat": ["markdown"]}}
        workspace = {"configuration": True}
        self.ask(
            "initialize",
            {"processId": None, "rootUri": None, "capabilities": {"textDocument": text, "workspace": workspace}},
        )
        self.tell("initialized", {})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.ask("shutdown", None)
        self.tell("exit", None)
        self._process.wait(_PATIENCE_S)
        self._reader.join(_PATIENCE_S)
        for stream in (self._process.stdin, self._process.stdout):
            cast("BinaryIO", stream).close()

    def open(self, uri: str, text: str) -> None:
        """Open a document, as an editor does."""
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def change(self, uri: str, text: str, version: int) -> None:
        """Replace an open document's text."""
        document = {"uri": uri, "version": version}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})

    def completion(self, uri: str, text: str) -> list[dict[str, Any]]:
        """Open a document and return the completions at the cursor marked in its text."""
        self.open(uri, text.replace(CURSOR, ""))
        result = self.ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": _position(text)})
        listed = cast("dict[str, Any]", result).get("items") if isinstance(result, dict) else result
        return cast("list[dict[str, Any]]", listed or [])

    def hover(self, uri: str, text: str) -> str:
        """Return the hover text at the marked cursor in an open document."""
        result = self.ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": _position(text)})
        return str(result["contents"]["value"]) if result else ""

    def diagnostics(self, uri: str) -> list[dict[str, Any]]:
        """Return the next diagnostics of a document."""
        return self._queue(uri).get(timeout=_PATIENCE_S)

    def ask(self, method: str, parameters: object) -> Any:
        """Send a request, and return the server's response."""
        number = len(self._answers) + 1
        self._answers[number] = queue.Queue()
        self._send({"id": number, "method": method, "params": parameters})
        return self._answers[number].get(timeout=_PATIENCE_S)

    def tell(self, method: str, parameters: object) -> None:
        """Send a notification, which gets no response."""
        self._send({"method": method, "params": parameters})

    def _queue(self, uri: str) -> queue.Queue[list[dict[str, Any]]]:
        with self._lock:
            return self._published.setdefault(uri, queue.Queue())

    def _send(self, message: Mapping[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stream = cast("BinaryIO", self._process.stdin)
        stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        stream.flush()

    def _read(self) -> None:
        stream = cast("BinaryIO", self._process.stdout)
        while header := stream.readline():
            length = 0
            while header.strip():
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
                header = stream.readline()
            self._receive(json.loads(stream.read(length)))

    def _receive(self, message: dict[str, Any]) -> None:
        method = message.get("method", "")
        if not method:
            self._answers[message["id"]].put(message.get("result"))
        elif method == "textDocument/publishDiagnostics":
            self._queue(message["params"]["uri"]).put(message["params"]["diagnostics"])
        elif "id" in message:
            items = message["params"]["items"] if method == "workspace/configuration" else None
            result = None if items is None else [self._settings.get(item.get("section")) for item in items]
            self._send({"id": message["id"], "result": result})


def _position(text: str) -> dict[str, int]:
    before = text[: text.index(CURSOR)]
    return {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
