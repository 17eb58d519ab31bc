"""Writes chats in the format that a model was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelyard_runtime.serving.language.engine import BadPrompt, Message


def chat_tokens(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """Return the tokens of a chat, written with the template that comes with a model's tokenizer."""
    from jinja2 import TemplateError

    if tokenizer.chat_template is None:
        raise BadPrompt("this model has no chat template; use completions")
    try:
        tokens = tokenizer.apply_chat_template(
            list(messages), add_generation_prompt=True, tokenize=True, return_dict=False
        )
    except (
        TemplateError,
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as problem:
        # Templates are programs of the model's authors, in a sandbox: they can fail in any of these ways.
        raise BadPrompt(f"the model's chat template refuses these messages: {problem}") from None
    return [int(token) for token in tokens]
