"""Write a review as annotations on the lines of a GitHub pull request, dangers first.

GitHub displays only ten annotations of each kind per step, so the order determines which ones are visible.
"""

from __future__ import annotations

from typing import Final

from modelyard.printing.annotations import annotation
from modelyard.printing.redact import redacted
from modelyard.printing.review_words import explained_in_full, headline
from modelyard.review.comparing import Review
from modelyard.review.findings import Level

_KINDS: Final = {Level.DANGER: "error", Level.REVIEW: "warning", Level.NOTE: "notice", Level.QUIET: "notice"}


def review_github(review: Review, lowest: Level) -> str:
    """Return an annotation for each finding at or above a level, and for each version that does not compile."""
    lines = [annotation("error", "modelyard", redacted(headline(review)), None)] if review.unjudged else []
    for finding in review.findings:
        if finding.level >= lowest:
            place = finding.now_at or finding.was_at
            kind = "notice" if finding.accepted else _KINDS[finding.level]
            lines.append(annotation(kind, finding.code, explained_in_full(finding), place))
    return "".join(lines)
