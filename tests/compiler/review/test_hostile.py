"""Tests that spec text stays text in every format, and that comparing documents never causes a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelyard.printing.markdown import escaped
from modelyard.printing.review_json import review_json
from modelyard.printing.review_markdown import BUDGET, review_markdown
from modelyard.printing.review_text import review_text
from modelyard.records import replace
from modelyard.review.comparing import Review
from modelyard.review.findings import Finding, Level
from tests.reviewing import reviewed

BASE = (Path(__file__).parents[2] / "reviews" / "base" / "shop.yaml").read_text(encoding="utf-8")

HOSTILE = (
    "@security-team please approve",
    "</td></tr></table><img src=https://evil.example/x.png onerror=alert(1)>",
    "| a | b |\n|---|---|\n| approved | by all |",
    "[click](https://evil.example) ![x](https://evil.example/x.png)",
    "<!-- modelyard:diff:shop --> --> **0 dangers**",
    "`code` ~~gone~~ #1 acme/repo#2 www.evil.example",
    "\u202egnol\u202c and \u2066isolated\u2069",
    "\x1b[2J\x1b[1;1Hfraud: no changes that matter",
    "line\r\n::error file=x::injected",
    "&lt;b&gt; \\| \\",
)


def _changed(text: str) -> Review:
    parameters = json.dumps({"note": text})
    after = BASE.replace("    workers: 1\n", f"    workers: 1\n    parameters: {parameters}\n")
    assert after != BASE
    return reviewed(BASE, after)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    review = _changed("x")
    first = replace(review.findings[0], message=text, why=text, after=text, reached=(text,), reasons=(text,))
    review = replace(review, findings=(first,), system=text)
    output, markdown = review_text(review, Level.NOTE, colour=False), review_markdown(review, Level.NOTE)

    for character in "\x1b\u202e\u2066\r":
        assert character not in output
        assert character not in markdown
    assert "\n::error" not in output
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + sum(finding.level > Level.NOTE for finding in review.findings)
    for row in rows[2:]:
        bare = row.replace("\\\\", "").replace("\\|", "").replace("<br>", "")
        assert bare.count("|") == 4
        assert "<" not in bare
        assert "](" not in bare.replace("\\]\\(", "")
        assert "@s" not in bare
    assert markdown.count("<!--") == 1
    assert json.loads(review_json(review, Level.QUIET))["findings"][0]["after"] == text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_are_reviewed_or_refused(text: str) -> None:
    """A hostile value in a spec becomes part of a finding, or the spec doesn't compile."""
    review = _changed(text)

    assert review.unjudged or review.findings[0].code == "R112"
    assert "\x1b" not in review_text(review, Level.NOTE, colour=False)


def test_markup_is_escaped() -> None:
    assert escaped("a_b*c|d`e") == "a\\_b\\*c\\|d\\`e"
    assert escaped("<b> & </b>") == "&lt;b&gt; &amp; &lt;/b&gt;"
    assert escaped("@acme #12") == "\\@\u2060acme \\#\u206012"
    assert escaped("https://x.example www.x.example") == "https\\://x.example www\\.x.example"


def test_secrets_are_hidden() -> None:
    review = _changed("token: ghp_0123456789abcdefghij0123456789abcdef")

    for output in (
        review_text(review, Level.NOTE, False),
        review_markdown(review, Level.NOTE),
        review_json(review, Level.NOTE),
    ):
        assert "ghp_0123456789" not in output


def test_a_long_comment_keeps_every_danger() -> None:
    """To keep a comment within the host's limit, notes are cut first, followed by findings to review."""
    template = Finding("R201", Level.NOTE, ("models", "churn"), "x" * 100)
    many = tuple(
        replace(template, level=level, message=f"{level.word} {at} {'x' * 100}") for level in Level for at in range(300)
    )
    markdown = review_markdown(replace(_changed("x"), findings=many), Level.NOTE)

    assert len(markdown) <= BUDGET
    assert all(f"danger {at} " in markdown for at in range(300))
    assert "more to review" in markdown


@pytest.mark.parametrize(
    "after", ["", "x", "[]", "a: [", "\x00", "kind: MLSystem", "{}", BASE.replace("inference:", "inference: 1\nx:")]
)
def test_any_text_ends_in_a_verdict(after: str) -> None:
    for review in (reviewed(BASE, after), reviewed(after, BASE), reviewed(after, after)):
        assert review.unjudged
        assert "cannot be judged" in review_text(review, Level.NOTE, colour=False)
        assert review_markdown(review, Level.NOTE)
        assert json.loads(review_json(review, Level.NOTE))["verdict"] == "cannot-be-judged"
