"""The interface of engines that generate text, which keeps the routes independent of the library behind them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

Message: TypeAlias = dict[str, str]
"""One message of a chat, with its `role` and `content`."""


class BadPrompt(Exception):
    """A prompt that the model cannot continue, such as an empty one."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen, and when the generation ends."""

    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """The next part of a text, and the tokens generated so far.

    The last piece has a reason: `stop` at the end of the text or at a stop sequence, `length` at the limit.
    """

    text: str
    tokens: int
    finish_reason: str = ""


class Engine(Protocol):
    """A loaded language model."""

    @property
    def context_length(self) -> int:
        """The largest number of tokens in a prompt and its continuation together."""
        ...

    @property
    def alive(self) -> bool:
        """Whether the engine can still generate."""
        ...

    def chat_tokens(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of a chat, written in the format that the model was trained on."""
        ...

    def text_tokens(self, text: str) -> list[int]:
        """Return the tokens of a text."""
        ...

    def generate(self, prompt: Sequence[int], sampling: Sampling) -> AsyncGenerator[Piece]:
        """Generate a continuation piece by piece. Closing the generator ends the generation."""
        ...

    def close(self) -> None:
        """End the engine once its last generation has ended."""
        ...
