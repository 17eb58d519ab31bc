"""Writes chats in the format on which a model was trained."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.serving.language.engine import BadPrompt, Message

_WORKER: Final = "modelyard_runtime.serving.language.template_worker"
_LIMIT_S: Final = 5.0
_START_S: Final = 120.0  # importing libraries on a busy machine
_MOST_BYTES: Final = 256 * 1024**2
_SHORT: Final[list[Message]] = [{"role": "user", "content": "hello"}]
_log = logging.getLogger(__name__)


class _OutOfLimits(Exception):
    """The template took too much time or memory."""


class ChatTemplate:
    """A model's chat template, which runs in a process with resource limits.

    A template that can't render even one short message within the limits is refused when the model is loaded.
    """

    def __init__(self, tokenizer: Any, limit_s: float = _LIMIT_S) -> None:
        self._tokenizer, self._limit_s = tokenizer, limit_s
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        if tokenizer.chat_template is not None:
            with suppress(BadPrompt):
                try:
                    self._text(_SHORT)
                except _OutOfLimits:
                    raise Refusal(f"the model's chat template does not finish within {limit_s:g} s") from None

    def tokens(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of a chat. This call blocks, so it must be made outside the event loop."""
        if self._tokenizer.chat_template is None and not _in_code(self._tokenizer):
            raise BadPrompt("this model has no chat template; use completions")
        try:
            text = self._text(messages)
        except _OutOfLimits:
            message = f"the model's chat template did not finish these messages within {self._limit_s:g} s"
            raise BadPrompt(f"{message}, or needed too much memory") from None
        return [int(token) for token in self._tokenizer.encode(text, add_special_tokens=False)]

    def close(self) -> None:
        """Terminate the process."""
        with self._lock:
            self._stop()

    def _text(self, messages: Sequence[Message]) -> str:
        if _in_code(self._tokenizer):  # mlx-lm has the format of some models as Python code instead
            return str(self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
        if not self._lock.acquire(timeout=2 * self._limit_s + _START_S):
            raise _OutOfLimits
        try:
            if self._worker is None:
                self._worker = _started(_settings(self._tokenizer), self._limit_s)
            answer = self._worker.rendered(messages, self._limit_s)
        except (EOFError, OSError, _OutOfLimits):
            self._stop()
            _log.warning("the chat template exceeded its limits of time or memory")
            raise _OutOfLimits from None
        finally:
            self._lock.release()
        if "text" not in answer:
            raise BadPrompt(f"the model's chat template refuses these messages: {answer['problem']}")
        return answer["text"]

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.stop()
            self._worker = None


@dataclass(slots=True)
class _Worker:
    """A running process that renders one chat at a time."""

    process: subprocess.Popen[bytes]
    connection: Any

    def rendered(self, messages: Sequence[Message], limit_s: float) -> dict[str, str]:
        """Return the process's response. The first one takes longer, since the process has to import libraries."""
        self.connection.send_bytes(json.dumps(list(messages)).encode())
        if not self.connection.poll(limit_s + _START_S):
            raise _OutOfLimits
        answer: dict[str, str] = json.loads(self.connection.recv_bytes(_MOST_BYTES))
        return answer

    def stop(self) -> None:
        """Terminate the process and wait until it has ended."""
        self.connection.close()
        self.process.kill()
        self.process.wait()


def _started(settings: dict[str, Any], limit_s: float) -> _Worker:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", _WORKER, str(theirs.fileno()), str(limit_s)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
        )
    connection: Any = Connection(ours.detach())
    connection.send_bytes(json.dumps(settings).encode())
    return _Worker(process, connection)


def _settings(tokenizer: Any) -> dict[str, Any]:
    """Return the values, apart from the messages, that the tokenizer itself would pass to the template's renderer."""
    try:
        template = tokenizer.get_chat_template()
    except ValueError as problem:
        raise BadPrompt(f"this model's chat template cannot be used: {problem}") from None
    thinking = getattr(tokenizer, "_thinking_kwarg", "")  # mlx-lm sets this variable of the template
    extra = {thinking: bool(tokenizer.has_thinking)} if thinking else {}
    special = {name: str(token) for name, token in tokenizer.special_tokens_map.items() if isinstance(token, str)}
    return {"chat_template": template, "add_generation_prompt": True, **special, **extra}


def _in_code(tokenizer: Any) -> bool:
    return getattr(tokenizer, "_chat_template", None) is not None
