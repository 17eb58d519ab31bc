"""Write a review as a GitLab Code Quality report, which GitLab displays in a merge request's widget.

See "Code Quality report format" at docs.gitlab.com/ci/testing/code_quality (2026-11).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from modelyard.printing.review_words import explained_in_full
from modelyard.review.comparing import Review
from modelyard.review.findings import Finding, Level

_SEVERITIES: Final = {Level.DANGER: "critical", Level.REVIEW: "major", Level.NOTE: "info", Level.QUIET: "info"}


def code_quality(review: Review, lowest: Level, spec: str) -> str:
    """Return findings at or above a level as a JSON list. Findings without a location refer to the file `spec`."""
    entries = [_entry(finding, spec) for finding in review.findings if finding.level >= lowest]
    return json.dumps(entries, indent=2) + "\n"


def _entry(finding: Finding, spec: str) -> Mapping[str, object]:
    place = finding.now_at
    return {
        "description": explained_in_full(finding),
        "check_name": finding.code,
        "fingerprint": finding.fingerprint,
        "severity": "info" if finding.accepted else _SEVERITIES[finding.level],
        "location": {"path": place.file if place else spec, "lines": {"begin": place.line if place else 1}},
    }
