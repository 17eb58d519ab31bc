"""Tests that edits change a document and keep the spans of its values."""

from __future__ import annotations

from modelyard.edits import Edit, edited, value_at
from tests.compiler.conftest import Loaded

TEXT = """\
models:
  churn: {task: x, tags: [a, b, c]}
stores:
below: {deep: 1}
"""


def test_values_are_removed_replaced_and_added(loaded: Loaded) -> None:
    """Values that are not edited keep their spans, even in a shortened list."""
    document = loaded(TEXT)
    after = edited(
        document,
        {
            ("models", "churn", "task"): Edit({"kind": ["y"]}),
            ("models", "churn", "tags", 1): Edit(removes=True),
            ("models", "churn", "more"): Edit(3),
        },
    )

    churn = after.value["models"]
    assert churn == {"churn": {"task": {"kind": ["y"]}, "tags": ["a", "c"], "more": 3}}
    assert after.value_span(("models", "churn", "tags", 1)) == document.value_span(("models", "churn", "tags", 2))
    assert after.value_span(("models", "churn", "task", "kind", 0)) == document.value_span(("models", "churn", "task"))
    assert after.value_span(("models", "churn", "more")).line == 2
    assert after.aside == {("models", "churn", "tags", 1)}
    assert value_at(document, ("models", "churn", "tags", 1)) == "b"


def test_keys_are_renamed_and_fields_moved_into_mappings(loaded: Loaded) -> None:
    """A renamed mapping keeps all its fields."""
    document = loaded(TEXT)
    after = edited(
        document,
        {("models",): Edit(name="data"), ("stores",): Edit(adopts=("below",)), ("below",): Edit(removes=True)},
    )

    assert after.value == {"data": {"churn": {"task": "x", "tags": ["a", "b", "c"]}}, "stores": {"below": {"deep": 1}}}
    for new, old in ((("data", "churn", "tags", 2), ("models", "churn", "tags", 2)), (("stores", "below"), ("below",))):
        assert after.value_span(new) == document.value_span(old)
    assert after.key_span(("stores", "below")) == document.key_span(("below",))


def test_edits_in_a_removed_value_have_no_effect(loaded: Loaded) -> None:
    """An edit inside a value that another edit removes has no effect."""
    document = loaded(TEXT)
    inner, outer = ("models", "churn", "task"), ("models", "churn")

    assert edited(document, {inner: Edit(2), outer: Edit(removes=True)}).value["models"] == {}
