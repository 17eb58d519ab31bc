"""Tests rendering diagnostics as human-readable text and in formats for tools."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modelyard.diagnostics import Diagnostic, Severity
from modelyard.printing.diagnostics import render, summary
from modelyard.source import SourceFile, Span
from modelyard_targets import TARGETS

TEXT = "models:\n  ranker:\n    task: ranking\n    framework: torch\n    replcias: 2\n"
FOUND = Diagnostic(
    "E0203",
    Severity.ERROR,
    "unknown field 'replcias' in model 'ranker'",
    Span("fraud/system.yaml", 5, 5, 13),
    "did you mean 'replicas'?",
)
SOURCES = [SourceFile("fraud/system.yaml", TEXT)]


def at(line: int, column: int, end: int, message: str = "m", **more: object) -> Diagnostic:
    severity = Severity.WARNING if more.get("warning") else Severity.ERROR
    return Diagnostic("E0203", severity, message, Span("s", line, column, end), "h", secret=bool(more.get("secret")))


def excerpt(text: str, *diagnostics: Diagnostic) -> list[list[str]]:
    """Return the excerpt and marker lines of each diagnostic, without line numbers."""
    blocks = render(diagnostics, [SourceFile("s", text)]).split("\n\n")[: len(diagnostics)]
    return [[row.split("|", 1)[1].removeprefix(" ") for row in block.split("\n")[3:5]] for block in blocks]


def test_text_looks_as_the_style_guide_shows() -> None:
    """The output is exactly the example in the style guide."""
    assert render([FOUND], SOURCES) == (
        "error[E0203]: unknown field 'replcias' in model 'ranker'\n"
        "  --> fraud/system.yaml:5:5\n"
        "   |\n"
        " 5 |     replcias: 2\n"
        "   |     ^^^^^^^^ did you mean 'replicas'?\n"
        "   = modelyard explain E0203\n"
        "\n"
        "1 error\n"
    )


def test_repeated_warnings_are_counted_and_errors_are_all_shown() -> None:
    """Ten warnings with the same code are shown, and the remaining ones are counted in one line.

    Errors and machine-readable formats are always complete.
    """
    text = "key: 1\n" * 60
    warnings = [at(line, 1, 4, warning=True) for line in range(1, 43)]
    errors = [at(line, 1, 4) for line in range(43, 58)]

    output = render([*warnings, *errors], [SourceFile("s", text)])

    assert output.count("warning[E0203]: m\n") == 10
    assert "warning[E0203]: and 32 more like it, from line 11 to 42\n  = --format json lists all of them\n" in output
    assert output.count("error[E0203]: m\n") == 15
    assert output.endswith("\n\n15 errors, 42 warnings\n")
    assert len(json.loads(render([*warnings, *errors], [], "json"))["diagnostics"]) == 57


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_text_fits_a_narrow_terminal(columns: int) -> None:
    """The excerpt is clipped around the mark. Hints that don't fit next to the mark are wrapped below it."""
    text = f"models: {{churn: {{{'x' * 90}, replcias: 2, {'y' * 90}}}}}"
    column = text.index("replcias") + 1
    hint = "did you mean 'replicas', which is how many copies of a server run at the same time?"
    diagnostic = Diagnostic("E0203", Severity.ERROR, "m", Span("s", 1, column, column + 8), hint)

    rows = render([diagnostic], [SourceFile("s", text)], columns=columns).splitlines()

    assert max(map(len, rows)) <= columns
    line, marks = rows[3].split("|", 1)[1], rows[4].split("|", 1)[1]
    assert line[marks.index("^") : marks.rindex("^") + 1] == "replcias"
    assert " ".join(row.strip(" =") for row in rows[5:-3]) == hint


