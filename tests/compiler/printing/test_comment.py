"""Tests the pull request comment: what comes first, what is collapsed, and what is omitted to save space."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from modelyard.costs import CostLine, Rate, fixed
from modelyard.diagnostics import Diagnostic, Severity
from modelyard.printing.comment import NOTHING, comment, marker
from modelyard.printing.costs import Estimate
from modelyard.printing.report_costs import CostChange, sentence
from modelyard.printing.review_markdown import BUDGET
from modelyard.records import replace
from modelyard.review.comparing import Unjudged
from modelyard.review.findings import Level
from tests.compiler.review.reviews import a_finding, a_review, hostile
from tests.compiler.review.test_hostile import HOSTILE
from tests.hostile.nasty import WORST
from tests.narrowing import present


def priced(amount: float, currency: str = "USD", what: str = "replicas") -> Estimate:
    """Return a cost estimate with one line."""
    rate = Rate(amount, currency, "eu", "a list", "2026-11-01")
    line = CostLine("inference.till", "inference.till", what, "month", fixed(1), rate, "compute")
    return Estimate("shop", "default", {"main": (line,)})


def test_the_verdict_comes_first_then_dangers_and_the_rest_is_folded() -> None:
    findings = [
        a_finding("R201", Level.DANGER, "a", 4),
        a_finding("R801", Level.REVIEW, "b", 5),
        a_finding("R805", Level.NOTE, "c", 6),
    ]
    costs = [CostChange("default", priced(100), priced(150))]
    lines = comment(a_review(findings), costs, "system.yaml").splitlines()
    folded = next(at for at, line in enumerate(lines) if line.startswith("<details"))

    assert lines[:2] == [marker("system.yaml"), "### shop\\: 1 danger, 1 to review, 1 note"]
    assert lines[3] == "Cost a month\\: +50 USD in default."
    assert [line[:8] for line in lines[4:folded] if "R" in line] == ["| 🛑 R201"]
    summaries = re.findall("<summary>(.*)</summary>", "\n".join(lines))
    assert summaries == ["1 to review", "Cost by line", "1 note"]


def test_without_dangers_what_to_review_is_unfolded() -> None:
    text = comment(a_review([a_finding("R801", Level.REVIEW, "b")]), [], "system.yaml")

    assert "<details open><summary>1 to review" in text


def test_a_change_without_consequences_is_marked() -> None:
    """A change marked like this only updates an earlier comment. A change in cost counts as a consequence."""
    same, dearer = (CostChange("default", priced(100), priced(amount)) for amount in (100, 150))

    assert comment(a_review([]), [same], "x").splitlines()[1] == NOTHING
    assert NOTHING not in comment(a_review([]), [dearer], "x")
    assert NOTHING not in comment(a_review([a_finding("R805", Level.NOTE, "c")]), [same], "x")


def test_the_marker_is_of_the_spec() -> None:
    """The marker depends on the spec path, so the comment is found even if a pull request renames the system."""
    assert marker("./a/system.yaml") == marker("a/system.yaml") != marker("b/system.yaml")


@pytest.mark.parametrize("count", [3, 150, 400, 3000])
def test_dangers_are_never_cut(count: int) -> None:
    """Dangers beyond the limit are listed in short form, then counted by code.

    Findings to review and notes may be cut, in which case they're only counted.
    """
    dangers = [a_finding("R201" if at % 2 else "R211", Level.DANGER, f"m{at}", why="x" * 200) for at in range(count)]
    reviews = [a_finding("R801", Level.REVIEW, f"r{at}", why="y" * 300) for at in range(500)]
    text = comment(a_review([*dangers, *reviews]), [], "system.yaml")

    assert len(text) <= BUDGET
    assert f"{count} dangers, 500 to review" in text
    listed = set(re.findall(r"\bm[0-9]+\b", text))
    summarized = sum(int(number) for number in re.findall(r"\| (\d+) places \|", text))
    assert len(listed) + summarized == count
    left = present(re.search(r"(\d+) more; the report lists them", text))
    assert text.count("| ⚠️ R801") + int(left[1]) == 500


def test_texts_without_end_are_cut() -> None:
    long = "word " * 50_000
    text = comment(a_review([a_finding("R201", Level.DANGER, "a", message=long)], system=long), [], "x")

    assert len(text) <= BUDGET
    assert "🛑 R201" in text


def test_errors_of_many_environments_leave_room() -> None:
    """Dangers are still shown if a version fails to compile in every environment with many errors."""
    problems = tuple(Diagnostic("E0203", Severity.ERROR, "<" * 1_000, None) for _ in range(50))
    unjudged = tuple(Unjudged(f"shop-{at}", "after", problems) for at in range(300))
    findings = [a_finding("R201", Level.DANGER, f"m{at}") for at in range(2_000)]
    text = comment(replace(a_review(findings), unjudged=unjudged), [], "x")

    assert len(text) <= BUDGET
    assert "2000 places" in text
    assert "40 more" in text


def test_half_a_secret_is_not_shown() -> None:
    """Secrets are removed before text is cut, since a truncated secret wouldn't be recognized."""
    text = comment(a_review([], system="x" * 590 + " AKIA0123456789ABCDEF"), [], "x")

    assert "AKIA" not in text


@pytest.mark.parametrize("texts", [HOSTILE, WORST], ids=["hostile", "worst"])
def test_hostile_text_stays_text(texts: tuple[str, ...]) -> None:
    """Rendered as Markdown, the comment has the same elements as with harmless text."""
    markdown = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table")

    def elements(text: str) -> list[str]:
        page = markdown.render(comment(hostile(text), [CostChange(text, priced(1), priced(2, what=text))], text))
        html = re.sub("modelyard:report:[0-9a-f]{12}", "", page)
        return [tag for tag in re.findall(r"<!--|<[^ >]+", html) if "strong" not in tag]  # no emphasis before spaces

    for text in texts:
        assert elements(text) == elements("harmless"), text


def test_mentions_and_references_stay_text() -> None:
    text = comment(hostile("@acme/security #12 https://x.example www.x.example"), [], "x")

    assert not re.search(r"(?<!\\)@acme|#12|https://|www\.", text)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], ""),
        ([CostChange("default", priced(10), priced(10))], "Cost a month: unchanged in default"),
        ([CostChange("dev", priced(5), priced(2.5))], "Cost a month: -2.50 USD in dev"),
        ([CostChange("dev", None, priced(2.5))], "Cost a month: not compared in dev"),
        ([CostChange("dev", priced(5, "EUR"), priced(2.5))], "Cost a month: not compared in dev"),
    ],
)
def test_the_sentence_about_cost(changes: list[CostChange], expected: str) -> None:
    assert sentence(changes) == expected
