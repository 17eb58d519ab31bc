"""The interface of text generation engines, which makes routes independent of the underlying library."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

Message: TypeAlias = dict[str, str]
"""One message of a chat, with its `role` and `content`."""


class BadPrompt(Exception):
    """A prompt that the model cannot continue, such as an empty one."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen, and when generation ends."""

    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """The next piece of generated text, and the number of tokens generated so far.

    The last piece has a finish reason, which is `stop` at the end of the text or a stop sequence, or `length` at the
    limit.
    """

    text: str
    tokens: int
    finish_reason: str = ""


class Engine(Protocol):
    """A loaded language model."""

    @property
    def context_length(self) -> int:
        """Return the maximum number of tokens in a prompt and its continuation combined."""
        ...

    @property
    def alive(self) -> bool:
        """Return whether the engine can still generate text."""
        ...

    def chat_tokens(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of a chat, in the format the model was trained on."""
        ...

    def text_tokens(self, text: str) -> list[int]:
        """Return the tokens of the given text."""
        ...

    def generate(self, prompt: Sequence[int], sampling: Sampling, adapter: str = "") -> AsyncGenerator[Piece]:
        """Generate a continuation piece by piece, optionally using an adapter.

        Closing the generator ends generation.
        """
        ...

    def add_adapter(self, key: str, folder: Path) -> None:
        """Load an adapter in PEFT format. Its files may be deleted afterwards."""
        ...

    def remove_adapter(self, key: str) -> None:
        """Remove an adapter once its last generation has ended."""
        ...

    def close(self) -> None:
        """Shut down the engine once its last generation has ended."""
        ...


@dataclass(frozen=True, slots=True)
class Adapted:
    """A language model with one of its adapters, presented as a separate engine that shares the model's weights."""

    whole: Engine
    key: str

    @property
    def context_length(self) -> int:
        """Return the maximum number of tokens in a prompt and its continuation combined."""
        return self.whole.context_length

    @property
    def alive(self) -> bool:
        """Return whether the engine can still generate text."""
        return self.whole.alive

    def chat_tokens(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of a chat."""
        return self.whole.chat_tokens(messages)

    def text_tokens(self, text: str) -> list[int]:
        """Return the tokens of the given text."""
        return self.whole.text_tokens(text)

    def generate(self, prompt: Sequence[int], sampling: Sampling, adapter: str = "") -> AsyncGenerator[Piece]:
        """Generate a continuation with this adapter."""
        return self.whole.generate(prompt, sampling, adapter or self.key)

    def add_adapter(self, key: str, folder: Path) -> None:
        """Load another adapter for the underlying model."""
        self.whole.add_adapter(key, folder)

    def remove_adapter(self, key: str) -> None:
        """Remove another adapter from the underlying model."""
        self.whole.remove_adapter(key)

    def close(self) -> None:
        """Shut down the engine once its last generation has ended."""
        self.whole.close()
