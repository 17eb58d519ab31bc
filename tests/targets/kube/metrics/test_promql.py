"""Text from a spec is never interpreted as PromQL, a pattern or a template."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modelyard_targets.kube.metrics.promql import duration, number, one_of, selector, string, template_text

_UNESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n", "\\r": "\r", "\\t": "\t"}


def read(quoted: str) -> str:
    """Return the value of a double-quoted PromQL string, and fail if it ends too early."""
    assert quoted[0] == quoted[-1] == '"'
    inner = quoted[1:-1]
    tokens = re.findall(r'\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\[\\"nrt]|[^\\"\n]', inner)
    assert "".join(tokens) == inner
    return "".join(_meant(token) for token in tokens)


def _meant(token: str) -> str:
    return chr(int(token[2:], 16)) if token[:2] in ("\\x", "\\u") else _UNESCAPED.get(token, token)


@given(st.text(st.characters(codec="utf-8")))
@example('"} or vector(1) or x{a="')
@example("\\")
@example("a\nb\r\t\x00\x7f")
def test_a_string_means_what_was_given(text: str) -> None:
    assert read(string(text)) == text


def test_half_a_character_is_shown_as_such() -> None:
    assert read(string("a\ud800")) == "a\ufffd"


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4), st.text(st.characters(codec="utf-8")))
@example(["a.b", "c|d"], "axb")
def test_a_choice_is_of_exactly_these_values(values: list[str], other: str) -> None:
    """The matcher only matches exactly these values, with special characters taken literally."""
    pattern = read(one_of("application", values).removeprefix("application=~"))

    assert all(re.fullmatch(pattern, value, re.DOTALL) for value in values)
    assert bool(re.fullmatch(pattern, other, re.DOTALL)) == (other in values)


def test_a_label_has_a_name_of_a_label() -> None:
    assert selector({"namespace": 'a"b'}, 'x!~"y"') == '{namespace="a\\"b",x!~"y"}'
    with pytest.raises(ValueError, match="no name of a label"):
        selector({"name} or vector(1)": "a"})


def test_braces_are_not_a_template() -> None:
    assert template_text("{{ .Labels }}") == '{{ "{{" }} .Labels }}'


@given(st.integers(1, 10**8))
def test_a_range_is_as_long_as_it_was(seconds: int) -> None:
    text = duration(seconds)

    assert int(text[:-1]) * {"d": 86400, "h": 3600, "m": 60, "s": 1}[text[-1]] == seconds


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_what_it_was(value: float) -> None:
    assert float(number(value)) == value
