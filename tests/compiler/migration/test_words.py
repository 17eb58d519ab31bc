"""Tests that words in commands and differences between specs come through unchanged."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from modelyard.migration.patches import difference, merged
from modelyard.migration.shell import command, shell


def test_a_word_stays_a_word() -> None:
    """A shell reads a quoted word unchanged, and quoted text has no unprintable characters or line breaks."""
    assert shlex.split(command("kubectl", "--context", "it's $(id) `id`")) == [
        "kubectl",
        "--context",
        "it's $(id) `id`",
    ]
    assert shell("touch x; $(id) ```\n# **bold** <script>").isprintable()
    assert shell("a\nb'\u202e") == "$'a\\x0ab\\'\\xe2\\x80\\xae'"


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}, "d": [1]}),
        ({"a": 1}, {"a": True}),
        ({"a": {"b": 1}}, {"a": {}}),
        ({"a": "x"}, {"a": {"b": {"c": 1}}}),
        ({}, {}),
    ],
)
def test_a_difference_is_a_patch(base: dict[str, Any], expected: dict[str, Any]) -> None:
    result = merged(base, difference(base, expected))

    assert json.dumps(result, sort_keys=True) == json.dumps(expected, sort_keys=True)
