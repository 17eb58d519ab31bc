"""Tests that the capability table is complete, and that compiler and runtime interpret it alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

import modelyard_runtime
from modelyard import capabilities
from modelyard_runtime import capabilities as runtime
from modelyard_schemas import load
from modelyard_targets.kube.image.runtime_image import image_files
from tests.plans import system_of
from tests.specs import VALID_SPEC

TABLE = capabilities.table()
DEFS = cast("dict[str, Any]", load("system")["$defs"])
TASKS = DEFS["model"]["properties"]["task"]["enum"]


def names() -> list[str]:
    """Return all metric names, names just outside the bounds of a metric family, and lookalikes."""
    results = ["auc_rp", "psi", "recall_at_K", "recall_at_", "lift_at_010", "recall_at_١"]
    for name, metric in TABLE["metrics"].items():
        results.append(name)
        if "K" in metric:
            least, most = metric["K"]["least"], metric["K"]["most"]
            results += [name.removesuffix("K") + str(at) for at in (least - 1, least, most, most + 1)]
    return results


@pytest.mark.parametrize("name", names())
def test_compiler_and_runtime_agree_on_metrics(name: str) -> None:
    """The runtime computes all metrics accepted by the compiler, for the same tasks and in the same direction."""
    here, there = capabilities.metric_of(name), runtime.metric_of(name)

    assert (here is None) == (there is None)
    if here is not None and there is not None:
        assert (here.tasks, here.needs, here.better == "smaller") == (there.tasks, there.needs, there.smaller_is_better)


def test_compiler_and_runtime_agree_on_trainers_and_monitors() -> None:
    for kind, other in runtime.monitors().items():
        here = capabilities.monitor_type(kind)
        for field in ("reads", "watches", "checks", "metrics", "needs", "features"):
            assert getattr(here, field) == getattr(other, field), (kind, field)
    for name, trainer in runtime.trainers().items():
        for field in ("tasks", "together", "writes", "returned"):
            assert getattr(capabilities.trainers()[name], field) == getattr(trainer, field), (name, field)
    assert {task: capabilities.metrics_of(task) for task in TASKS} == {
        task: runtime.known_metrics(task) for task in TASKS
    }
    for field in ("versus", "data"):
        assert capabilities.reported_may_have(field) == runtime.reported_may_have(field)
    assert capabilities.highest_rank() == runtime.highest_rank()


def test_the_table_matches_the_schema() -> None:
    """The table and the schema have the same tasks, monitor types and frameworks."""
    metrics = TABLE["metrics"].values()
    frameworks = set(DEFS["model"]["properties"]["framework"]["enum"])

    assert {task for entry in metrics for task in entry["tasks"]} == set(TASKS)
    assert list(TABLE["trainers"]) == DEFS["trainer"]["enum"]
    assert frameworks - TABLE["trainers"].keys() == {"custom"}
    assert {task for entry in TABLE["trainers"].values() for task in entry["tasks"]} < set(TASKS)
    assert set(TABLE["monitors"]) == set(DEFS["monitor"]["properties"]["type"]["enum"])


def test_every_check_belongs_to_a_monitor_type() -> None:
    check_names = {
        name for entry in TABLE["monitors"].values() for name in (*entry["checks"], *entry.get("of_runs", ()))
    }

    assert check_names == TABLE["checks"].keys()
    for name, entry in {**TABLE["metrics"], **TABLE["checks"]}.items():
        assert entry.get("better") in {"smaller", "larger", None}, name
        assert entry["least"] is None or entry["most"] is None or entry["least"] < entry["most"], name


def test_the_image_contains_the_table_of_the_compiler() -> None:
    system = system_of(VALID_SPEC)
    (copied,) = [
        file
        for file in image_files(system, system.deployment.targets[0])
        if file.path.endswith("modelyard_runtime/capabilities.json")
    ]
    own = Path(modelyard_runtime.__path__[0]) / "capabilities.json"

    assert json.loads(copied.text()) == TABLE == json.loads(own.read_text(encoding="utf-8"))
