"""The gate holds when every line holds, and opens for exactly the model that was approved."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from modelyard_runtime.description import Section
from modelyard_runtime.gate import Comparison, judge, missing_approvals, refused

MEASURED = {"auc_pr": 0.9, "rmse": 2.0}
CHAMPION = {"auc_pr": 0.88, "rmse": 2.5}


@dataclass(frozen=True)
class Known:
    """A new version and a champion of which all is known."""

    champion: dict[str, float] | None

    def value(self, line: Section) -> float:
        return MEASURED[str(line["metric"])]

    def against(self, line: Section) -> Comparison | None:
        if self.champion is None:
            return None
        metric = str(line["metric"])
        return Comparison("3", MEASURED[metric], self.champion[metric], 100, 0)


def holds(line: Section, champion: dict[str, float] | None = None) -> bool:
    """Whether a gate of one line holds."""
    return not refused(judge({"validation": [{"name": "line", **line}]}, Known(champion)))


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ({"metric": "auc_pr", "min": 0.9}, True),
        ({"metric": "auc_pr", "min": 0.91}, False),
        ({"metric": "rmse", "max": 2.0}, True),
        ({"metric": "rmse", "max": 1.9}, False),
        ({"metric": "rmse", "min": 1.0, "max": 1.9}, False),
        ({"metric": "auc_pr", "versus": "champion", "minDelta": 0.01}, True),
        ({"metric": "auc_pr", "versus": "champion", "minDelta": 0.03}, False),
        ({"metric": "rmse", "versus": "champion", "minDelta": 0.4}, True),  # less is better
        ({"metric": "rmse", "versus": "champion", "minDelta": 0.6}, False),
    ],
)
def test_a_line_holds_within_its_bounds(line: Section, wanted: bool) -> None:
    assert holds(line, CHAMPION) is wanted


def test_the_first_model_has_no_champion_to_beat() -> None:
    assert holds({"metric": "auc_pr", "versus": "champion", "minDelta": 0.5})


def test_approvals_count_for_one_digest_only() -> None:
    """Two groups of three must agree; one has agreed to another model."""
    pipeline: Section = {"approvals": {"from": ["risk", "legal", "owner"], "minimum": 2}}
    tags = {"modelyard.approval.risk": "sha256:this", "modelyard.approval.legal": "sha256:another"}

    assert missing_approvals(pipeline, tags, "sha256:this") == (1, ("legal", "owner"))
    tags["modelyard.approval.owner"] = "sha256:this"
    assert missing_approvals(pipeline, tags, "sha256:this")[0] == 0
    assert missing_approvals({}, {}, "sha256:this") == (0, ())
