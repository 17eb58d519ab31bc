"""Generates text with mlx-lm, which needs no GPU, on Linux CPUs and on Apple silicon.

One thread owns the model. It generates one token at a time for all generations in progress, so a request joins a
running batch at the next token without waiting for others to end. Each adapter has its own batch, since mlx-lm runs one
model per batch. All batches use the same base weights.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import random
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from modelyard_runtime.models.adapters import apply_adapter, shared_copy
from modelyard_runtime.models.texts import load_quietly
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.serving.language.engine import BadPrompt, Message, Piece, Sampling
from modelyard_runtime.serving.language.fitting import configuration_of
from modelyard_runtime.serving.language.stops import Stops
from modelyard_runtime.serving.language.templates import ChatTemplate

_START_S = 3600.0  # loading large weights from a slow disk
_log = logging.getLogger(__name__)


class EngineFailed(Exception):
    """The thread that owns the model has ended, so the replica must be replaced."""


class TextFailed(Exception):
    """A single generation can't continue, e.g. after a token unknown to the tokenizer. Others aren't affected."""


@dataclass(slots=True)
class _Job:
    """A generation in progress. `pieces` belongs to the request's event loop."""

    prompt: list[int]
    sampling: Sampling
    loop: asyncio.AbstractEventLoop
    adapter: str = ""
    pieces: asyncio.Queue[Piece | TextFailed | None] = field(default_factory=asyncio.Queue)
    stops: Stops = field(default_factory=lambda: Stops(()))
    detokenizer: Any = None
    tokens: int = 0
    cancelled: bool = False

    def tell(self, piece: Piece | TextFailed | None) -> None:
        """Pass a piece, an error or, when the engine ends, None to the request, unless its event loop is closed."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.pieces.put_nowait, piece)


_Command: TypeAlias = Callable[[], None]


class MlxEngine:
    """A model in a folder in Hugging Face's format, with at most `concurrency` simultaneous generations.

    The limit applies to each of its adapters separately.
    """

    def __init__(self, folder: Path, concurrency: int, context_length: int | None = None) -> None:
        self.context_length = _context(folder, context_length)
        self._concurrency = concurrency
        self._commands: queue.SimpleQueue[_Command] = queue.SimpleQueue()
        self._jobs: dict[tuple[str, int], _Job] = {}
        self._generators: dict[str, Any] = {}  # by adapter; that of the whole model has no name
        self._leaving: set[str] = set()
        self._model: Any = None
        self._closing = self._ended = False
        self._tokenizer: Any = None
        self._problem: BaseException | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(folder,), name="language-model", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise Refusal(f"the model was not loaded within {_START_S:.0f} s")
        if self._problem is not None:
            raise Refusal(f"the model cannot be loaded: {self._problem}") from self._problem
        try:
            self._template = ChatTemplate(self._tokenizer)
        except Refusal:
            self.close()
            raise

    def chat_tokens(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of a chat, written with the model's own template."""
        return self._template.tokens(messages)

    def text_tokens(self, text: str) -> list[int]:
        """Return the tokens of the given text."""
        return [int(token) for token in self._tokenizer.encode(text)]

    async def generate(self, prompt: Sequence[int], sampling: Sampling, adapter: str = "") -> AsyncGenerator[Piece]:
        """Generate a continuation piece by piece. Closing the generator ends generation."""
        if not prompt:
            raise BadPrompt("the prompt has no tokens")
        if max(prompt) >= len(self._tokenizer):
            raise BadPrompt(f"the prompt has token {max(prompt)}, but the model knows only {len(self._tokenizer)}")
        job = _Job(list(prompt), sampling, asyncio.get_running_loop(), adapter)
        job.stops = Stops(sampling.stop)
        self._commands.put(lambda: self._insert(job))
        try:
            while True:
                piece = await job.pieces.get() if not self._ended else None
                if piece is None:
                    raise EngineFailed("the engine ended before this text")
                if isinstance(piece, TextFailed):
                    raise piece
                yield piece
                if piece.finish_reason:
                    return
        finally:
            self._commands.put(lambda: self._cancel(job))

    def add_adapter(self, key: str, folder: Path) -> None:
        """Load an adapter in PEFT format, keeping its matrices in memory."""
        done: Future[None] = Future()

        def add() -> None:
            try:
                model = shared_copy(self._model)
                apply_adapter(model, folder)
                self._generators[key] = self._generator_of(model)
                self._leaving.discard(key)
            except Exception as problem:  # noqa: BLE001 - reported to the thread that waits for the adapter
                done.set_exception(problem)
            else:
                done.set_result(None)

        if self._ended:
            raise EngineFailed("the engine ended before this adapter")
        self._commands.put(add)
        done.result(_START_S)

    def remove_adapter(self, key: str) -> None:
        """Remove an adapter once its last generation has ended."""
        self._commands.put(lambda: self._leaving.add(key))

    def close(self) -> None:
        """Shut down the engine once its last generation has ended."""

        def close() -> None:
            self._closing = True

        self._commands.put(close)
        if hasattr(self, "_template"):
            self._template.close()

    @property
    def alive(self) -> bool:
        """Return whether the engine can still generate text."""
        return not self._ended

    @property
    def running(self) -> int:
        """Return the number of generations in progress or waiting for a slot in the batch."""
        return len(self._jobs)

    def _run(self, folder: Path) -> None:
        """Load the model and generate until the engine is closed. MLX is only used within this thread."""
        try:
            self._load(folder)
        except Exception as problem:  # noqa: BLE001 - reported to the thread that waits for the model
            self._problem = problem
            return
        finally:
            self._ready.set()
        try:
            while self._jobs or not self._closing:
                self._follow_commands(wait=not self._jobs)
                for adapter in sorted({adapter for adapter, _ in self._jobs}):
                    for response in self._generators[adapter].next_generated():
                        self._answer(adapter, response)
                self._drop_leaving()
        except Exception:  # noqa: BLE001 - every waiting request has to hear that the engine has ended
            _log.exception("the engine failed")
        finally:
            for generator in self._generators.values():
                generator.close()
            self._end_all()

    def _load(self, folder: Path) -> None:
        self._model, self._tokenizer = load_quietly(str(folder))
        self._generators[""] = self._generator_of(self._model)

    def _generator_of(self, model: Any) -> Any:
        import mlx.core as mx
        from mlx_lm.generate import BatchGenerator

        mx.eval(model.parameters())
        return BatchGenerator(
            model,
            stop_tokens=[[token] for token in self._tokenizer.eos_token_ids],
            completion_batch_size=self._concurrency,
            prefill_batch_size=min(self._concurrency, 8),
            stream=mx.default_stream(mx.default_device()),
        )

    def _drop_leaving(self) -> None:
        """Drop adapters that are no longer needed and are not generating any text."""
        for key in self._leaving - {adapter for adapter, _ in self._jobs}:
            self._leaving.discard(key)
            generator = self._generators.pop(key, None)
            if generator is not None:
                generator.close()

    def _follow_commands(self, *, wait: bool) -> None:
        """Run all pending commands, first waiting for one if no generation is in progress."""
        if wait:
            self._commands.get()()
        while True:
            try:
                self._commands.get_nowait()()
            except queue.Empty:
                return

    def _insert(self, job: _Job) -> None:
        if job.cancelled:
            return
        generator = self._generators.get(job.adapter)
        if self._ended or generator is None:
            job.tell(None)
            return
        job.detokenizer = self._tokenizer.detokenizer
        (uid,) = generator.insert([job.prompt], [job.sampling.max_tokens], samplers=[_sampler(job.sampling)])
        self._jobs[job.adapter, uid] = job

    def _cancel(self, job: _Job) -> None:
        """Drop a generation whose request has ended, and remove it from the batch."""
        job.cancelled = True
        for adapter, uid in [key for key, other in self._jobs.items() if other is job]:
            self._generators[adapter].remove([uid])
            del self._jobs[adapter, uid]

    def _answer(self, adapter: str, response: Any) -> None:
        """Pass a token's text to its request. A token ending in the middle of a character has no text yet."""
        job = self._jobs.get((adapter, response.uid))
        if job is None:
            return
        job.tokens += 1
        try:
            text = job.stops.add(_text_of(job, response))
        except (ArithmeticError, LookupError, TypeError, ValueError) as problem:
            _log.exception("token %s cannot be written as text", response.token)
            if not response.finish_reason:
                self._generators[adapter].remove([response.uid])
            del self._jobs[adapter, response.uid]
            job.tell(TextFailed(f"token {response.token} cannot be written as text: {problem}"))
            return
        if job.stops.found:
            self._finish(response.uid, job, text, "stop", removed=bool(response.finish_reason))
        elif response.finish_reason:
            self._finish(response.uid, job, text + job.stops.rest(), response.finish_reason, removed=True)
        elif text:
            job.tell(Piece(text, job.tokens))

    def _finish(self, uid: int, job: _Job, text: str, reason: str, *, removed: bool) -> None:
        if not removed:
            self._generators[job.adapter].remove([uid])
        del self._jobs[job.adapter, uid]
        job.tell(Piece(text, job.tokens, reason))

    def _end_all(self) -> None:
        """Wake all requests that are still waiting, including those whose commands haven't run yet."""
        self._ended = True  # from here on, no request waits for this thread
        self._follow_commands(wait=False)
        for job in self._jobs.values():
            job.tell(None)
        self._jobs.clear()


