"""Tests that values with a known structure are written exactly as the ordinary writers write them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, count, repeat
from types import MappingProxyType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modelyard.stack import Value
from modelyard.writers import templates
from modelyard.writers.json_text import json_text, repeated_json_text
from modelyard.writers.yaml_text import document, documents
from tests.compiler.writers.test_yaml_text import NASTY, strings, values

STYLES = ["word", "a: b", "a\nb\n\n", "x" * 2000]


def with_strings(value: Value, texts: Iterator[str], numbers: Iterator[int]) -> Value:
    """Copy a value with other strings in the same places. Keys get a number so that they stay different."""
    if isinstance(value, str):
        return next(texts)
    if isinstance(value, Mapping):
        return {f"{next(texts)}{next(numbers)}": with_strings(item, texts, numbers) for item in value.values()}
    if isinstance(value, (list, tuple)):
        return [with_strings(item, texts, numbers) for item in value]
    return value


@given(values, st.lists(strings, max_size=20))
@example({"a": {"b": ["x", {"y": ["z", [], {}, 1, None, True, 1e16]}]}}, [])
def test_any_strings_fit_into_a_template(value: Value, texts: list[str]) -> None:
    """The same structure is written several times with strings of all styles, and a template is used at the latest for
    the third time.
    """
    copies = [value, value, value]
    copies += [with_strings(value, chain(texts, repeat(style)), count()) for style in STYLES for _ in range(3)]

    assert documents(copies) == "---\n".join(map(document, copies))
    assert list(map(repeated_json_text, copies)) == list(map(json_text, copies))


@pytest.mark.parametrize("place", ["value", "key", "item", "top"])
def test_hostile_text_fits_into_a_template(place: str) -> None:
    """Wherever it occurs, text that looks like syntax is written as it is without a template."""
    for text in NASTY:
        by_place: dict[str, Value] = {
            "value": {"a": text, "b": 1},
            "key": {text: {"c": text}, text + "x": 1},
            "item": [[text, text], {"a": [text]}],
            "top": text,
        }
        value = by_place[place]

        assert documents([value] * 3) == "---\n".join([document(value)] * 3)


def test_the_ordinary_writer_writes_each_structure_twice() -> None:
    """A thousand values of two structures are written with the text of two templates."""
    ordinary: list[Value] = []

    def write(value: Value) -> str:
        ordinary.append(value)
        return json_text(value)

    writer = templates.Templates(templates.Syntax(write, lambda text: (templates.Style.LINE, json_text(text))))
    texts = [writer.write(MappingProxyType({f"key {at}": (at % 2 == 1, f"text {at}")})) for at in range(1000)]

    assert texts == [json_text({f"key {at}": [at % 2 == 1, f"text {at}"]}) for at in range(1000)]
    assert len(ordinary) == 4


@pytest.mark.parametrize("wrong", [float("nan"), float("-inf"), "\ud800", object(), b"bytes", {"a"}])
def test_what_is_not_plain_data_is_refused(wrong: Value) -> None:
    """A value that the ordinary writers refuse is refused with the same exception, even in a known structure."""
    documents([{"a": ["text"]}] * 3)
    for write in (documents, json_text, repeated_json_text):
        with pytest.raises((ValueError, TypeError), match=r"plain data|surrogate"):
            write([{"a": [wrong]}])
