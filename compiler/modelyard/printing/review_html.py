"""Write a review as a single-file web page without scripts or external resources, readable on a phone and on paper."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from modelyard import __version__
from modelyard.printing.redact import redacted
from modelyard.printing.report_costs import AMOUNTS, CostChange, sentence, step_text
from modelyard.printing.review_markdown import by_level
from modelyard.printing.review_words import acceptances, count_of, headline, held_in, listed, place_of
from modelyard.printing.terminal import visible
from modelyard.records import record
from modelyard.review.comparing import Review
from modelyard.review.findings import Finding, Level

_FOLDER: Final = Path(__file__).parent / "templates"


def review_html(review: Review, lowest: Level, costs: Sequence[CostChange] = ()) -> str:
    """Return the page. Its content security policy forbids scripts, requests and all styles but its own."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        finalize=_displayed,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return templates.get_template("review.html").render(_values(review, lowest, costs))


def _values(review: Review, lowest: Level, costs: Sequence[CostChange]) -> Mapping[str, object]:
    from markupsafe import Markup

    style = (_FOLDER / "review.css").read_text(encoding="utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return {
        "headline": headline(review),
        "verdict": "danger" if review.unjudged else review.worst.word,
        "cost_sentence": sentence(costs),
        "environments": listed(review.environments),
        "groups": list(_groups(review, lowest)),
        "unjudged": list(_unjudged(review)),
        "costs": list(_costs(costs)),
        "style": Markup(style),  # our own file, whose hash is in the policy
        "style_hash": f"sha256-{digest}",
        "version": __version__,
    }


@record
class _FindingRow:
    code: str
    message: str
    why: str
    details: tuple[tuple[str, str], ...]
    place: str


def _groups(review: Review, lowest: Level) -> Iterator[Mapping[str, object]]:
    groups = by_level(review, lowest)
    for level in (Level.DANGER, Level.REVIEW, Level.NOTE):
        findings = groups[level]
        if findings:
            entries = [_finding(finding, review) for finding in findings]
            yield {"id": level.word, "title": count_of(level, len(findings)), "findings": entries}


def _finding(finding: Finding, review: Review) -> _FindingRow:
    details = (
        ("before", finding.before),
        ("after", finding.after),
        ("affects", listed(finding.reached)),
        ("level", "; ".join(finding.reasons)),
        ("accepted", "; ".join(acceptances(finding, ""))),
        ("cannot be undone", "reverting the spec does not bring it back" if finding.irreversible else ""),
    )
    where = held_in(finding, review)
    place = (place_of(finding) or finding.subject, f"in {where}" if where else "", finding.fingerprint)
    rows = tuple((name, text) for name, text in details if text)
    return _FindingRow(finding.code, finding.message, finding.why, rows, ", ".join(part for part in place if part))


def _unjudged(review: Review) -> Iterator[Mapping[str, object]]:
    for unjudged in review.unjudged:
        problems = [f"{problem.code}: {problem.message}" for problem in unjudged.diagnostics]
        yield {
            "side": "old" if unjudged.side == "before" else "new",
            "environment": unjudged.environment,
            "problems": problems,
        }


def _costs(costs: Sequence[CostChange]) -> Iterator[Mapping[str, object]]:
    for change in costs:
        if change.is_known:
            label = f"{'total, at least' if change.is_lower_bound else 'total'} in {change.currency}"
            for at, (what, steps) in enumerate(((label, change.steps), *change.lines())):
                amounts = [(name, step_text(*step)) for name, step in zip(AMOUNTS, steps, strict=True)]
                yield {"environment": change.environment, "what": what, "amounts": amounts, "is_total": at == 0}


def _displayed(value: object) -> object:
    """Return a value with its strings ready for display: on one line, without secrets or control characters."""
    return visible(redacted(value)) if type(value) is str else value  # our own markup is a subclass
