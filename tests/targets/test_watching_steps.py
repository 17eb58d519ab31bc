"""Tests that monitors of multi-step pipelines check the right data and the right model."""

from __future__ import annotations

import json
from typing import Any

from modelyard.checks import check
from modelyard.plan import Access
from tests.compiler.planner.planned import identity
from tests.lowering import lowered
from tests.plans import plan_of
from tests.scoring_step import scoring

RATED = "  rated: {store: lake, path: rated/, format: parquet}\n"
TIMED = (
    RATED,
    "  rated: {store: lake, path: rated/, format: parquet, timestamp: event_time,\n"
    "          schema: {transaction_id: string, event_time: timestamp}}\n"
    "  sums: {store: lake, path: sums/, format: parquet, timestamp: event_time}\n",
)
PUBLISHED = (
    'publish: {needs: [collect, score], source: {entrypoint: "fraud.report:publish"}, timeout: 1h}',
    'publish: {needs: [collect, score], source: {entrypoint: "fraud.report:publish"}, timeout: 1h, output: sums}',
)
MONITORS = "monitors:\n"
QUALITY = (
    MONITORS,
    "monitors:\n"
    "  rated: {type: prediction-quality, watch: pipelines.report, labels: chargebacks, key: [transaction_id],\n"
    "          window: 1d, checks: {auc_pr: {min: 0.8}}}\n"
    "  sums: {type: data-quality, watch: pipelines.report, window: 1d, checks: {rows: {min: 1}}}\n",
)
WATCHED = scoring(TIMED, PUBLISHED, QUALITY)
"""A spec with a scoring step, a summarizing step, and a monitor for the output of each."""


def monitor_of(text: str, name: str) -> Any:
    """Return a monitor's description."""
    return json.loads(lowered(text).get("ConfigMap", f"monitor-{name}-description")["data"]["workload.json"])["monitor"]


def codes(text: str) -> list[str]:
    """Return the codes of the errors that the rules report."""
    return [diagnostic.code for diagnostic in check(plan_of(text).system) if diagnostic.code.startswith("E")]


def test_prediction_quality_uses_the_scoring_step() -> None:
    """A prediction quality monitor uses the scoring step's output and model, and its own labels."""
    monitor = monitor_of(WATCHED, "rated")
    (model,) = monitor["models"]

    assert codes(WATCHED) == []
    assert monitor["current"] == {"data": "rated"}
    assert (model["name"], model["alias"]) == ("fraud-xgb", "champion")
    assert monitor["labels"] == "chargebacks"


def test_data_quality_uses_the_last_steps_output() -> None:
    monitor = monitor_of(WATCHED, "sums")

    assert monitor["current"] == {"data": "sums"}
    assert monitor["models"] == []


def test_monitor_reads_only_the_watched_data() -> None:
    plan = plan_of(WATCHED)

    assert [
        grant for grant in identity(plan, "monitor-sums").access if grant.mode == "read" and grant.store == "lake"
    ] == [Access("lake", "sums/", "read")]


def test_two_scoring_steps_are_refused() -> None:
    second = "again: {model: fraud-xgb@candidate, inputs: [transactions], output: sums}"
    text = WATCHED.replace("      publish:", f"      {second}\n      publish:").replace(", output: sums}", "}", 2)
    text = text.replace(second.replace(", output: sums}", "}"), second)

    assert "E0993" in codes(text)


def test_prediction_monitor_needs_a_model() -> None:
    text = WATCHED.replace("model: fraud-xgb@champion, inputs: [transactions], output: rated, batchSize: 4096", "X")
    text = text.replace("score: {X}", 'score: {source: {entrypoint: "fraud.report:score"}, output: rated}')

    assert "E0466" in codes(text)


def test_several_final_datasets_are_refused() -> None:
    text = WATCHED.replace("needs: [collect, score]", "needs: [collect]")

    assert "E0994" in codes(text)
