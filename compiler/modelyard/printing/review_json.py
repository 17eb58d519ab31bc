"""Write a review as JSON, in the format defined by `review.schema.json`."""

from __future__ import annotations

import json

from modelyard import __version__
from modelyard.printing.redact import redacted
from modelyard.review.codes import codes
from modelyard.review.comparing import Review, Unjudged
from modelyard.review.findings import Accepted, Finding, Level
from modelyard.source import Span

FORMAT: str = "modelyard.dev/review/v1alpha1"
"""The version of the JSON format."""


def review_json(review: Review, lowest: Level) -> str:
    """Return all findings at or above a level as a JSON object, with the number of findings at each level."""
    verdict = "cannot-be-judged" if review.unjudged else review.worst.word if review.findings else "nothing"
    content = {
        "format": FORMAT,
        "modelyard": __version__,
        "system": review.system,
        "first": review.is_first,
        "verdict": verdict,
        "counts": {level.word: review.count(level) for level in Level},
        "environments": list(review.environments),
        "findings": [_finding(finding) for finding in review.findings if finding.level >= lowest],
        "notJudged": [_unjudged(unjudged) for unjudged in review.unjudged],
    }
    return json.dumps(content, indent=2) + "\n"


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "code": finding.code,
        "mirror": codes()[finding.code].mirror,
        "level": finding.level.word,
        "reasons": [redacted(reason) for reason in finding.reasons],
        "path": list(finding.path),
        "message": redacted(finding.message),
        "why": redacted(finding.why),
        "before": redacted(finding.before),
        "after": redacted(finding.after),
        "reached": list(finding.reached),
        "environments": list(finding.environments),
        "cannotBeUndone": finding.irreversible,
        "places": {"before": _span(finding.was_at), "after": _span(finding.now_at)},
        "fingerprint": finding.fingerprint,
        **({"accepted": [_accepted(acceptance) for acceptance in finding.accepted]} if finding.accepted else {}),
    }


def _accepted(acceptance: Accepted) -> dict[str, object]:
    return {
        "by": redacted(acceptance.by),
        "reason": redacted(acceptance.reason),
        "until": acceptance.until,
        "group": acceptance.group,
    }


def _span(span: Span | None) -> dict[str, object] | None:
    if span is None:
        return None
    return {"file": span.file, "line": span.line, "column": span.column, "endColumn": span.end_column}


def _unjudged(unjudged: Unjudged) -> dict[str, object]:
    problems = [{"code": problem.code, "message": redacted(problem.message)} for problem in unjudged.diagnostics]
    return {"environment": unjudged.environment, "side": unjudged.side, "problems": problems}
