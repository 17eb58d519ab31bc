"""Converts rows of text to tokens, and computes their likelihood under a language model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from modelyard_runtime.refusals import Refusal

if TYPE_CHECKING:
    import mlx.core as mx
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

Text: TypeAlias = tuple[str | None, str]
"""A prompt, if there is one, and the text that follows it."""

_TOGETHER = 8


@dataclass(frozen=True, slots=True)
class Example:
    """The tokens of a row. Those before index `begins` are the prompt, and the others are learned and evaluated."""

    tokens: tuple[int, ...]
    begins: int


def load_quietly(folder: str) -> tuple[Any, Any]:
    """Load a language model and its tokenizer. From then on, MLX can only be used by this thread."""
    import mlx.core as mx
    from mlx_lm import load

    if mx.default_device().type == mx.DeviceType.cpu:
        mx.disable_compile()  # on CPUs, MLX would compile with g++, which the runtime image does not have
    loaded: Any = load(folder)
    return loaded[0], loaded[1]


def examples(tokenizer: Any, texts: Sequence[Text], longest: int) -> list[Example]:
    """Return at most `longest` tokens for each row, with the last one marking the end of the text.

    If the tokenizer has a chat template, the prompt becomes the only message of a chat so that the model sees the same
    format in training as in requests.
    """
    return [_example(tokenizer, prompt, text, longest) for prompt, text in texts]


def _example(tokenizer: Any, prompt: str | None, text: str, longest: int) -> Example:
    end = [] if tokenizer.eos_token_id is None else [int(tokenizer.eos_token_id)]
    if prompt is None:
        tokens = [int(token) for token in tokenizer.encode(text)]
        tokens += end if tokens[-1:] != end else []
        return Example(tuple(tokens[:longest]), 1)  # the first token cannot be predicted, because nothing precedes it
    before = _prompt_tokens(tokenizer, prompt)
    tokens = [*before, *(int(token) for token in tokenizer.encode(text, add_special_tokens=False)), *end]
    return Example(tuple(tokens[:longest]), max(len(before), 1))


def _prompt_tokens(tokenizer: Any, prompt: str) -> list[int]:
    from jinja2 import TemplateError

    if tokenizer.chat_template is None:
        return [int(token) for token in tokenizer.encode(prompt)]
    messages = [{"role": "user", "content": prompt}]
    try:
        tokens: Sequence[int] = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=True, return_dict=False
        )
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as problem:
        raise Refusal(f"the chat template of the base model refuses a prompt: {problem}") from None
    return [int(token) for token in tokens]


def padded(rows: Sequence[Example]) -> tuple[mx.array, mx.array, mx.array]:
    """Return rows as one zero-padded array, and the start and end indices of each row's evaluated tokens."""
    import mlx.core as mx

    width = max(2, *(len(row.tokens) for row in rows))
    tokens = [[*row.tokens, *([0] * (width - len(row.tokens)))] for row in rows]
    begins = mx.array([row.begins for row in rows])
    return mx.array(tokens), begins, mx.array([len(row.tokens) for row in rows])


def losses(model: Any, tokens: mx.array, begins: mx.array, ends: mx.array) -> tuple[mx.array, mx.array]:
    """Return the negative log-likelihood of each row's evaluated tokens, and how many there are."""
    import mlx.core as mx
    import mlx.nn as nn

    scores: mx.array = model(tokens[:, :-1]).astype(mx.float32)
    of_tokens = nn.losses.cross_entropy(scores, tokens[:, 1:])
    places = mx.arange(1, tokens.shape[1])
    counted = mx.logical_and(places >= begins[:, None], places < ends[:, None])
    return (of_tokens * counted).sum(axis=1), counted.sum(axis=1)


def likelihoods(model: Any, rows: Sequence[Example]) -> tuple[Numbers, Numbers]:
    """Return the negative log-likelihood of each row, and the number of tokens it is summed over."""
    import mlx.core as mx
    import numpy as np

    sums, counts = np.zeros(len(rows)), np.zeros(len(rows))
    for places in _of_similar_length(rows):
        total, number = losses(model, *padded([rows[place] for place in places]))
        mx.eval(total, number)
        sums[places], counts[places] = np.array(total, dtype=np.float64), np.array(number, dtype=np.float64)
    return sums, counts


def _of_similar_length(rows: Sequence[Example]) -> Iterator[list[int]]:
    order = sorted(range(len(rows)), key=lambda place: len(rows[place].tokens))
    for start in range(0, len(order), _TOGETHER):
        yield order[start : start + _TOGETHER]
