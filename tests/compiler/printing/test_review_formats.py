"""Tests of reviews as SARIF, GitHub annotations, GitLab Code Quality reports, and web pages."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Final

import pytest

from modelyard.printing import review_sarif as review_sarif_module
from modelyard.printing.code_quality import code_quality
from modelyard.printing.report_costs import CostChange
from modelyard.printing.review_github import review_github
from modelyard.printing.review_html import review_html
from modelyard.printing.review_sarif import review_sarif
from modelyard.printing.review_words import summary
from modelyard.records import replace
from modelyard.review.findings import Level
from tests.compiler.cli.commands import SPEC as VALID
from tests.compiler.printing.test_comment import priced
from tests.compiler.review.reviews import a_finding, a_review, hostile
from tests.compiler.review.test_hostile import HOSTILE
from tests.hostile.nasty import WORST
from tests.reviewing import reviewed

FINDINGS: Final = (
    a_finding("R211", Level.DANGER, "a", 7, why="nobody is notified", reached=("inference.till",), irreversible=True),
    a_finding("R801", Level.REVIEW, "b", 5),
    a_finding("R805", Level.NOTE, "c", now_at=None),
)
REVIEW: Final = a_review(FINDINGS)


def test_sarif_has_own_fingerprints_and_a_place_for_everything() -> None:
    run = json.loads(review_sarif(REVIEW, Level.NOTE, "a b/system.yaml"))["runs"][0]
    results = run["results"]
    rules = run["tool"]["driver"]["rules"]
    places = [item["locations"][0]["physicalLocation"] for item in results]

    assert [item["level"] for item in results] == ["error", "warning", "note"]
    assert [rules[item["ruleIndex"]]["id"] for item in results] == [item["ruleId"] for item in results]
    assert [item["partialFingerprints"]["modelyard/v1"] for item in results] == [item.fingerprint for item in FINDINGS]
    assert [item["region"]["startLine"] for item in places] == [7, 5, 1]
    assert places[2]["artifactLocation"]["uri"] == "a%20b/system.yaml"
    assert results[0]["properties"]["before"] == "0.8"
    assert "nobody is notified; affects inference.till" in results[0]["message"]["text"]
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_sarif_holds_what_a_host_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert review_sarif_module.MOST_RESULTS == 5_000
    monkeypatch.setattr(review_sarif_module, "MOST_RESULTS", 20)
    many = [a_finding("R805", Level.NOTE, f"m{at}") for at in range(20)]
    log = json.loads(review_sarif(a_review([FINDINGS[0], *many]), Level.NOTE, "x"))
    results = log["runs"][0]["results"]

    assert len(results) == 20
    assert results[0]["ruleId"] == "R211"


def test_a_version_that_does_not_compile_is_no_success() -> None:
    """Every format shows the error, since an empty list of findings would look like a harmless change."""
    review = reviewed(VALID, VALID.replace("kind: MLSystem", "kind: Nothing"))
    run = json.loads(review_sarif(review, Level.NOTE, "x"))["runs"][0]["invocations"][0]

    assert not run["executionSuccessful"]
    assert run["toolExecutionNotifications"][0]["level"] == "error"
    assert "::error title=modelyard::" in review_github(review, Level.NOTE)
    assert "cannot be judged" in review_html(review, Level.NOTE)
    assert run["toolExecutionNotifications"][0]["descriptor"]["id"] in review_html(review, Level.NOTE)


def test_annotations_begin_with_dangers() -> None:
    lines = review_github(REVIEW, Level.NOTE).splitlines()

    assert [line.split(" ")[0] for line in lines] == ["::error", "::warning", "::notice"]
    assert lines[0].startswith("::error file=system.yaml,line=7,col=3,endColumn=9,title=R211::a passes")
    assert review_github(REVIEW, Level.DANGER).count("\n") == 1


def test_code_quality_has_the_fields_that_gitlab_reads() -> None:
    entries = json.loads(code_quality(REVIEW, Level.NOTE, "system.yaml"))

    assert [entry["severity"] for entry in entries] == ["critical", "major", "info"]
    assert entries[0]["location"] == {"path": "system.yaml", "lines": {"begin": 7}}
    assert entries[0]["check_name"] == "R211"
    assert len({entry["fingerprint"] for entry in entries}) == 3


class _Page(HTMLParser):
    """Collects the elements of a web page, with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.text: list[str] = []
        self.comments: list[str] = []
        self.targets: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.targets |= {value or "" for name, value in attrs if name in {"href", "src"}}

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def _page(text: str) -> _Page:
    costs = [CostChange(text, priced(1), priced(2, what=text))]
    return _Page(review_html(replace(hostile(text), is_first=True), Level.NOTE, costs))


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = review_html(REVIEW, Level.NOTE, [CostChange("default", priced(1), priced(2))])

    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|\bon\w+=|https?:", page)
    assert "default-src 'none'; style-src 'sha256-" in page
    assert _Page(page).targets == {"#danger", "#review", "#note", "#cost"}
    assert page.index("R211") < page.index("R801") < page.index("R805")
    assert "+1 USD" not in page
    assert "Cost a month: +1.00 USD in default." in page


@pytest.mark.parametrize("texts", [HOSTILE, WORST], ids=["hostile", "worst"])
def test_hostile_text_stays_text_on_the_page(texts: tuple[str, ...]) -> None:
    """The page has the same elements and links as with harmless text, and shows the text itself."""
    usual = _page("harmless")
    for text in texts:
        page = _page(text)
        assert page.elements == usual.elements, text
        assert page.targets == usual.targets, text
        assert not page.comments, text
        page_text = "".join(page.text)
        assert not set("\x1b\x00\u202e\u2066\r") & set(page_text), text
        if text.isprintable() and len(text) < 100:
            assert text in page_text


def test_the_summary_names_the_environment_whose_cost_grows_most() -> None:
    """If several environments' costs change, the summary shows the largest increase, whatever the order."""
    costs = [
        a_finding(
            "R620",
            level,
            name,
            message=f"the monthly cost is that of {name}",
            before=before,
            after=after,
            environments=(name,),
        )
        for name, level, before, after in (
            ("small", Level.DANGER, "10.00 10.00 10.00", "20.00 20.00 20.00"),
            ("large", Level.REVIEW, "900.00 900.00 900.00", "990.00 1000.00 1100.00"),
            ("new", Level.REVIEW, "", "50.00 50.00 50.00"),
        )
    ]
    review = replace(a_review(costs), environments=("small", "large", "new"), agreement="platform should look at it")

    assert summary(review)[0] == "cost: the monthly cost is that of large in large (and 2 more)"
