"""Tests that a chat template, which is a program from the model's authors, can harm only its own requests."""

from __future__ import annotations

import time
from typing import Any

import pytest

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.serving.language.engine import BadPrompt
from modelyard_runtime.serving.language.templates import ChatTemplate

ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
"""A loop of ten thousand million steps: the sandbox limits the length of each range, but not their product."""

LIMIT_S = 1.0


class Tokenizer:
    """A tokenizer whose tokens are the code points of characters."""

    special_tokens_map: dict[str, Any] = {"bos_token": "<s>"}  # noqa: RUF012 - as the library has it

    def __init__(self, template: str) -> None:
        self.chat_template = template

    def get_chat_template(self) -> str:
        return self.chat_template

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        assert not add_special_tokens, "the template has written them"
        return list(map(ord, text))


def text(template: ChatTemplate, content: str) -> str:
    """Return the text that a template produces for a chat with a single message."""
    return "".join(map(chr, template.tokens([{"role": "user", "content": content}])))


def test_template_gets_messages_and_special_tokens() -> None:
    template = ChatTemplate(Tokenizer("{{ bos_token }}{{ messages[0].content }}{{ add_generation_prompt }}"))

    assert text(template, "good day \u00e9") == "<s>good day \u00e9True"
    template.close()


def test_failures_end_the_request() -> None:
    """Template errors, type errors and excessive memory use end the request but not the process."""
    template = ChatTemplate(
        Tokenizer(
            "{% if messages[0].content == 'refuse' %}{{ raise_exception('only users') }}{% endif %}"
            "{% if messages[0].content == 'type' %}{{ 1 + 'a' }}{% endif %}"
            "{% if messages[0].content == 'memory' %}{{ 'a' * 8000000000 }}{% endif %}fine"
        )
    )

    for content, reason in (("refuse", "only users"), ("type", "TypeError"), ("memory", "MemoryError")):
        with pytest.raises(BadPrompt, match=f"chat template refuses these messages: .*{reason}"):
            text(template, content)
    assert text(template, "hello") == "fine"
    template.close()


def test_endless_loop_ends_the_request() -> None:
    """The template process is killed at the time limit, and the next request gets a new one."""
    template = ChatTemplate(
        Tokenizer(f"{{% if messages[0].content == 'loop' %}}{ENDLESS}{{% endif %}}fine"), limit_s=LIMIT_S
    )
    assert text(template, "hello") == "fine"
    began = time.monotonic()

    with pytest.raises(BadPrompt, match="did not finish these messages within 1 s"):
        text(template, "loop")
    assert time.monotonic() - began < 30
    assert text(template, "hello") == "fine"
    template.close()


def test_template_that_never_ends_is_refused_when_the_model_is_loaded() -> None:
    """No Python code runs while the template computes a huge power, so only the kernel can end the process."""
    with pytest.raises(Refusal, match="does not finish within 1 s"):
        ChatTemplate(Tokenizer("{{ 9 ** (9 ** 9) }}"), limit_s=LIMIT_S)
