"""Tests that the gate requires every check to pass, and that exactly the approved model is promoted."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from modelyard_runtime.metrics.scores import better
from modelyard_runtime.promotion.gate import Comparison, Slice, judge, refused
from modelyard_runtime.workload.description import Section
from modelyard_runtime.workload.records import Check, Pipeline
from tests.runtime.described import record

MEASURED = {"auc_pr": 0.9, "rmse": 2.0}
CHAMPION = {"auc_pr": 0.88, "rmse": 2.5}


@dataclass(frozen=True)
class Known:
    """A comparison between a new version and a champion, both with known metrics."""

    champion: dict[str, float] | None

    def value(self, line: Check) -> float:
        return MEASURED[line.metric]

    def against(self, line: Check) -> Comparison | None:
        if self.champion is None:
            return None
        metric = line.metric
        gained = better(metric, MEASURED[metric], self.champion[metric])
        return Comparison("3", MEASURED[metric], self.champion[metric], 100, 0, gained, gained - 0.01, gained + 0.01)

    def slices(self, line: Check) -> dict[str, Slice]:
        return {"ch": Slice(200, 0.9), "de": Slice(100, 0.8), "(others)": Slice(7, None)}


def holds(line: Section, champion: dict[str, float] | None = None) -> bool:
    """Return whether a gate that consists of one check passes."""
    return not refused(judge(record(Pipeline, {"validation": [{"name": "line", **line}]}), Known(champion)))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"metric": "auc_pr", "min": 0.9}, True),
        ({"metric": "auc_pr", "min": 0.91}, False),
        ({"metric": "rmse", "max": 2.0}, True),
        ({"metric": "rmse", "max": 1.9}, False),
        ({"metric": "rmse", "min": 1.0, "max": 1.9}, False),
        ({"metric": "auc_pr", "versus": "champion", "minDelta": 0.005}, True),
        ({"metric": "auc_pr", "versus": "champion", "minDelta": 0.015}, False),  # the improvement is only 0.01
        ({"metric": "auc_pr", "versus": "champion", "minDelta": 0.015, "confidence": 0}, True),
        ({"metric": "auc_pr", "versus": "champion", "minDelta": 0.03, "confidence": 0}, False),
        ({"metric": "rmse", "versus": "champion", "minDelta": 0.4}, True),  # lower is better
        ({"metric": "rmse", "versus": "champion", "minDelta": 0.495}, False),
        ({"metric": "rmse", "versus": "champion", "minDelta": 0.6}, False),
        ({"metric": "recall", "by": "country", "min": 0.8}, True),
        ({"metric": "recall", "by": "country", "min": 0.85}, False),
        ({"metric": "recall", "by": "country", "max": 0.85}, False),
        ({"metric": "recall", "by": "country", "maxDifference": 0.11}, True),
        ({"metric": "recall", "by": "country", "maxDifference": 0.09}, False),
        ({"metric": "recall", "by": "country", "min": 0.7, "maxDifference": 0.09}, False),
    ],
)
def test_check_passes_within_its_bounds(line: Section, expected: bool) -> None:
    assert holds(line, CHAMPION) is expected


class Few(Known):
    """A comparison in which most slices have too few rows and one slice's metric is undefined."""

    def slices(self, line: Check) -> dict[str, Slice]:
        if line.metric == "auc_pr":
            return {"ch": Slice(200, 0.9), "de": Slice(200, float("nan"))}
        return {"ch": Slice(40, 0.9), "(others)": Slice(60, None)} if line.metric == "f1" else {"ch": Slice(40, 0.9)}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ({"metric": "f1", "min": 0.1}, "f1 by country covers 40 of 100 rows"),
        ({"metric": "recall", "maxDifference": 0.1}, "nothing to compare it with"),
        ({"metric": "auc_pr", "min": 0.1}, "auc_pr has no meaning for country de"),
        ({"metric": "auc_pr", "maxDifference": 0.1}, "auc_pr has no meaning for country de"),
    ],
)
def test_unknown_slices_fail_the_check(line: Section, why: str) -> None:
    (verdict,) = judge(record(Pipeline, {"validation": [{"name": "fair", "by": "country", **line}]}), Few(None))

    assert not verdict.holds
    assert why in verdict.reason


def test_first_model_passes_without_a_champion() -> None:
    assert holds({"metric": "auc_pr", "versus": "champion", "minDelta": 0.5})
