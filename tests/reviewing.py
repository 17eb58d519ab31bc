"""Reviews the changes between two versions of a spec, like `modelyard diff OLD NEW`.

Specs are given as text or values.
"""

from __future__ import annotations

import json

from modelyard.inputs import BASE_FOLDER, InputFile, Inputs
from modelyard.pipeline import Outcome, read, understand
from modelyard.resolve import resolve
from modelyard.review.comparing import Review, compared
from modelyard.review.meaning import root
from modelyard.source import Json
from modelyard.spec import System
from modelyard.stages import Stage
from modelyard.validate import system_fits
from modelyard_targets import TARGETS
from tests.hostile.seeds import TABLES


def outcome_of(spec: str | dict[str, Json], path: str = "system.yaml", other: System | None = None) -> Outcome:
    """Compile a spec without its environments, optionally in comparison with another system."""
    text = spec if isinstance(spec, str) else json.dumps(spec, default=str)
    return understand(Inputs(InputFile(path, text)), TARGETS, other=other)


def resolved(spec: dict[str, Json]) -> Outcome:
    """Resolve a spec without checking or planning it. The outcome has no system if the spec doesn't resolve."""
    tables: dict[str, InputFile | str] = {name: InputFile(name, table) for name, table in TABLES.items()}
    document = read(Inputs(InputFile("system.yaml", json.dumps(spec, default=str)), tables=tables)).document
    if document is None or not system_fits()(root(), document.value):
        return Outcome()
    system, _ = resolve(document, BASE_FOLDER, TARGETS)
    return Outcome(document=document, system=system, reached=Stage.RESOLVE)


def reviewed(before: str | dict[str, Json], after: str | dict[str, Json]) -> Review:
    """Review the changes between the bases of two versions of a spec."""
    return review_of(outcome_of(before, "before.yaml"), outcome_of(after, "after.yaml"))


def review_of(before: Outcome, after: Outcome) -> Review:
    """Review the changes between two outcomes."""
    return compared({BASE_FOLDER: before}, {BASE_FOLDER: after}, TARGETS)


def codes_of(review: Review) -> list[str]:
    """Return the codes of all findings of a review, in order."""
    return [finding.code for finding in review.findings]
