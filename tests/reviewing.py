"""Reviews two versions of a spec, given as texts or values, as `modelyard diff OLD NEW` does."""

from __future__ import annotations

import json

from modelyard.inputs import BASE_FOLDER, Given, Inputs
from modelyard.pipeline import Outcome, understand
from modelyard.review.comparing import Review, compared
from modelyard.source import Json
from modelyard_targets import TARGETS


def outcome_of(spec: str | dict[str, Json], path: str = "system.yaml") -> Outcome:
    """Compile a spec without its environments."""
    text = spec if isinstance(spec, str) else json.dumps(spec)
    return understand(Inputs(Given(path, text)), TARGETS)


def reviewed(before: str | dict[str, Json], after: str | dict[str, Json]) -> Review:
    """Compare the bases of two versions of a spec."""
    return review_of(outcome_of(before, "before.yaml"), outcome_of(after, "after.yaml"))


def review_of(before: Outcome, after: Outcome) -> Review:
    """Compare two outcomes."""
    return compared({BASE_FOLDER: before}, {BASE_FOLDER: after}, TARGETS)


def codes_of(review: Review) -> list[str]:
    """Return the codes of all findings in order."""
    return [finding.code for finding in review.findings]
