"""Tests that keys and values have spans, including in combined documents."""

from __future__ import annotations

from dataclasses import replace

import pytest

from modelyard.source import Document, Lines, SourceFile, Span, appended
from tests.compiler.conftest import Loaded

TEXT = """\
models:
  ranker: {replicas: 2, tags: [a, "b c"]}
  text: |
    two
    lines
"""


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("models",), (1, 1, 7), (2, 3, 4)),
        (("models", "ranker"), (2, 3, 9), (2, 11, 42)),
        (("models", "ranker", "replicas"), (2, 12, 20), (2, 22, 23)),
        (("models", "ranker", "tags", 1), (2, 35, 40), (2, 35, 40)),
        (("models", "text"), (3, 3, 7), (3, 9, 10)),
    ],
)
def test_spans_are_at_keys_and_values(
    loaded: Loaded, path: tuple[str | int, ...], key: tuple[int, int, int], value: tuple[int, int, int]
) -> None:
    """Lines and columns are counted from 1. A multi-line value is marked at its first character."""
    document = loaded(TEXT)

    assert document.key_span(path) == Span("system.yaml", *key)
    assert document.value_span(path) == Span("system.yaml", *value)


@pytest.mark.parametrize(
    "path", [("models", "ranker", "nothing", 3, "at", "all"), ("models", "ranker", 0), ("models", "ranker", "tags", 2)]
)
def test_a_missing_path_has_the_span_of_its_nearest_ancestor(loaded: Loaded, path: tuple[str | int, ...]) -> None:
    """A path that does not exist gets the span of its nearest ancestor."""
    document = loaded(TEXT)
    ancestor = path[:3] if path[2] == "tags" else path[:2]

    assert document.value_span(path) == document.value_span(ancestor)
    assert document.key_span(path) == document.key_span(ancestor)


def test_the_root_has_a_span(loaded: Loaded) -> None:
    """The empty path refers to the beginning of the document."""
    assert loaded("# first\na: 1\n").key_span(()) == Span("system.yaml", 2, 1, 2)


def test_entries_of_large_mappings_have_spans(loaded: Loaded) -> None:
    document = loaded("".join(f"key-{at}: {at}\n" for at in range(100)))

    assert [document.key_span((f"key-{at}",)).line for at in range(100)] == list(range(1, 101))


def test_spans_of_an_appended_document_are_in_its_own_file(loaded: Loaded) -> None:
    """Values from a second file keep their lines when the files are merged."""
    base, extra = loaded("a: 1\nb: 2\n"), loaded("\n\nc: {d: [1, 2]}\n")
    other = Document(extra.value, (SourceFile("other.yaml", extra.files[0].text),), extra.spans, extra.root)
    joined = appended(base, other)
    joined = replace(joined, value={**base.value, "c": other.value["c"]})
    joined.spans.record(
        joined.value,
        [number for entry in base.spans.entries({"a": 1, "b": 2}) for number in entry] + [6, 1, 2, 6, 4, 15],
    )

    assert joined.value_span(("c", "d", 1)) == Span("other.yaml", 3, 12, 13)
    assert joined.key_span(("a",)).file == "system.yaml"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\n", ["a", ""]),
        ("a\r\nb\rc\nd", ["a", "b", "c", "d"]),
        ("\r\r\n\n", ["", "", "", ""]),
    ],
)
def test_lines_end_at_yaml_line_breaks(text: str, lines: list[str]) -> None:
    """Only LF, CRLF and CR end a line, and no text is lost."""
    parsed = Lines(text)

    assert [parsed[at] for at in range(len(parsed))] == lines
    assert parsed[len(lines)] == ""


def test_a_byte_order_mark_is_removed() -> None:
    """The byte order mark is removed, and invalid bytes become replacement characters."""
    assert SourceFile.read("x", b"\xef\xbb\xbfa: \xff").text == "a: \ufffd"