def test_diagnostics_without_a_place_or_file_are_printed() -> None:
    """Errors in command line arguments have no file, and other errors may be in an unknown file."""
    nowhere = Diagnostic("E0146", Severity.ERROR, "m", None, "h")
    elsewhere = Diagnostic("E0146", Severity.ERROR, "m", Span("gone", 9, 1, 2), "h")

    assert render([nowhere], []) == "error[E0146]: m\n  = h\n  = modelyard explain E0146\n\n1 error\n"
    assert render([elsewhere], []) == (
        "error[E0146]: m\n  --> gone:9:1\n   = h\n   = modelyard explain E0146\n\n1 error\n"
    )


def test_no_diagnostics_print_nothing() -> None:
    """Without diagnostics, the text is empty, and JSON contains an empty list."""
    assert render([], []) == ""
    assert render([], [], "github") == ""
    assert json.loads(render([], [], "json")) == {"summary": "", "diagnostics": []}


def test_the_summary_counts_errors_and_warnings() -> None:
    """The summary lists errors first, using correct plurals, and counts duplicates only once."""
    assert summary([at(1, 1, 2), at(2, 1, 2), at(3, 1, 2, warning=True)]) == "2 errors, 1 warning"
    assert render([FOUND, FOUND], SOURCES).endswith("\n1 error\n")


def test_colour_changes_nothing_but_colour() -> None:
    """Without escape sequences, the coloured text equals the plain text."""
    import re

    coloured = render([FOUND], SOURCES, colour=True)

    assert "\x1b[1;31merror" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render([FOUND], SOURCES)


@pytest.mark.parametrize(
    ("line", "column", "end", "quoted", "marks"),
    [
        ("a: b", 4, 5, "a: b", "   ^ h"),
        ("\ta: b", 2, 3, "    a: b", "    ^ h"),
        ("名前: b", 5, 6, "名前: b", "      ^ h"),
        ("e\u0301: b", 5, 6, "e\u0301: b", "   ^ h"),
        ("a\x1b[31m: b", 2, 3, "a\\x1b[31m: b", " ^^^^ h"),
        ("\u202e: b", 1, 2, "\\u202e: b", "^^^^^^ h"),
        ("ab", 9, 10, "ab", "  ^ h"),
    ],
)
def test_marks_are_below_the_marked_text(line: str, column: int, end: int, quoted: str, marks: str) -> None:
    """Marks are correct for tabs, wide and combining characters, and terminal control characters."""
    assert excerpt(line, at(1, column, end)) == [[quoted, marks]]


def test_a_long_line_is_shown_around_the_mark() -> None:
    """Ellipses replace the omitted parts, and the mark stays below its text."""
    line = "a" * 5000 + "XYZ" + "b" * 5000
    [[part, marks]] = excerpt(line, at(1, 5001, 5004))

    assert len(part) <= 112
    assert part.startswith("…")
    assert part.endswith("…")
    assert part[marks.index("^") : marks.rindex("^") + 1] == "XYZ"


def test_messages_and_names_cannot_control_a_terminal() -> None:
    """Control characters in messages and names are escaped, including line breaks."""
    diagnostic = Diagnostic("E0203", Severity.ERROR, "a\x1b[2Jb\nc\u202e", Span("x\n\x1b.yaml", 1, 1, 2), "d\r")
    text = render([diagnostic], [SourceFile("x\n\x1b.yaml", "a")])

    assert "\x1b" not in text
    assert text.startswith("error[E0203]: a\\x1b[2Jb\\nc\\u202e\n  --> x\\n\\x1b.yaml:1:1\n")


def test_secrets_are_hidden_in_every_diagnostic_of_their_line() -> None:
    """Text following a secret stays readable, but a multi-line secret hides the rest of its first line."""
    line = "c: {url: hunter2, room: x}"

    assert excerpt(line, at(1, 10, 17, secret=True), at(1, 19, 23)) == [
        ["c: {url: ********, room: x}", "         ^^^^^^^^ h"],
        ["c: {url: ********, room: x}", "                   ^^^^ h"],
    ]
    assert excerpt(line, at(1, 10, 11, secret=True), at(1, 5, 8))[0][0] == "c: {url: ********"


