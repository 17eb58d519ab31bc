"""Diagnostics about language models: E0497 to E0499, and W0955 to E0957."""

from __future__ import annotations

from math import ceil

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def not_for_text(span: Span, subject: str, field: str, reason: str, hint: str) -> Diagnostic:
    """A field does not apply to language models, or applies only to them.

    An endpoint of a language model answers with text instead of one prediction per row. It therefore has no rows to
    capture or to batch, and no user code between the request and the model. Its requests are not mirrored, because each
    copy costs as much as the original.

    Wrong:

        models: {chat: {task: text-generation, framework: transformers, import: {…}}}
        inference: {assistant: {variants: {live: {model: chat@champion}}, batching: {maxSize: 8}, …}}

    Right:

        models: {chat: {task: text-generation, framework: transformers, import: {…}}}
        inference: {assistant: {variants: {live: {model: chat@champion}}, generation: {concurrency: 8}, …}}
    """
    return Diagnostic("E0497", Severity.ERROR, f"{subject} cannot have `{field}`: {reason}", span, hint)


def language_model_unsupported(span: Span, subject: str, reason: str, hint: str) -> Diagnostic:
    """A language model is used in a way that is not supported.

    A language model has the task text-generation and the framework transformers. It is imported, or a training pipeline
    uses the built-in trainer to train an adapter for an imported one (`base`). It is served by an endpoint on a target
    that can reach the registry. Pipelines cannot score with it, and monitors can only measure its endpoint's
    performance.

    Wrong:

        models: {chat: {task: text-generation, framework: pytorch}}

    Right:

        models: {chat: {task: text-generation, framework: transformers, import: {store: lake, path: chat/1, digest: …}}}
    """
    return Diagnostic("E0498", Severity.ERROR, f"{subject} {reason}", span, hint)


def tokens_beyond_context(span: Span, endpoint: str, tokens: int, context: int) -> Diagnostic:
    """A request could generate more tokens than the model's context holds, even without a prompt.

    Wrong:

        generation: {contextLength: 4096, maxTokens: 4096}

    Right:

        generation: {contextLength: 4096, maxTokens: 1024}
    """
    return Diagnostic(
        "E0499",
        Severity.ERROR,
        f"endpoint {quote(endpoint)} may generate {tokens} tokens, "
        f"but its context holds only {context} tokens, including the prompt",
        span,
        f"set `maxTokens` below {context} to leave room for the prompt",
    )


def slower_than_timeout(span: Span, rate: float, tokens: int, timeout_s: int) -> Diagnostic:
    """A text that is as slow as the objective allows times out before it is complete.

    Wrong:

        generation: {maxTokens: 1024}
        slo: {tokensPerSecond: {min: 5}}
        endpoint: {timeout: 60s}

    Right:

        generation: {maxTokens: 1024}
        slo: {tokensPerSecond: {min: 20}}
        endpoint: {timeout: 60s}
    """
    needed_s = ceil(tokens / rate)
    return Diagnostic(
        "W0955",
        Severity.WARNING,
        f"{tokens} tokens take {needed_s} s at {rate:g} tokens per second, but requests time out after {timeout_s} s",
        span,
        f"raise `endpoint.timeout` to at least {needed_s}s, lower `generation.maxTokens`, or raise `min`",
    )


def texts_wait(span: Span, endpoint: str, target: float, together: int) -> Diagnostic:
    """The autoscaler does not add replicas even though most requests wait for others to finish.

    A replica generates `generation.concurrency` texts at the same time, and further requests wait. If the target is
    more than twice that number, more requests wait than are being answered before the autoscaler reacts.

    Wrong:

        generation: {concurrency: 8}
        scaling: {target: 100}

    Right:

        generation: {concurrency: 8}
        scaling: {target: 8}
    """
    return Diagnostic(
        "W0956",
        Severity.WARNING,
        f"endpoint {quote(endpoint)} adds replicas only above {target:g} requests per replica, "
        f"but each replica generates only {together} texts at a time",
        span,
        f"set `target` to about {together}, or raise `generation.concurrency`",
    )


def tokens_without_target(span: Span, endpoint: str) -> Diagnostic:
    """An autoscaler that counts tokens needs a target, because it does not know how many tokens a replica can hold.

    A good target is what fits into the cache: the concurrency times the usual number of tokens per request.

    Wrong:

        scaling: {metric: ongoing-tokens}

    Right:

        scaling: {metric: ongoing-tokens, target: 16000}
    """
    return Diagnostic(
        "E0957",
        Severity.ERROR,
        f"endpoint {quote(endpoint)} scales by tokens, but does not set the number of tokens per replica",
        span,
        "add `target`, about `generation.concurrency` times the usual number of tokens per request",
    )


def target_below_a_text(span: Span, endpoint: str, target: float, tokens: int, together: int) -> Diagnostic:
    """A single long text holds more tokens than the target allows, so it adds a replica that has no work.

    `target` counts the tokens of all requests in a replica, including their prompts and the text generated so far. With
    a target below `generation.maxTokens`, the autoscaler adds a replica for a single request, although a replica
    generates `generation.concurrency` texts at a time.

    Wrong:

        generation: {maxTokens: 1024, concurrency: 8}
        scaling: {metric: ongoing-tokens, target: 500}

    Right:

        generation: {maxTokens: 1024, concurrency: 8}
        scaling: {metric: ongoing-tokens, target: 8000}
    """
    return Diagnostic(
        "W0954",
        Severity.WARNING,
        f"endpoint {quote(endpoint)} adds replicas above {target:g} tokens each, "
        f"but a single text may have {tokens} tokens",
        span,
        f"set `target` to about {together} (`concurrency`) times the usual number of tokens per request",
    )
