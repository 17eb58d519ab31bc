"""Tests that YAML is either loaded or refused at the position of the error, in bounded time."""

from __future__ import annotations

import gc
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.load import builder, load
from modelyard.load.builder import Limits
from modelyard.load.events import NextEvent, next_event
from modelyard.source import Json
from tests.compiler.conftest import Loaded
from tests.places import places


def refused(text: str | bytes, limits: Limits | None = None) -> list[str]:
    document, problems = load(text, "system.yaml", limits or Limits())
    assert document is None
    return places(problems)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: [no, on, 0777, 22:22, ~]", {"a": ["no", "on", 777, "22:22", None]}),
        ("\ufeffa: 1", {"a": 1}),
        ("a: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
        ("%YAML 1.2\n---\na: 1\n...\n# end\n", {"a": 1}),
        ('{"a": [1, {"b": null}], "c": "\\u00e9"}', {"a": [1, {"b": None}], "c": "é"}),
        ("a: !!str 3\nc: !!int 5\nd: !!float 0.5\ne: !!map {f: !!seq [!!null ~, !!bool true]}",
         {"a": "3", "c": 5, "d": 0.5, "e": {"f": [None, True]}}),
        ("a: &x {b: 1}\nc: *x\nd: [*x, &y z, *y]", {"a": {"b": 1}, "c": {"b": 1}, "d": [{"b": 1}, "z", "z"]}),
        ("? a\n: b", {"a": "b"}),
        ("&k a: 1\nb: *k", {"a": 1, "b": "a"}),
        ("on: 1\n'2': 3\n\"<<\": 4\n!!str 5: 6", {"on": 1, "2": 3, "<<": 4, "5": 6}),
        ("a: |\n  b\n\n  c\nd: >-\n  e\n  f", {"a": "b\n\nc\n", "d": "e f"}),
        ("a: \"x\\ty\\\n  z\"\nb: 'it''s'\nc: #x", {"a": "x\tyz", "b": "it's", "c": None}),
        ("a: 😀\nb: \"\\U0001F600\"\nc: ك\u200dن", {"a": "😀", "b": "😀", "c": "ك\u200dن"}),
    ],
)  # fmt: skip
def test_valid_texts_are_parsed(loaded: Loaded, text: str, value: Json) -> None:
    """Valid YAML 1.2 is parsed, including JSON."""
    assert loaded(text).value == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1:1 E0105"]),
        ("\n# only\n---\n", ["4:1 E0105"]),
        (b"a: \xc3\xbc\nb: \xff", ["2:4 E0101"]),
        ("a: 1".encode("utf-16"), ["1:1 E0101"]),
        ("a: 1".encode("utf-16-le"), ["1:1 E0101"]),
        ("a: 1".encode("utf-16-be"), ["1:1 E0101"]),
        (b"a: \0b", ["1:4 E0102"]),
        ("a: \x07\nb: \u202e\nc: \x07", ["1:4 E0102", "2:4 E0102"]),
        ("a: \ud800", ["1:4 E0102"]),
        ("a: b\u2028c", ["1:5 E0102"]),
        ('a: "\\0"\nb: "\\u202e"\n"\\x1b": 1', ["1:4 E0102", "2:4 E0102", "3:1 E0102"]),
        ("a: [1\nb: 2", ["1:4 E0103"]),
        ("a:\n\tb: 1", ["2:1 E0104"]),
        ("a: 1\n---\nb: 2", ["2:1 E0106"]),
        ("a: 1\n...\nb: 2", ["3:1 E0103"]),
        ("a: 1\n...\n%FOO", ["3:1 E0106"]),
        ("[a]", ["1:1 E0107"]),
        ("'text'", ["1:1 E0107"]),
        ("a: 1\nb: {c: 1, c: 2}\na: 3", ["2:11 E0108", "3:1 E0108"]),
        ("1: a\ntrue: b\n~: c\n[d]: e\n? {f: g}\n: h", [*(f"{line}:1 E0109" for line in range(1, 5)), "5:3 E0109"]),
        ("a: &x b\n*x : c", ["2:1 E0109"]),
        ("a: !!python/none x\nb: !!int x\nc: !<tag:x> {}\nd: !!str [1]\ne: !!int '3'",
         ["1:4 E0110", "2:4 E0110", "3:4 E0110", "4:4 E0110", "5:4 E0110"]),
        ("a: &x {b: 1}\nc: {<<: *x}", ["2:5 E0111"]),
        ("a: [.inf, -.INF, .nan, 1e999]", ["1:5 E0112", "1:11 E0112", "1:18 E0112", "1:24 E0112"]),
        ("a: 9007199254740993\nb: -9007199254740993\nc: !!int 1e20\nd: !!int 9007199254740993",
         ["1:4 E0113", "2:4 E0113", "3:4 E0110", "4:4 E0113"]),
        ("a: &x [*x]", ["1:8 E0118"]),
        ("a: [*x, *y]", ["1:5 E0119", "1:9 E0119"]),
    ],
)  # fmt: skip
def test_invalid_texts_are_refused_at_their_place(text: str | bytes, expected: list[str]) -> None:
    """One run reports every error the parser can recover from, with its line and column."""
    assert refused(text) == expected


