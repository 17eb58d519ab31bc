"""Tests that variables are replaced with typed values, even inside strings, or refused if invalid."""

from __future__ import annotations

import pytest

from modelyard.overlay import overlay
from modelyard.source import Json, Span
from modelyard.variables import substitute
from tests.compiler.conftest import Loaded
from tests.places import places

VARS = "vars: {n: 3, t: true, s: hello, f: 0.5, late: {type: integer, default: 2, min: 1, max: 4}}\n"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${vars.n}", 3),
        ("${vars.t}", True),
        ("${vars.f}", 0.5),
        ("${vars.late}", 2),
        ("a-${vars.n}-${vars.t}-${vars.s}", "a-3-true-hello"),
        ("${vars.s}${vars.s}", "hellohello"),
        ("$${vars.n}", "${vars.n}"),
        ("$$${vars.n}", "$${vars.n}"),
        ("$ {vars.n} $n", "$ {vars.n} $n"),
        ("$${HOME} is ${vars.s}", "${HOME} is hello"),
    ],
)
def test_a_reference_becomes_its_value(loaded: Loaded, written: str, value: Json) -> None:
    """A reference spanning the entire string keeps its value's type. Otherwise, the value is inserted as YAML."""
    document, diagnostics = substitute(loaded(f"{VARS}x: {{y: ['{written}', 1]}}\n"), {})

    assert document.value["x"] == {"y": [value, 1]}
    assert [diagnostic for diagnostic in diagnostics if diagnostic.code != "W0148"] == []


@pytest.mark.parametrize("written", ['"\\u0024{vars.n}"', '"\\x24\\x7bvars.n}"', '"$\\\n  {vars.n}"'])
def test_escaped_references_are_replaced(loaded: Loaded, written: str) -> None:
    """References are found in the parsed value, so they may be written with escapes."""
    assert substitute(loaded(f"{VARS}x: {written}\n"), {})[0].value["x"] == 3


def test_spans_are_kept(loaded: Loaded) -> None:
    """A substituted value has the span of its reference, and other values keep theirs."""
    document, _ = substitute(loaded(f"{VARS}x:\n  y: ${{vars.n}}\n  z: [a, '${{vars.s}}']\n"), {})

    assert document.value_span(("x", "y")) == Span("system.yaml", 3, 6, 15)
    assert document.value_span(("x", "z", 0)) == Span("system.yaml", 4, 7, 8)
    assert document.key_span(("x", "z")) == Span("system.yaml", 4, 3, 4)


def test_aliases_share_a_substituted_value(loaded: Loaded) -> None:
    """A value with several aliases is substituted once."""
    document, _ = substitute(loaded(f"{VARS}x: &x {{a: '${{vars.n}}'}}\ny: *x\n"), {})

    assert document.value["x"] == {"a": 3}
    assert document.value["y"] is document.value["x"]


def test_command_line_values_take_precedence(loaded: Loaded) -> None:
    """Command-line values are parsed as the declared type, or else as the type of the default."""
    text = f"{VARS}x: ['${{vars.n}}', '${{vars.t}}', '${{vars.s}}', '${{vars.f}}', '${{vars.late}}']\n"
    document, diagnostics = substitute(loaded(text), {"n": "7", "t": "false", "s": "12", "f": "1", "late": "4"})

    assert diagnostics == ()
    assert document.value["x"] == [7, False, "12", 1, 4]


def test_a_document_without_references_is_unchanged(loaded: Loaded) -> None:
    """Without references, the document itself is returned instead of a copy."""
    document = loaded("x: {y: $1}\n")

    assert substitute(document, {})[0] is document


@pytest.mark.parametrize(
    ("text", "settings", "expected"),
    [
        ("vars: {a: 1}\nx: ['${vars.b} ${vars.a}', '${vars.c}']", {}, ["2:6 E0140", "2:29 E0140"]),
        ("x: ['${a}', '${vars.}', '${vars.a', '${', '${{vars.a}}']", {},
         [f"1:{at} E0141" for at in (6, 14, 26, 38, 44)]),
        ("vars: {a: 1, b: '${vars.a}', c: {type: string, default: '${vars.a}'}}", {}, ["1:17 E0142", "1:57 E0142"]),
        ("vars: {a: 1}\nx: {'${vars.a}': 2}", {}, ["2:5 E0142"]),
        ("vars: {a: {type: string}}\nx: '${vars.a}'", {}, ["1:8 E0143"]),
        ("vars: {a: 1}\nx: '${vars.a}'", {"a": "null"}, ["1:8 E0143"]),
        ("vars: {a: {type: integer, default: x}}", {}, ["1:36 E0144"]),
        ("vars: {a: {type: integer, default: true}}", {}, ["1:36 E0144"]),
        ("vars: {a: {type: number, default: 5, max: 4}}", {}, ["1:35 E0144"]),
        ("vars: {a: {type: string, default: x, enum: [y]}}", {}, ["1:35 E0144"]),
        ("vars: {a: 1}", {"a": "1.5"}, ["1:8 E0144"]),
        ("vars: {a: 0.5}", {"a": ".inf"}, ["1:8 E0144"]),
        ("vars: {a: 1}", {"a": "99999999999999999999"}, ["1:8 E0144"]),
        ("vars: [a]", {}, ["1:7 E0145"]),
        ("vars: {a: [1], b: , c: {default: 1}, d: {type: text}, e: {type: string, default: {}}}", {},
         ["1:11 E0145", "1:19 E0145", "1:24 E0145", "1:41 E0145", "1:58 E0145"]),
        ("vars: {a: 1}\nx: '${vars.a}'", {"b": "1"}, ["E0146"]),
        ("vars: {a: 1, b: 2}\nx: '${vars.a}'", {}, ["1:14 W0148"]),
        ("vars: {a: 1}", {}, ["1:8 W0148"]),
    ],
)  # fmt: skip
def test_variable_errors_are_reported_at_their_place(
    loaded: Loaded, text: str, settings: dict[str, str], expected: list[str]
) -> None:
    """Errors point at the reference or declaration. Those about the command line have no position."""
    assert places(substitute(loaded(text), settings)[1]) == expected


def test_a_variable_in_an_overlaid_value_counts_as_used(loaded: Loaded) -> None:
    """A reference in a value that an overlay replaces or adds counts as a use."""
    text = "vars: {a: 1, b: 2, c: 3}\nx: '${vars.a}'\nenvironments: {dev: {x: 0}, prod: {x: '${vars.b}'}}\n"
    document, _ = overlay(loaded(text), "dev", None)

    assert places(substitute(document, {})[1]) == ["1:20 W0148"]


def test_the_size_of_substituted_values_is_limited(loaded: Loaded) -> None:
    """A long string that is used many times is refused before it is substituted."""
    text = f"vars: {{a: {'q' * 100_000}}}\nx: '{'${vars.a}' * 1000}'\ny: '${{vars.a}}'\n"
    document, diagnostics = substitute(loaded(text), {})

    assert places(diagnostics) == ["2:4 E0147"]
    assert document.value["x"] == "${vars.a}" * 1000