def test_json_is_complete() -> None:
    """JSON contains everything that the text contains, as named fields."""
    assert json.loads(render([FOUND], SOURCES, "json")) == {
        "summary": "1 error",
        "diagnostics": [
            {
                "code": "E0203",
                "severity": "error",
                "message": "unknown field 'replcias' in model 'ranker'",
                "hint": "did you mean 'replicas'?",
                "file": "fraud/system.yaml",
                "line": 5,
                "column": 5,
                "endColumn": 13,
                "help": "modelyard explain E0203",
            }
        ],
    }


def test_github_annotations_are_escaped() -> None:
    """Percent signs and line breaks are escaped everywhere, and colons and commas only in properties."""
    diagnostic = Diagnostic("W0135", Severity.WARNING, "50% of\n::error::x", Span("a,b:c.yaml", 3, 4, 6), "h")

    assert render([diagnostic], [], "github") == (
        "::warning file=a%2Cb%3Ac.yaml,line=3,col=4,endColumn=6,title=W0135::50%25 of%0A::error::x%0Ah\n"
    )
    assert render([Diagnostic("E0146", Severity.ERROR, "m", None)], [], "github") == "::error title=E0146::m\n"


def test_sarif_has_the_fields_that_code_hosts_read() -> None:
    """Code hosts need the SARIF version, rules with help, and results with a rule and a region. Paths are URIs."""
    diagnostics = [
        FOUND,
        Diagnostic("E0146", Severity.ERROR, "m", None),
        Diagnostic("W0135", Severity.WARNING, "w", Span("a b", 1, 2, 3)),
    ]
    log = json.loads(render(diagnostics, SOURCES, "sarif"))
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]

    assert log["version"] == "2.1.0"
    assert run["columnKind"] == "unicodeCodePoints"
    assert [rule["id"] for rule in rules] == ["E0146", "E0203", "W0135"]
    assert all(rule["help"]["text"] and rule["name"].isalpha() and rule["shortDescription"]["text"] for rule in rules)
    assert all(rule["help"]["text"].endswith(f"\n\nmodelyard explain {rule['id']}") for rule in rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning"}
    places = [entry["locations"][0]["physicalLocation"] for entry in run["results"] if "locations" in entry]
    assert places == [
        {"artifactLocation": {"uri": "a%20b"}, "region": {"startLine": 1, "startColumn": 2, "endColumn": 3}},
        {
            "artifactLocation": {"uri": "fraud/system.yaml"},
            "region": {"startLine": 5, "startColumn": 5, "endColumn": 13},
        },
    ]


def test_sarif_has_the_pages_of_providers() -> None:
    """The SARIF rule for a provider's code has the provider's page as help."""
    diagnostics = [Diagnostic("AWS-E015", Severity.ERROR, "m", None)]

    [run] = json.loads(render(diagnostics, SOURCES, "sarif", providers=TARGETS.diagnostics()))["runs"]

    assert "region" in run["tool"]["driver"]["rules"][0]["help"]["text"]


@given(
    st.text(max_size=40), st.integers(1, 50), st.integers(1, 10), st.sampled_from(["text", "json", "sarif", "github"])
)
@example("\xa0", 1, 1, "text")
def test_any_text_is_printed_safely(text: str, column: int, length: int, form: str) -> None:
    """No character in a spec can break an output line or control the terminal."""
    diagnostic = Diagnostic("E0203", Severity.ERROR, text, Span("s", 1, column, column + length), text)
    output = render([diagnostic], [SourceFile("s", text)], form)

    assert all(
        character.isprintable() or character in "\n\u200d" or unicodedata.category(character) == "Zs"
        for character in output
    )
    assert output.count("\n") == (8 if form == "text" else 1 if form == "github" else output.count("\n"))
