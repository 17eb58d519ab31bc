"""Writes responses in OpenAI's API format, either whole or as server-sent events."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from modelyard_runtime.serving.language.engine import Piece
from modelyard_runtime.serving.language.requests import ApiError

DONE: Final = b"data: [DONE]\n\n"
"""The last event of a stream."""

_TYPES: Final = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}


@dataclass(frozen=True, slots=True)
class Form:
    """What all parts of the response to a request have in common."""

    chat: bool
    request_id: str
    model: str
    created: int

    def complete(self, text: str, reason: str, used: dict[str, int]) -> dict[str, Any]:
        """Return a response with the whole text."""
        choice: dict[str, Any] = {"index": 0, "finish_reason": reason, "logprobs": None}
        choice |= {"message": {"role": "assistant", "content": text, "refusal": None}} if self.chat else {"text": text}
        return {**self._head(whole=True), "choices": [choice], "usage": used}

    def opening(self) -> list[dict[str, Any]]:
        """Return the chunks preceding the first piece of a stream. Only chats have one, which contains the role."""
        return [self._chunk({"role": "assistant", "content": ""}, None)] if self.chat else []

    def chunk(self, piece: Piece) -> dict[str, Any]:
        """Return a chunk with a piece of the text."""
        return self._chunk({"content": piece.text} if piece.text else {}, piece.finish_reason or None, piece.text)

    def last(self, used: dict[str, int]) -> dict[str, Any]:
        """Return the final chunk, which has the number of tokens but no text."""
        return {**self._head(whole=False), "choices": [], "usage": used}

    def _chunk(self, delta: dict[str, Any], reason: str | None, text: str = "") -> dict[str, Any]:
        content: dict[str, Any] = {"delta": delta} if self.chat else {"text": text}
        choice = {"index": 0, **content, "finish_reason": reason, "logprobs": None}
        return {**self._head(whole=False), "choices": [choice]}

    def _head(self, *, whole: bool) -> dict[str, Any]:
        kind = "text_completion"
        if self.chat:
            kind = "chat.completion" if whole else "chat.completion.chunk"
        prefix = "chatcmpl" if self.chat else "cmpl"
        return {"id": f"{prefix}-{self.request_id}", "object": kind, "created": self.created, "model": self.model}


def usage(prompt: int, generated: int) -> dict[str, int]:
    """Return the token counts of a request."""
    return {"prompt_tokens": prompt, "completion_tokens": generated, "total_tokens": prompt + generated}


def model_card(name: str, created: int, context_length: int) -> dict[str, Any]:
    """Return a model's entry in the list of models."""
    card = {"id": name, "object": "model", "created": created, "owned_by": "modelyard"}
    return {**card, "max_model_len": context_length}


def error_body(error: ApiError) -> dict[str, Any]:
    """Return the response body for an error."""
    kind = _TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "server_error")
    return {"error": {"message": error.message, "type": kind, "param": error.param, "code": error.code}}


def event(content: dict[str, Any]) -> bytes:
    """Return a server-sent event."""
    return b"data: " + encoded(content) + b"\n\n"


def encoded(content: dict[str, Any]) -> bytes:
    """Encode a response body."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(errors="replace")
