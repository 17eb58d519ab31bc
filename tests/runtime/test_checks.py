"""Tests that all descriptions emitted by the compiler are accepted and that unsupported values are refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard_runtime.capabilities import known_metrics, monitors, trainers
from modelyard_runtime.checks import check_workload
from modelyard_runtime.monitoring.checks import check_monitor
from modelyard_runtime.pipelines import driver
from modelyard_runtime.promotion.checks import check_promoter
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.serving.checks import check_server
from modelyard_runtime.training.trainers import check_trainer
from modelyard_runtime.workload.records import PromoterWorkload, Workload
from tests.runtime.described import record

GOLDEN = Path(__file__).parents[1] / "golden"

EVENTS = {"uri": "file:///events", "format": "parquet", "timestamp": "t", "features": ["a"], "label": "y"}
MONITOR: dict[str, Any] = {
    "type": "monitor",
    "monitor": {
        "type": "prediction-quality",
        "data": {"events": EVENTS},
        "models": [{"task": "binary-classification"}],
        "current": {"data": "events"},
        "labels": "events",
        "reference": {"data": "events", "windowSeconds": 60},
        "checks": [{"name": "good", "metric": "auc_pr", "min": 0.8}],
    },
}
SERVER: dict[str, Any] = {
    "type": "server",
    "applications": {"a": {"model": {"task": "regression"}, "auth": {"type": "bearer-token", "tokenFiles": {}}}},
}


def emitted() -> Iterator[Any]:
    """Yield the description of every workload in the golden folders, as found in its ConfigMap."""
    for path in sorted(GOLDEN.glob("*/*/*/manifests/*.yaml")):
        for manifest in yaml.load_all(path.read_text(encoding="utf-8"), yaml.CSafeLoader):
            if manifest and manifest["kind"] == "ConfigMap" and "workload.json" in manifest["data"]:
                workload = json.loads(manifest["data"]["workload.json"])
                if "type" in workload:  # the registry's description, which lists permissions, has no type
                    yield pytest.param(workload, id=f"{path.relative_to(GOLDEN)} {manifest['metadata']['name']}")


EMITTED = list(emitted())


@pytest.mark.parametrize("workload", EMITTED)
def test_emitted_descriptions_are_accepted(workload: dict[str, Any]) -> None:
    """All emitted descriptions are accepted.

    Trainer parameters are checked too, because the model libraries are installed here.
    """
    if workload["type"] in {"training", "batch-inference", "custom"}:
        driver.check(record(Workload, workload))
    check_workload(workload)


def test_examples_have_workloads_of_every_type() -> None:
    kinds = {case.values[0]["type"] for case in EMITTED}

    assert kinds == {"training", "batch-inference", "custom", "server", "monitor", "promoter", "starter"}


def changed(workload: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy of a workload with one field set to `value`, or removed if `value` is None."""
    result = copy.deepcopy(workload)
    *parents, last = path.split(".")
    at: Any = result
    for part in parents:
        at = at[int(part) if part.isdigit() else part]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return result


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("monitor.type", "gut-feeling", "unknown monitor type 'gut-feeling'"),
        ("monitor.type", "performance", "monitored by alert rules"),
        ("monitor.type", "data-drift", "check 'good': 'auc_pr' is not computed by a monitor of type data-drift"),
        ("monitor.data.events.timestamp", None, "a window over 'events' needs the dataset's timestamp"),
        ("monitor.data.events.label", None, "quality needs a dataset with a label"),
        ("monitor.models", [], "the monitored dataset has none"),
        ("monitor.models.0.task", "regression", "'auc_pr' is not computed"),
        ("monitor.checks.0.metric", "parity", "'parity' is not computed"),
        ("monitor.checks.0.features", ["a"], "has no column checks"),
    ],
)
def test_unusable_monitor_is_refused(path: str, value: Any, why: str) -> None:
    """An unusable monitor is refused at startup rather than failing on every pass."""
    check_monitor(record(Workload, MONITOR))

    with pytest.raises(Refusal, match=why):
        check_monitor(record(Workload, changed(MONITOR, path, value)))


def test_server_is_refused_as_a_monitor() -> None:
    with pytest.raises(Refusal, match="'monitor' is only for monitors"):
        check_monitor(record(Workload, SERVER))


@pytest.mark.parametrize(
    ("metric", "without", "why"),
    [
        ("out_of_range", ["reference"], "'out_of_range' needs a reference"),
        ("schema", ["reference", "data.events.features"], "'schema' needs a reference"),
        ("psi", ["reference.data", "models"], "the monitored dataset has no model"),
    ],
)
def test_check_without_its_inputs_is_refused(metric: str, without: list[str], why: str) -> None:
    kind = next(name for name, monitor in monitors().items() if metric in monitor.checks)
    workload = changed(MONITOR, "monitor.type", kind)
    workload["monitor"]["checks"] = [{"name": "it", "metric": metric, "max": 0.1}]
    check_monitor(record(Workload, workload))
    for path in without:
        workload = changed(workload, f"monitor.{path}", None)

    with pytest.raises(Refusal, match=why):
        check_monitor(record(Workload, workload))


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("groups.risk", None, "pipelines.retrain: 'risk' may approve, but has no key"),
        ("groups.risk.sshKeys", [], "pipelines.retrain: 'risk' may approve, but has no key"),
        ("minimum", 2, "2 approvals cannot come from 1"),
    ],
)
def test_promoter_with_impossible_approvals_is_refused(path: str, value: Any, why: str) -> None:
    approvals = {"from": ["risk"], "minimum": 1, "groups": {"risk": {"sshKeys": ["ssh-ed25519 AAAA"]}}}
    promoter: dict[str, Any] = {"type": "promoter", "promotions": {"retrain": {"approvals": approvals}}}
    check_promoter(record(PromoterWorkload, promoter))

    with pytest.raises(Refusal, match=why):
        check_promoter(record(PromoterWorkload, changed(promoter, f"promotions.retrain.approvals.{path}", value)))


def test_ranking_checks_need_queries() -> None:
    ranked = changed(changed(MONITOR, "monitor.checks.0.metric", "ndcg"), "monitor.models.0.task", "recommendation")
    check_monitor(record(Workload, changed(ranked, "monitor.data.events.group", "query")))

    with pytest.raises(Refusal, match="check 'good': 'ndcg' needs the query of each row"):
        check_monitor(record(Workload, ranked))


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("applications", {}, "no application"),
        ("applications.a.model.task", "poetry", "'poetry' is not a model task"),
        ("applications.a.auth.type", "palm", "authentication of type 'palm' is not supported"),
    ],
)
def test_unusable_server_is_refused(path: str, value: Any, why: str) -> None:
    check_server(record(Workload, SERVER))

    with pytest.raises(Refusal, match=why):
        check_server(record(Workload, changed(SERVER, path, value)))


@pytest.mark.parametrize(
    ("trainer", "task"), [(name, task) for name, entry in trainers().items() for task in sorted(entry.tasks)]
)
def test_trainer_supports_the_tasks_in_the_table(trainer: str, task: str) -> None:
    """The library accepts each trainer and task in the table with default parameters, and each task has metrics."""
    check_trainer(trainer, task, {})

    assert known_metrics(task)
