"""Tests that workload descriptions requesting unsupported features are rejected before any work starts."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from modelyard_runtime.pipelines.driver import check, order
from modelyard_runtime.pipelines.steps import searched
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.records import MonitorWorkload, Pipeline, Workload
from tests.runtime.described import record, steps_of

STEP: dict[str, Any] = {
    "needs": [],
    "trainer": "scikit-learn",
    "inputs": ["rows"],
    "workers": {"min": 1, "max": 1},
    "resources": {"cpus": 1, "gpus": 0, "group": "group-a"},
    "parameters": {},
    "retries": 0,
    "timeoutSeconds": 60,
}
TRAINING: dict[str, Any] = {
    "type": "training",
    "pipeline": {
        "model": {"task": "binary-classification"},
        "steps": {"train": STEP},
        "data": {"rows": {"uri": "file:///rows", "format": "json", "label": "late"}},
        "validation": [{"name": "line", "metric": "auc_pr", "min": 0.5}],
    },
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the training workload with one field changed."""
    workload = copy.deepcopy(TRAINING)
    *parents, last = path.split(".")
    at: Any = workload
    for part in parents:
        at = at[int(part) if part.isdigit() else part]
    at[last] = value
    return workload


def test_supported_description_is_accepted() -> None:
    check(record(Workload, TRAINING))


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("pipeline.model.task", "ranking", "does not train models for ranking"),
        ("pipeline.model.task", "recommendation", "do not train models for recommendation"),
        ("pipeline.steps.train.workers", {"min": 1, "max": 2}, "trains on one worker, but workers.max is 2"),
        ("pipeline.steps.train.parameters", {"depth": 3}, "has no parameter 'depth'"),
        ("pipeline.steps.train.parameters", {"estimator": "magic"}, "estimator 'magic' is not built in"),
        ("pipeline.steps.train.needs", ["train"], "wait for each other"),
        ("pipeline.data.rows", {"uri": "file:///rows", "format": "json"}, "must have a label; 0 have"),
        ("pipeline.split", {"by": "time"}, "a split by time needs a dataset with a timestamp"),
        ("pipeline.validation.0.metric", "applause", "'applause' is not computed"),
        (
            "pipeline.tuning",
            {"metric": "applause", "space": {"max_iter": {"kind": "int", "low": 1, "high": 2}}},
            "optimizes 'applause'",
        ),
    ],
)
def test_unsupported_description_is_refused(path: str, value: Any, why: str) -> None:
    with pytest.raises(Refusal, match=why):
        check(record(Workload, changed(path, value)))


def test_monitor_is_refused_as_a_pipeline() -> None:
    with pytest.raises(Refusal, match="'run' is only for pipelines"):
        check(record(MonitorWorkload, {"type": "monitor"}))


def test_search_beside_custom_steps_needs_a_trainer_metric() -> None:
    """A search can't optimize a later step's metric, which isn't available when trials are compared."""
    tuned = changed(
        "pipeline.tuning", {"metric": "applause", "space": {"max_iter": {"kind": "int", "low": 1, "high": 2}}}
    )
    tuned["pipeline"]["steps"]["tell"] = {"needs": ["train"], "entrypoint": "fraud.tell:main", "inputs": []}

    with pytest.raises(Refusal, match="optimizes 'applause'"):
        check(record(Workload, tuned))


def test_json_scores_are_refused() -> None:
    scoring = changed("type", "batch-inference")
    scoring["pipeline"]["steps"]["train"] = {**STEP, "trainer": "", "output": "rows"}

    with pytest.raises(Refusal, match="json, which can only be read"):
        check(record(Workload, scoring))


def test_steps_run_after_their_dependencies() -> None:
    steps = steps_of({"c": {"needs": ["b"]}, "b": {"needs": ["a"]}, "a": {"needs": []}})

    assert order(steps) == ["a", "b", "c"]


def test_search_applies_only_to_the_training_step() -> None:
    """The search doesn't tune the custom step after the built-in trainer, so that step may omit the metric."""
    own: dict[str, Any] = {key: value for key, value in STEP.items() if key != "trainer"}
    first: dict[str, Any] = {**own, "entrypoint": "fraud.train:main"}
    last: dict[str, Any] = {**own, "entrypoint": "fraud.report:main", "needs": ["train"]}

    def about(name: str, **steps: dict[str, Any]) -> bool:
        pipeline: dict[str, Any] = {"steps": steps}
        return searched(record(Pipeline, pipeline), name)

    assert not about("report", train=STEP, report=last)
    assert about("report", train=first, report=last)
    assert not about("train", train=first, report=last)
    assert about("train", train=first)
