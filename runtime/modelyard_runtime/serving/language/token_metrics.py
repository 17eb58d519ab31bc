"""Counts the tokens of language models and measures their speed, as Ray metrics prefixed with `ray_`."""

from __future__ import annotations

from typing import Any, Final

from modelyard_runtime.serving.request_metrics import bounds_until, labels_of
from modelyard_runtime.serving.selection import Origin
from modelyard_runtime.workload.records import Application, Generation

PROMPT_TOKENS: Final = "modelyard_prompt_tokens"
GENERATED_TOKENS: Final = "modelyard_generated_tokens"
FIRST_TOKEN_SECONDS: Final = "modelyard_time_to_first_token_seconds"
BROKEN_STREAMS: Final = "modelyard_broken_streams"
TOKENS_PER_SECOND: Final = "modelyard_tokens_per_second"

_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_RATES: Final = (1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000)


class TokenMetrics:
    """The token metrics of a variant's server. Each objective has a bucket in a histogram."""

    def __init__(self, application: str, record: Application, generation: Generation) -> None:
        from ray.util.metrics import Counter, Histogram

        seconds = bounds_until(_SECONDS, record.timeout_seconds, generation.first_token_objectives)
        objective = generation.token_rate_objective
        keys = ("application", "variant", "model", "version")
        self._prompt: Any = Counter(PROMPT_TOKENS, description="Tokens in prompts.", tag_keys=keys)
        self._generated: Any = Counter(GENERATED_TOKENS, description="Tokens that were generated.", tag_keys=keys)
        self._first: Any = Histogram(
            FIRST_TOKEN_SECONDS,
            description="Seconds from a request to its first token.",
            boundaries=seconds,
            tag_keys=keys,
        )
        self._rate: Any = Histogram(
            TOKENS_PER_SECOND,
            description="Tokens a second of one text, after its first token.",
            boundaries=sorted({*_RATES, *([] if objective is None else [objective])}),
            tag_keys=keys,
        )
        self._broken: Any = Counter(
            BROKEN_STREAMS, description="Streams that ended with an error after their first token.", tag_keys=keys
        )
        for metric in (self._prompt, self._generated, self._first, self._rate, self._broken):
            metric.set_default_tags({"application": application})

    def began(self, origin: Origin, prompt_tokens: int, seconds: float) -> None:
        """Record the first token of a generation."""
        self._prompt.inc(prompt_tokens, labels_of(origin))
        self._first.observe(seconds, labels_of(origin))

    def ended(self, origin: Origin, tokens: int, seconds: float) -> None:
        """Record a generation's tokens, even if its client abandoned it. `seconds` is measured from the first token."""
        if tokens:
            self._generated.inc(tokens, labels_of(origin))
        if tokens > 1 and seconds > 0:
            self._rate.observe((tokens - 1) / seconds, labels_of(origin))

    def broke(self, origin: Origin) -> None:
        """Count a stream that ended with an error. No other metric does, since status 200 was already sent."""
        self._broken.inc(1, labels_of(origin))
