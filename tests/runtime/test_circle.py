"""Tests the full cycle of a small system: training, gate, promotion, serving, captures and monitoring."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
import pytest
from mlflow import artifacts

from modelyard_runtime.captures.capture import Captures
from modelyard_runtime.models.answers import answer
from modelyard_runtime.monitoring.monitor import breach_text, run_checks
from modelyard_runtime.pipelines.steps import StepOutcome, finish_step
from modelyard_runtime.registry import client as registry
from modelyard_runtime.serving.payloads import fitted, rows_of
from modelyard_runtime.training.data import TrainingData, training_data
from modelyard_runtime.training.trained import CONTRIBUTIONS, EXPLANATION, Trained, finish
from modelyard_runtime.training.trainers import grow
from modelyard_runtime.workload.records import Capture, MonitorWorkload, PipelineWorkload, Workload
from tests.runtime.described import record

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")

TASK = "binary-classification"
GOVERNANCE = {
    "owner": {"team": "growth", "email": "growth@acme.example", "oncall": "growth-oncall"},
    "risk": "limited",
    "dataClasses": ["pii"],
    "lineage": True,
}


@dataclass(frozen=True)
class System:
    """A system on local files, with a workload description like the compiler's."""

    folder: Path
    workload: dict[str, Any]

    def data(self) -> TrainingData:
        """Return the training and held-out data."""
        return training_data(record(PipelineWorkload, self.workload), ("subscribers",), TASK)

    def retrain(self, **parameters: Any) -> str:
        """Run the pipeline without a cluster and return its result."""
        data = self.data()
        *_, model = grow("scikit-learn", TASK, parameters, data)
        return finish(record(PipelineWorkload, self.workload), "learn", Trained(model, {}, parameters), data, "run-1")

    def champion(self) -> registry.Version:
        """Return the version that the alias points to."""
        version = registry.version_at("churn", "champion")
        assert version is not None
        return version


def subscribers(count: int = 400) -> pd.DataFrame:
    """Generate subscribers who cancel if their usage is low or their plan is unknown. Labels are strings."""
    random = np.random.default_rng(1)
    usage = random.normal(size=count)
    known = random.choice(["basic", "plus"], count)
    plan = [name if chance > 0.3 else None for name, chance in zip(known, random.random(count), strict=True)]
    leaves = (usage < -0.3) | np.array([name is None for name in plan])
    return pd.DataFrame({"usage": usage, "plan": plan, "cancelled": np.where(leaves, "yes", "no")})


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Return a system with a pipeline that has already trained once."""
    tmp_path = tmp_path_factory.mktemp("circle")
    (tmp_path / "subscribers").mkdir()
    subscribers().to_parquet(tmp_path / "subscribers" / "a.parquet")
    dataset = {
        "uri": f"file://{tmp_path}/subscribers",
        "format": "parquet",
        "label": "cancelled",
        "description": "Who has a contract.",
        "classification": "confidential",
    }
    model = {
        "name": "churn",
        "registeredName": "churn",
        "experiment": "hello/churn",
        "task": TASK,
        "framework": "scikit-learn",
        "card": {"purpose": "Asks who may leave.", "limitations": "Not for prices.", "license": "Apache-2.0"},
        "explainability": {"method": "shap", "sample": 20},
    }
    validation = [
        {"name": "auc", "metric": "auc_roc", "min": 0.9},
        {"name": "better", "metric": "auc_roc", "versus": "champion", "minDelta": 0.0},
    ]
    described: dict[str, Any] = {
        "type": "training",
        "system": "hello",
        "environment": "default",
        "target": "main",
        "address": "pipelines.train",
        "governance": GOVERNANCE,
        "registry": {"uri": f"file://{tmp_path}/registry"},
        "pipeline": {
            "model": model,
            "data": {"subscribers": dataset},
            "steps": {"learn": {"inputs": ["subscribers"], "trainer": "scikit-learn"}},
            "split": {"fraction": 0.25, "by": "random", "seed": 0},
            "validation": validation,
            "promoteTo": "champion",
        },
    }
    system = System(tmp_path, described)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert system.retrain(max_iter=10) == "'champion' of churn is now version 1"
        yield system
    mlflow.end_run()


def test_version_documents_its_origin_and_features(system: System) -> None:
    """The registry shows a version's owner, purpose, terms, data, and most influential features."""
    version = system.champion()
    client = mlflow.MlflowClient()
    card = client.get_model_version("churn", version.version).description or ""
    assert card.split("\n\n") == [
        "Purpose: Asks who may leave.",
        "Limitations: Not for prices.",
        "License: Apache-2.0",
        "Trained on subscribers: Who has a contract., confidential",
        "Created by pipelines.train of system hello.",
    ]
    expected = {
        "modelyard.owner": "growth <growth@acme.example>",
        "modelyard.oncall": "growth-oncall",
        "modelyard.target": "main",
        "modelyard.framework": "scikit-learn",
        "modelyard.license": "Apache-2.0",
        "modelyard.data-classes": "pii confidential",
    }
    assert expected.items() <= dict(version.tags).items()
    explained = artifacts.load_dict(f"runs:/{version.run_id}/{EXPLANATION}")
    assert set(explained["importance"]) == {"usage", "plan"}
    rows = parquet.read_table(artifacts.download_artifacts(f"runs:/{version.run_id}/{CONTRIBUTIONS}")).to_pandas()
    np.testing.assert_allclose(rows["__base"] + rows["usage"] + rows["plan"], rows["__answer"])
    assert len(rows) == 20


