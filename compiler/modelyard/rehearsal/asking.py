"""Send a rehearsal's requests to the old side before the move, and record what its responses contain."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from modelyard.records import replace
from modelyard.rehearsal.gateway import Question, compared
from modelyard.rehearsal.layout import Layout, read_json
from modelyard.rehearsal.steps import Failed

_SHOWN: Final = 300


def asked_first(layout: Layout, port: int) -> Iterator[Question]:
    """Yield the requests stored by the old side, with the responses of each variant of their endpoint."""
    endpoints = layout.local_plan("old")["endpoints"]
    for name, stored in read_json(layout.state("old") / "requests.json").items():
        token = Path(stored["token"]).read_text(encoding="utf-8").strip() if stored["token"] else ""
        variants = [str(backend["application"]) for backend in endpoints[name]["backends"] if backend["weight"]]
        path = f"/{name}{str(endpoints[name]['path']).rstrip('/')}"
        for below, body in stored["requests"]:
            question = Question(name, f"{path}{below}", json.dumps(body), token, ())
            yield replace(question, answers=tuple(_first(question, port, f"/{variant}{below}") for variant in variants))


def text_endpoints(layout: Layout) -> set[str]:
    """Return the endpoints of the old side that serve language models."""
    return {name for name, entry in layout.local_plan("old")["endpoints"].items() if entry.get("generatesText")}


def _first(question: Question, port: int, path: str) -> str:
    status, content = question.send(port, path)
    if status != http.client.OK:
        raise Failed(f"{question.endpoint} of the old side answers {status}: {content[:_SHOWN]}")
    return compared(content)
