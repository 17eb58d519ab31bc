"""Tests that values are rendered on one line, as in a spec."""

from __future__ import annotations

import pytest

from modelyard.flow_text import flow
from modelyard.load import load
from modelyard.source import Json


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"metric": "auc_pr", "min": 0.8}, "{metric: auc_pr, min: 0.8}"),
        (["L4:1", "32Gi", "99.9%", True], '["L4:1", 32Gi, 99.9%, true]'),
        ({"a": {}, "b": [], "c": 3}, "{a: {}, b: [], c: 3}"),
        ("18000 USD", "18000 USD"),
    ],
)
def test_values_are_quoted_only_if_necessary(value: Json, text: str) -> None:
    assert flow(value) == text


@pytest.mark.parametrize(
    "text", ["true", "null", "1.0", "1e5", "0x1f", "~", "", "a: b", "- a", "#a", 'q"', "a\nb", "07"]
)
def test_a_text_is_read_back_unchanged(text: str) -> None:
    document, problems = load(f"value: {flow(text)}\n", "system.yaml")

    assert (document and document.value, problems) == ({"value": text}, ())
