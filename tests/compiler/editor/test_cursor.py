"""Tests that the path at the cursor is found in block style, within brackets, and in text that isn't valid yet."""

from __future__ import annotations

import pytest

from modelyard.editor.cursor import Cursor, cursor_at


def at(text: str) -> Cursor:
    """Return the cursor at the marked position in a text."""
    before = text[: text.index("▮")]
    return cursor_at(text.replace("▮", ""), before.count("\n"), len(before) - before.rfind("\n") - 1)


@pytest.mark.parametrize(
    ("text", "path", "word", "is_key"),
    [
        ("▮", "", "", True),
        ("mod▮", "", "mod", True),
        ("models:\n  m:\n    ta▮", "models.m", "ta", True),
        ("models:\n  m:\n    task: ran▮", "models.m.task", "ran", False),
        ("models:\n  m:\n    task: ▮\n    framework: xgboost", "models.m.task", "", False),
        ("models:\n  m:\n    task: ranking\n  ▮", "models", "", True),
        ("models:\n  m:\n    task: ranking\n\n    # more\n    ▮\n", "models.m", "", True),
        ("models:\n  m:\n    task: ranking\n▮", "", "", True),
        ("a:\n  - one\n  - tw▮", "a.1", "tw", False),
        ("a:\n- one\n- ▮", "a.1", "", False),
        ("a:\n  - b: 1\n    c: ▮", "a.0.c", "", False),
        ("a:\n  - b: 1\n  - b: 2\n    ▮", "a.1", "", True),
        ("a:\n- b: 1\nc: ▮", "c", "", False),
        ("a: {b: {▮}}", "a.b", "", True),
        ("a: {b: {c▮}}", "a.b", "c", True),
        ("a: {b: {c: ▮}}", "a.b.c", "", False),
        ("a: {b: {c: d, e: f▮}}", "a.b.e", "f", False),
        ("a: {b: 1, ▮}", "a", "", True),
        ("a: {b: 1, c: 2}\n▮", "", "", True),
        ("a: {b: [x, y▮]}", "a.b.1", "y", False),
        ("a: {\n  b: 1,\n  ▮\n}", "a", "", True),
        ("a: {\n  b: {c: 1}, # }\n  d: ▮", "a.d", "", False),
        ("a: {b: '}', c: ▮}", "a.c", "", False),
        ("a: {\"b\": 1, 'c': ▮}", "a.c", "", False),
        ("a:\n  b: {c: 1}\n  d: ▮", "a.d", "", False),
        ("a:\n  b: |\n    c: 1\n    {\n  d: ▮", "a.d", "", False),
        ("a:\n  url: https://acme.example\n  b: ▮", "a.b", "", False),
        ("a: {url: https://acme.example, b: ▮}", "a.b", "", False),
        ("a:\n  watch: pipelines.ni▮", "a.watch", "pipelines.ni", False),
        ("a:\n  b: 'x▮", "a.b", "'x", False),
        ("a:\r\n  b: ▮\r\n", "a.b", "", False),
        ("- {a: ▮}", "0.a", "", False),
    ],
)
def test_the_cursor_is_found_in_block_style(text: str, path: str, word: str, is_key: bool) -> None:
    cursor = at(text)

    assert (".".join(map(str, cursor.path)), cursor.word, cursor.is_key) == (path, word, is_key)


def test_the_cursor_is_found_in_brackets() -> None:
    assert at("a: {▮").in_flow
    assert not at("a: {b: 1}\nc: ▮").in_flow


@pytest.mark.parametrize("text", ["}▮", "a: ]▮", "a: {b]▮", "\t▮", ": ▮", "a: {'▮", "--- ▮", "? ▮", "a: &x {b: ▮}"])
def test_any_text_has_a_cursor(text: str) -> None:
    at(text)
