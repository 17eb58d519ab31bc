"""Tests that a diagnostic's span leads back to the document path it is about."""

from __future__ import annotations

from modelyard.paths import paths_at
from tests.compiler.conftest import Loaded

TEXT = "some: &it\n  first: [1, {deep: x}]\nb: *it\nc: {}\n"


def test_keys_and_values_are_found_by_their_spans(loaded: Loaded) -> None:
    """The spans of a key, a list item, an empty mapping, and the document itself lead back to their paths."""
    document = loaded(TEXT)
    for path in [("c",), ("some", "first", 0), ("some", "first", 1, "deep")]:
        span = document.value_span(path)
        assert path in paths_at(document, [span])[span]
    key, root = document.key_span(("c",)), document.span(document.root)

    assert paths_at(document, [key, root]) == {key: (("c",),), root: ((),)}


def test_an_aliased_value_has_several_paths(loaded: Loaded) -> None:
    """A value written once and used through an alias has two paths."""
    document = loaded(TEXT)
    span = document.value_span(("b", "first", 1, "deep"))

    assert paths_at(document, [span])[span] == (("some", "first", 1, "deep"), ("b", "first", 1, "deep"))
