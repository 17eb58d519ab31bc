"""Tests that the JSON writer outputs no hidden characters, and that any parser reads back the same data."""

from __future__ import annotations

import json
from types import MappingProxyType

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from modelyard.stack import Value
from modelyard.writers.json_text import json_text
from modelyard.writers.yaml_text import document

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_json_values_are_read_back_exactly(value: Value) -> None:
    """Python's parser reads back the same data, including types and order."""
    assert repr(json.loads(json_text(value))) == repr(value)


@given(values)
def test_embedded_json_survives_yaml(value: Value) -> None:
    """JSON inside a manifest keeps its text, and becomes a block if it spans several lines."""
    text = json_text({"value": value})
    manifest = document({"data": {"a.json": text}})

    assert yaml.safe_load(manifest) == {"data": {"a.json": text}}
    assert manifest.startswith("data:\n  a.json: |-\n    {\n")


def test_json_is_indented_by_two_spaces() -> None:
    """JSON has two spaces per level and one entry per line, in the given order. Letters aren't escaped."""
    value: dict[str, Value] = {"b": ({"x": 1}, []), "a": MappingProxyType({"Straße": True}), "n": None, "f": 1e-7}

    assert json_text(value) == (
        "{\n"
        '  "b": [\n'
        "    {\n"
        '      "x": 1\n'
        "    },\n"
        "    []\n"
        "  ],\n"
        '  "a": {\n'
        '    "Straße": true\n'
        "  },\n"
        '  "n": null,\n'
        '  "f": 1e-07\n'
        "}"
    )


def test_hidden_characters_are_escaped() -> None:
    """Direction overrides, joiners and tags are escaped, including those beyond the basic plane."""
    assert json_text("a\u202e\u200d\x85\U000e0041") == '"a\\u202e\\u200d\\u0085\\udb40\\udc41"'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {"\udfff": 1}])
def test_values_that_json_lacks_are_refused(value: Value) -> None:
    """NaN, infinity and lone surrogates are never written to a file."""
    with pytest.raises(ValueError, match=r"plain data|surrogate"):
        json_text(value)


@pytest.mark.parametrize("value", [{1: 2}, {"a": object()}, {"a": {"b"}}, b"bytes"])
def test_json_text_accepts_only_plain_data(value: Value) -> None:
    """Non-string keys, sets, bytes and objects are bugs in modelyard and raise an exception."""
    with pytest.raises(TypeError, match=r"plain data|key is text"):
        json_text(value)