def _text_of(job: _Job, response: Any) -> str:
    """Return the text of a token, or the remaining text after the last token."""
    if response.finish_reason != "stop":  # the token that ends a text has no text
        job.detokenizer.add_token(response.token)
    if response.finish_reason:
        job.detokenizer.finalize()
    return str(job.detokenizer.last_segment)


def _sampler(sampling: Sampling) -> Any:
    """Return the function that chooses the next token. Each generation has its own random numbers."""
    import mlx.core as mx
    from mlx_lm.sample_utils import apply_top_p

    if sampling.temperature == 0:
        return None  # mlx-lm then takes the likeliest token
    seed = random.SystemRandom().getrandbits(63) if sampling.seed is None else sampling.seed
    key = mx.random.key(seed % 2**64)

    def choose(logprobs: mx.array) -> mx.array:
        nonlocal key
        key, own = mx.random.split(key)
        filtered = apply_top_p(logprobs, sampling.top_p) if sampling.top_p < 1 else logprobs
        return mx.random.categorical(filtered * (1 / sampling.temperature), key=own)

    return choose


def _context(folder: Path, requested: int | None) -> int:
    """Return the requested context length, defaulting to the model's own, which must not be exceeded."""
    value = configuration_of(folder).get("max_position_embeddings")
    length = value if isinstance(value, int) and value >= 2 else None
    if requested is None:
        if length is None:
            raise Refusal("the model's config.json has no max_position_embeddings; set generation.contextLength")
        return length
    if length is not None and requested > length:
        raise Refusal(f"generation.contextLength is {requested}, but the model was made for {length} tokens")
    return requested