def test_gate_refuses_a_worse_version(system: System) -> None:
    """The step returns each check of the gate before its result, so that the driver can log them in this order."""
    workload, data = record(PipelineWorkload, system.workload), system.data()
    *_, model = grow("scikit-learn", TASK, {"max_iter": 1, "max_leaf_nodes": 2}, data)
    *checks, result = finish_step(workload, "learn", StepOutcome(model, data), {}, "run-2")

    assert [check.partition(":")[0] for check in checks] == ["gate"] * len(workload.pipeline.validation)
    assert any(" DOES NOT HOLD: " in check for check in checks)
    assert result.startswith("version 2 of churn is kept, but it fails the gate: ")
    assert system.champion().version == "1"


def test_served_answers_match_the_evaluated_ones(system: System) -> None:
    """Served predictions match those at evaluation, even for rows with null or absent values as in training."""
    data = system.data()
    model = registry.load(system.champion().uri)
    features = data.held_out[["usage", "plan"]]
    expected = answer(model, TASK, features)
    rows = [{"usage": subscriber.usage, "plan": subscriber.plan} for subscriber in features.itertuples()]
    absent = [{name: value for name, value in row.items() if value is not None} for row in rows]

    for instances in (rows, absent):  # the second body omits columns with missing values
        body = json.dumps({"instances": instances}).encode()
        actual = answer(model, TASK, fitted(rows_of(body), model.columns()))
        assert expected.scores is not None
        assert actual.scores is not None
        np.testing.assert_allclose(actual.scores, expected.scores)
        assert list(actual.values) == list(expected.values)


def test_served_data_are_compared_with_training_data(system: System) -> None:
    """The monitor compares served data with the training data, per feature and for the predictions."""
    version = system.champion()
    model = registry.load(version.uri)
    captured = {"uri": f"file://{system.folder}/captures", "store": ""}
    served = subscribers(200)[["usage", "plan"]].assign(usage=lambda rows: rows["usage"] - 3)
    captures = Captures(
        record(Workload, system.workload), record(Capture, {**captured, "fraction": 1.0}), "live", flush_s=3600
    )
    rows = fitted(served.astype(object), model.columns())
    captures.keep("request", rows, answer(model, TASK, rows), version.version)
    captures.flush()
    checks = [{"name": "psi", "metric": "psi", "max": 0.2, "severity": "page"}]
    watching: dict[str, Any] = {
        "type": "data-drift",
        "watch": "inference.churn",
        "checks": checks,
        "windowSeconds": 86400,
        "data": {},
        "models": [{"uri": "models:/churn@champion", "registeredName": "churn", "alias": "champion", "task": TASK}],
        "current": {"capture": captured},
        "reference": {},
        "onBreach": {"notify": ["growth-channel"]},
    }
    now = datetime.now(UTC) + timedelta(seconds=5)

    by_feature = {}
    for kind in ("data-drift", "prediction-drift"):
        results, refused = run_checks(
            record(MonitorWorkload, {**system.workload, "monitor": {**watching, "type": kind}}), now
        )
        assert not refused
        by_feature |= {result.feature: result for result in results}

    assert {name for name, result in by_feature.items() if result.breach} == {"usage", "prediction", "score"}
    message = breach_text(record(MonitorWorkload, {**system.workload, "monitor": watching}), by_feature["usage"])
    assert message.startswith("check psi of inference.churn failed: usage is ")
    assert ", must be at most 0.2 (it went down, from " in message
    assert message.endswith(" of the rows); page, sent to growth-channel")
    captures.close()
