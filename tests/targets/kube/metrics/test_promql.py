"""Tests that strings from a spec are never interpreted as PromQL, regular expressions or templates."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modelyard_targets.kube.metrics.promql import duration, number, one_of, selector, string, template_text

_UNESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n", "\\r": "\r", "\\t": "\t"}


def read(quoted: str) -> str:
    """Return the value of a double-quoted PromQL string. Fails if the string ends too early."""
    assert quoted[0] == quoted[-1] == '"'
    inner = quoted[1:-1]
    tokens = re.findall(r'\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\[\\"nrt]|[^\\"\n]', inner)
    assert "".join(tokens) == inner
    return "".join(_unescaped(token) for token in tokens)


def _unescaped(token: str) -> str:
    return chr(int(token[2:], 16)) if token[:2] in ("\\x", "\\u") else _UNESCAPED.get(token, token)


@given(st.text(st.characters(codec="utf-8")))
@example('"} or vector(1) or x{a="')
@example("\\")
@example("a\nb\r\t\x00\x7f")
def test_quoted_string_has_the_same_value(text: str) -> None:
    assert read(string(text)) == text


def test_lone_surrogate_is_replaced() -> None:
    assert read(string("a\ud800")) == "a\ufffd"


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4), st.text(st.characters(codec="utf-8")))
@example(["a.b", "c|d"], "axb")
def test_one_of_matches_exactly_the_given_values(values: list[str], other: str) -> None:
    """The matcher matches exactly the given values, treating special characters literally."""
    pattern = read(one_of("application", values).removeprefix("application=~"))

    assert all(re.fullmatch(pattern, value, re.DOTALL) for value in values)
    assert bool(re.fullmatch(pattern, other, re.DOTALL)) == (other in values)


def test_invalid_label_name_is_rejected() -> None:
    assert selector({"namespace": 'a"b'}, 'x!~"y"') == '{namespace="a\\"b",x!~"y"}'
    with pytest.raises(ValueError, match="no name of a label"):
        selector({"name} or vector(1)": "a"})


def test_template_braces_are_escaped() -> None:
    assert template_text("{{ .Labels }}") == '{{ "{{" }} .Labels }}'


@given(st.integers(1, 10**8))
def test_duration_keeps_the_number_of_seconds(seconds: int) -> None:
    text = duration(seconds)

    assert int(text[:-1]) * {"d": 86400, "h": 3600, "m": 60, "s": 1}[text[-1]] == seconds


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_keeps_the_value(value: float) -> None:
    assert float(number(value)) == value
