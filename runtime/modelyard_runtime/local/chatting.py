"""Sends requests to text generation endpoints using OpenAI's API format."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from modelyard_runtime.local.asking import CHAT, COMPLETION
from modelyard_runtime.local.calling import Endpoint

_TEXT = "Hello"
_FEW_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Reply:
    """The response of one model: the generated text, or the error."""

    model: str
    command: str
    text: str
    problem: str


def chat_command(endpoint: Endpoint, model: str) -> str:
    """Return a shell command that sends a chat to a model."""
    return endpoint.curl(_chat(model, _TEXT), CHAT)


def replies(endpoint: Endpoint) -> Iterator[Reply]:
    """Send a short chat message to the endpoint's model and to each loaded adapter by name."""
    names, problem = models_of(endpoint)
    if problem:
        yield Reply("", f"curl -s {endpoint.url}/v1/models", "", problem)
    for name in names:
        status, text, command = ask(endpoint, name, _TEXT, max_tokens=_FEW_TOKENS)
        has_answered = status == http.client.OK
        yield Reply(name, command, text if has_answered else "", "" if has_answered else f"{status}: {text}")


def models_of(endpoint: Endpoint) -> tuple[tuple[str, ...], str]:
    """Return the names of the endpoint's model and adapters, or else an error message."""
    status, text = endpoint.get("/v1/models")
    if status != http.client.OK:
        return (), f"{status}: {message_in(text)}"
    return tuple(str(card["id"]) for card in json.loads(text)["data"]), ""


def ask(endpoint: Endpoint, model: str, text: str, **fields: Any) -> tuple[int, str, str]:
    """Send a text as a chat message, or as a plain prompt if the model has no chat template.

    Returns the status, the generated text or error message, and a shell command that sends the text.
    """
    path, content = CHAT, _chat(model, text)
    status, response = endpoint.post(json.dumps({**content, **fields}), path)
    if status == http.client.BAD_REQUEST:
        path, content = COMPLETION, {"model": model, "prompt": text}
        status, response = endpoint.post(json.dumps({**content, **fields}), path)
    answer = _generated(response) if status == http.client.OK else message_in(response)
    return status, answer, endpoint.curl(content, path)


def message_in(response: str) -> str:
    """Return the message of an error in OpenAI's format, or the whole response if it isn't in that format."""
    try:
        return str(json.loads(response)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return response


def _generated(response: str) -> str:
    choice = json.loads(response)["choices"][0]
    return str(choice["message"]["content"] if "message" in choice else choice["text"])


def _chat(model: str, text: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}]}