@pytest.mark.parametrize(
    ("text", "limits", "code"),
    [
        ("a: " + "x" * 2**20, Limits(size_mib=1), "E0114"),
        ("a: [[[1]]]", Limits(depth=3), "E0115"),
        ("a: [1, 2, 3]", Limits(values=4), "E0116"),
        ("a: [[], [], []]", Limits(values=4), "E0116"),
        ("a: &x [1, 2]\nb: [*x, *x, *x]", Limits(repeated=8), "E0117"),
        ("a: &x '" + "y" * 640 + "'\nb: [*x]", Limits(repeated=10), "E0117"),
    ],
)
def test_limits_are_enforced(text: str, limits: Limits, code: str) -> None:
    """Size, depth, number of values and alias expansion are limited. Input within the limits is accepted."""
    assert [place.split()[1] for place in refused(text, limits)] == [code]
    assert load(text, "system.yaml")[0] is not None


def test_at_most_a_thousand_errors_are_reported() -> None:
    """Errors beyond the first thousand are summarized in one diagnostic."""
    errors = refused("a: 1\n" * 2001)

    assert len(errors) == 1001
    assert errors[-1].endswith("E0120")


HOSTILE = {
    "brackets": "[" * 200_000,
    "dashes": "- " * 200_000,
    "questions": "? " * 200_000,
    "bomb": "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{name}: &{name} [{', '.join(['*' + of] * 10)}]\n" for of, name in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "long alias": "a: &a '" + "x" * 100_000 + "'\nb: [" + "*a, " * 100_000 + "]",
    "directives": "%TAG !a! b\n" * 100_000 + "---\na: 1",
    "directives after the end": "a: 1\n...\n" + "%TAG !a! b\n" * 100_000,
    "comments": "# x\n" * 200_000,
    "digits": "a: " + "9" * 1_000_000,
    "controls": "\0" * 1_000_000,
    "quotes": "'" * 1_000_001,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_refused(name: str) -> None:
    """Input that makes other parsers hang or run out of memory is refused after reading only its beginning."""
    assert len(refused(HOSTILE[name])) <= 2


def test_the_garbage_collector_is_enabled_again(loaded: Loaded) -> None:
    """Garbage collection is enabled again after loading, even if the text was refused."""
    loaded("a: 1")
    refused("a: [")

    assert gc.isenabled()


YAML_PIECES = st.sampled_from(
    ["a", "b: ", "- ", "? ", "[", "]", "{", "}", ",", "&x ", "*x", "!!str ", "!t ", "'", '"', "|\n", ">\n", "\n",
     "\n  ", "\t", "#", "---\n", "...\n", "%YAML 1.2\n", "<<: ", "\\", "\\x00", "1", ".inf", "~", ": ", "\r", "\0",
     "\u202e", "é", "😀"]
)  # fmt: skip


@given(st.lists(YAML_PIECES, max_size=30).map("".join))
def test_any_text_gives_a_document_or_diagnostics(text: str) -> None:
    """Loading never raises an exception, and every diagnostic points into the text."""
    document, problems = load(text, "system.yaml")

    assert (document is None) == bool(problems)
    lines = text.count("\n") + text.count("\r") + 2
    assert all(
        problem.span and 1 <= problem.span.line <= lines and problem.span.column < problem.span.end_column
        for problem in problems
    )


@given(st.binary(max_size=60))
def test_any_bytes_give_a_document_or_diagnostics(content: bytes) -> None:
    """Any file is loaded or refused with diagnostics, even if it is not text."""
    document, problems = load(content, "system.yaml")

    assert (document is None) == bool(problems)


JSON_TEXT = st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")), max_size=8)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | JSON_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(JSON_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(JSON_TEXT, JSON_VALUES, max_size=4))
def test_json_is_read_correctly(value: dict[str, Json]) -> None:
    """Any JSON object can be loaded, and each key and value in it has a span."""
    document, problems = load(json.dumps(value, indent=1, ensure_ascii=False), "system.json")

    assert problems == ()
    assert document is not None
    assert document.value == value
    assert json.dumps(document.value) == json.dumps(value)


@given(st.lists(YAML_PIECES, max_size=20).map("".join))
def test_the_python_parser_agrees_with_libyaml(text: str) -> None:
    """Both parsers read the same values. The Python parser is used if PyYAML was built without libyaml."""
    try:
        fast = _values(text, pure=False)
        slow = _values(text, pure=True)
    except _Refused:
        return
    assert fast == slow


class _Refused(Exception):
    pass


def _values(text: str, pure: bool) -> Json:
    def events_of(given: str) -> NextEvent:
        return next_event(given, pure)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builder, "next_event", events_of)
        document, _ = load(text, "system.yaml")
    if document is None:
        raise _Refused
    return document.value


def test_a_long_line_of_dashes_is_read_in_linear_time() -> None:
    """A very long line is searched only once for a misplaced space."""
    document, problems = load(f"a: b\n{'-' * 500_000}\n c: d: e\n", "system.yaml")

    assert (document, [problem.code for problem in problems]) == (None, ["E0103"])
