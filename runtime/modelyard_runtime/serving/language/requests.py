"""Reads requests in OpenAI's API format. Anything the engine can't do is refused rather than ignored.

Source: https://platform.openai.com/docs/api-reference, read 2026-11-30.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from modelyard_runtime.serving.language.engine import Message

Body: TypeAlias = Mapping[str, Any]

_ROLES: Final = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_MOST_STOPS: Final = 4
_MOST_STOP_LENGTH: Final = 256
_SHARED: Final = frozenset({"model", "stream", "stream_options", "temperature", "top_p", "seed", "stop", "max_tokens"})
_CHAT: Final = _SHARED | {"messages", "max_completion_tokens"}
_TEXT: Final = _SHARED | {"prompt"}
_ABOUT_THE_CALLER: Final = frozenset({"user", "safety_identifier", "prompt_cache_key", "metadata"})
"""Fields that say something about the caller and change no text."""

_NEUTRAL: Final[Mapping[str, tuple[Any, ...]]] = {
    "n": (1,),
    "best_of": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "echo": (False,),
    "suffix": ("",),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "tools": ([],),
    "tool_choice": ("none",),
    "parallel_tool_calls": (True, False),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "store": (False,),
    "service_tier": ("auto", "default"),
}
"""Fields that are accepted with the value that changes nothing, which clients sometimes send."""


class ApiError(Exception):
    """An error in OpenAI's format."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.param, self.code, self.status = message, param, code, status


@dataclass(frozen=True, slots=True)
class TextRequest:
    """A request for a continuation of either `messages` in a chat, or a `prompt` given as text or tokens."""

    chat: bool
    model: str
    messages: tuple[Message, ...] = ()
    prompt: str | tuple[int, ...] = ""
    max_tokens: int | None = None
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    stream: bool = False
    usage_at_end: bool = False


def request_of(body: bytes, *, chat: bool) -> TextRequest:
    """Parse a request body."""
    document = _document(body)
    _refuse_unsupported(document, _CHAT if chat else _TEXT)
    stream = _flag(document, "stream")
    limit = "max_completion_tokens" if document.get("max_completion_tokens") is not None else "max_tokens"
    return TextRequest(
        chat=chat,
        model=_text(document, "model"),
        messages=_messages(document.get("messages")) if chat else (),
        prompt="" if chat else _prompt(document.get("prompt")),
        max_tokens=_integer(document, limit, 1),
        temperature=_number(document, "temperature", 0, 2),
        top_p=_number(document, "top_p", 0, 1),
        seed=_integer(document, "seed", -(2**63)),
        stop=_stops(document.get("stop")),
        stream=stream,
        usage_at_end=_usage_at_end(document.get("stream_options"), stream),
    )


def _document(body: bytes) -> Body:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise ApiError("the body is not valid JSON") from None
    if not isinstance(document, dict):
        raise ApiError("the body is not a JSON object")
    return document


def _refuse_unsupported(document: Body, supported: frozenset[str]) -> None:
    for name, value in document.items():
        if name in supported or name in _ABOUT_THE_CALLER or value is None:
            continue
        if name not in _NEUTRAL:
            raise ApiError(f"this server does not support {name[:80]!r}", name[:80], "unsupported_parameter")
        if not any(
            value == neutral and isinstance(value, bool) == isinstance(neutral, bool) for neutral in _NEUTRAL[name]
        ):
            raise ApiError(f"this server does not support this value of {name!r}", name, "unsupported_value")


def _text(document: Body, name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise ApiError(f"{name!r} is required and must be a string", name)
    return _encodable(value, name)


def _encodable(text: str, place: str) -> str:
    """Return the text, refusing lone surrogates, which JSON allows but no tokenizer can read."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ApiError("the text has half of a surrogate pair", place) from None
    return text


def _flag(document: Body, name: str) -> bool:
    value = document.get(name)
    if not isinstance(value, bool | None):
        raise ApiError(f"{name!r} must be true or false", name)
    return bool(value)


def _integer(document: Body, name: str, least: int) -> int | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**63:
        raise ApiError(f"{name!r} must be a whole number of at least {least}", name)
    return value


def _number(document: Body, name: str, least: float, most: float) -> float:
    value = document.get(name)
    if value is None:
        return 1.0
    valid = isinstance(value, int | float) and not isinstance(value, bool)
    if not valid or not least <= value <= most:  # which is false for nan
        raise ApiError(f"{name!r} must be a number from {least} to {most}", name)
    return float(value)


def _stops(value: Any) -> tuple[str, ...]:
    stops = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(stops, list) or len(stops) > _MOST_STOPS:
        raise ApiError(f"'stop' must be a string, or a list of at most {_MOST_STOPS}", "stop")
    if not all(isinstance(stop, str) and 0 < len(stop) <= _MOST_STOP_LENGTH for stop in stops):
        raise ApiError(f"each stop sequence must have 1 to {_MOST_STOP_LENGTH} characters", "stop")
    return tuple(stops)


def _usage_at_end(options: Any, stream: bool) -> bool:
    if options is None:
        return False
    if not stream:
        raise ApiError("'stream_options' needs 'stream': true", "stream_options")
    known = {"include_usage": bool, "include_obfuscation": bool}
    if not isinstance(options, dict) or not all(
        name in known and isinstance(value, bool) for name, value in options.items()
    ):
        raise ApiError("'stream_options' can only have 'include_usage', true or false", "stream_options")
    if options.get("include_obfuscation"):
        raise ApiError("this server does not support 'include_obfuscation'", "stream_options", "unsupported_value")
    return bool(options.get("include_usage"))


def _messages(value: Any) -> tuple[Message, ...]:
    if not isinstance(value, list) or not value:
        raise ApiError("'messages' is required and must be a list with at least one message", "messages")
    return tuple(_message(message, f"messages.[{place}]") for place, message in enumerate(value))


def _message(message: Any, place: str) -> Message:
    if not isinstance(message, dict) or not isinstance(role := message.get("role"), str) or role not in _ROLES:
        raise ApiError(f"each message must have a role: {', '.join(_ROLES)}", f"{place}.role")
    extra = sorted(name for name, value in message.items() if name not in {"role", "content"} and value)
    if extra:
        raise ApiError(f"this server does not support {extra[0][:80]!r} in a message", place, "unsupported_parameter")
    content = _content(message.get("content"), f"{place}.content")
    return {"role": _ROLES[role], "content": _encodable(content, f"{place}.content")}


def _content(content: Any, place: str) -> str:
    """Return the text of a message, which may consist of several parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not content or not all(map(_is_text_part, content)):
        raise ApiError("the content of a message must be a string or a list of text parts", place)
    return "".join(part["text"] for part in content)


def _is_text_part(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _prompt(value: Any) -> str | tuple[int, ...]:
    """Return a single prompt. A list of prompts may contain only one."""
    if isinstance(value, list) and len(value) == 1 and not _is_token(value[0]):
        return _prompt(value[0]) if not isinstance(value[0], list) or _are_tokens(value[0]) else _refused()
    if isinstance(value, str) and value:
        return _encodable(value, "prompt")
    if isinstance(value, list) and _are_tokens(value):
        return tuple(value)
    return _refused()


def _refused() -> str:
    raise ApiError("'prompt' is required and must be one text, or the tokens of one text", "prompt")


def _are_tokens(value: list[Any]) -> bool:
    return bool(value) and all(map(_is_token, value))


def _is_token(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
