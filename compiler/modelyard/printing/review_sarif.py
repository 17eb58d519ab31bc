"""Write a review as SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0), with our own fingerprints.

Hosts compute fingerprints from lines, so they would treat a finding as new if its line moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import explain_command
from modelyard.printing.redact import redacted
from modelyard.printing.review_words import explained_in_full
from modelyard.printing.sarif import Entry, location, log
from modelyard.printing.terminal import visible
from modelyard.review.codes import codes, explained
from modelyard.review.comparing import Review
from modelyard.review.findings import Accepted, Finding, Level
from modelyard.source import Span

MOST_RESULTS: Final = 5_000
"""The maximum number of results per run that GitHub displays (docs.github.com, SARIF support, 2026-11)."""

FINGERPRINT: Final = "modelyard/v1"
_LEVELS: Final = {Level.DANGER: "error", Level.REVIEW: "warning", Level.NOTE: "note", Level.QUIET: "none"}


def review_sarif(review: Review, lowest: Level, spec: str) -> str:
    """Return a SARIF log of the findings at or above a level, highest first. Those without a span refer to `spec`."""
    findings = [finding for finding in review.findings if finding.level >= lowest][:MOST_RESULTS]
    rules = sorted({finding.code for finding in findings})
    results = [_result(finding, rules.index(finding.code), spec) for finding in findings]
    run = {"executionSuccessful": not review.unjudged, "toolExecutionNotifications": list(_notifications(review))}
    return log([_rule(code) for code in rules], results, invocations=[run])


def _rule(code: str) -> Entry:
    page = explained(code)
    command = explain_command(code)
    return {
        "id": code,
        "shortDescription": {"text": codes()[code].title},
        "help": {"text": f"{page}\n\n{command}", "markdown": f"{page}\n\n`{command}`"},
    }


def _result(finding: Finding, rule: int, spec: str) -> Entry:
    properties = {
        "before": redacted(finding.before),
        "after": redacted(finding.after),
        "path": finding.subject,
        "environments": list(finding.environments),
        "reached": list(finding.reached),
        "cannotBeUndone": finding.irreversible,
    }
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.level],
        "message": {"text": explained_in_full(finding)},
        "locations": [location(finding.now_at or Span(spec, 1, 1, 1))],
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
        "properties": properties,
        **({"suppressions": [_suppression(acceptance) for acceptance in finding.accepted]} if finding.accepted else {}),
    }


def _suppression(acceptance: Accepted) -> Entry:
    """Return a suppression that states who accepts a result (section 3.35). Hosts close such results."""
    why = visible(redacted(f"{acceptance.reason} ({acceptance.by}, until {acceptance.until})"))
    return {"kind": "external", "status": "accepted", "justification": why}


def _notifications(review: Review) -> Iterator[Entry]:
    """Yield the errors that prevent a version of the spec from being judged."""
    for unjudged in review.unjudged:
        side = "old" if unjudged.side == "before" else "new"
        for problem in unjudged.diagnostics:
            text = f"the {side} version does not compile in {unjudged.environment}: {redacted(problem.message)}"
            yield {"level": "error", "descriptor": {"id": problem.code}, "message": {"text": text}}
