"""Tests a custom pipeline step that scores with a registered model between steps that run user code."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from modelyard_runtime.batch import run as batch
from modelyard_runtime.pipelines import driver
from modelyard_runtime.pipelines.checks import check_pipeline
from modelyard_runtime.pipelines.steps import perform, spread_out
from modelyard_runtime.promotion.gate import DIGEST_TAG
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.records import PipelineWorkload, Step, Workload
from tests.runtime.described import record
from tests.runtime.scoring import NAME, Scoring, amounts, in_this_process

pytestmark = pytest.mark.filterwarnings("ignore")

STEP: dict[str, Any] = {
    "needs": [],
    "inputs": ["rows"],
    "workers": {"min": 1, "max": 1},
    "resources": {"cpus": 1, "gpus": 0, "group": ""},
    "parameters": {},
    "retries": 0,
    "timeoutSeconds": 900,
}


class Forecast(Scoring):
    """A three-step pipeline whose second step scores. Tests may add a scoring step that uses another model."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        described = self.workload["pipeline"]
        for name in ("orders", "again"):
            described["data"][name] = {**described["data"]["scores"], "uri": f"file://{folder}/{name}"}
        model = described.pop("model")
        for name in ("output", "batchSize"):
            described.pop(name)
        code = "tests.runtime.forecasting"
        self.steps: dict[str, dict[str, Any]] = {
            "prepare": {**STEP, "entrypoint": f"{code}:prepare", "inputs": [], "output": "rows"},
            "score": {**STEP, "needs": ["prepare"], "model": model, "batchSize": 2, "output": "scores"},
            "order": {
                **STEP,
                "needs": ["score"],
                "entrypoint": f"{code}:order",
                "inputs": ["scores"],
                "output": "orders",
            },
        }
        self.workload |= {"type": "custom", "governance": {"owner": {"team": "growth", "email": "a@b.example"}}}
        described |= {"steps": self.steps, "timeoutSeconds": 900}

    def perform(self, name: str) -> dict[str, float]:
        """Run one step and return the numbers it reports."""
        return dict(perform(record(PipelineWorkload, self.workload), name, {}, "a-run")[0].reported)


@pytest.fixture
def forecast(tmp_path: Path) -> Forecast:
    """Return a pipeline with a model that doubles its input."""
    pipeline = Forecast(tmp_path)
    pipeline.promote(2.0)
    return pipeline


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the Ray tasks of scoring workers in the test process."""
    monkeypatch.setattr(batch, "on_workers", in_this_process)


def test_step_scores_the_previous_steps_output(forecast: Forecast, ray_here: None) -> None:
    """On a real Ray cluster, the first step writes rows, the second scores them, and the last uses the scores."""
    check_pipeline(record(Workload, forecast.workload))

    assert driver.work(record(PipelineWorkload, forecast.workload), "a-run") == 0
    assert float(pd.read_parquet(forecast.folder / "orders")["total"].sum()) == 12.0


def test_step_behaves_like_batch_inference(forecast: Forecast, near: None) -> None:
    """A file that doesn't fit the model is skipped, and already scored files aren't scored again."""
    forecast.put("a.parquet", amounts(1, 2, 3))
    forecast.put("text.parquet", {"amount": ["much"], "plan": ["basic"]})

    assert forecast.perform("score") == {"scored": 1.0, "found": 2.0, "refused": 1.0}
    assert forecast.answers("a.parquet") == [2, 4, 6]
    assert list(forecast.refused()) == ["text.parquet"]
    forecast.promote(3.0)
    forecast.put("b.parquet", amounts(1))
    assert forecast.perform("score")["scored"] == 1
    assert forecast.versions() == {"a": {"1"}, "b": {"2"}}


def test_each_step_uses_its_own_model(forecast: Forecast, near: None) -> None:
    """One scoring step follows a model's alias while the other uses a pinned version."""
    forecast.promote(10.0)
    forecast.put("a.parquet", amounts(1))
    model = {"task": "regression", "uri": f"models:/{NAME}/1", "registeredName": NAME, "version": "1"}
    forecast.steps["again"] = {**forecast.steps["score"], "model": model, "output": "again"}

    forecast.perform("score")
    forecast.perform("again")

    assert forecast.answers("a.parquet") == [10]
    assert list(pd.read_parquet(forecast.folder / "again" / "a.parquet.scored.parquet")["prediction"]) == [2.0]


def test_digest_is_verified_before_loading(forecast: Forecast, near: None) -> None:
    import mlflow

    mlflow.MlflowClient().set_model_version_tag(NAME, "1", DIGEST_TAG, "sha256:" + "0" * 64)
    forecast.put("a.parquet", amounts(1))

    with pytest.raises(Refusal, match="hash to"):
        forecast.perform("score")
    assert not (forecast.scores / "a.parquet.scored.parquet").exists()


def test_step_fails_without_a_promoted_model(forecast: Forecast, near: None) -> None:
    forecast.steps["score"]["model"] = {**forecast.steps["score"]["model"], "alias": "candidate"}
    forecast.put("a.parquet", amounts(1))

    with pytest.raises(Refusal, match="no version has been promoted to 'candidate'"):
        forecast.perform("score")


def test_step_has_its_own_workers(forecast: Forecast) -> None:
    """The scoring step's main process only coordinates its workers, as in batch inference."""
    assert spread_out(record(PipelineWorkload, forecast.workload), record(Step, forecast.steps["score"]))
    assert not spread_out(record(PipelineWorkload, forecast.workload), record(Step, forecast.steps["prepare"]))


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("inputs", [], "nothing to score"),
        ("output", "nowhere", "scoring needs an output"),
        ("output", "listed", "only be read"),
    ],
)
def test_unsupported_step_is_refused_before_any_work(forecast: Forecast, field: str, value: Any, why: str) -> None:
    workload = copy.deepcopy(forecast.workload)
    workload["pipeline"]["data"]["listed"] = {"uri": "file:///listed", "store": "", "format": "json"}
    workload["pipeline"]["steps"]["score"][field] = value

    with pytest.raises(Refusal, match=f"step 'score': .*{why}"):
        check_pipeline(record(Workload, workload))


def test_only_scoring_steps_report_invalid_files(
    forecast: Forecast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A number that user code reports under the name for invalid files is not counted as a number of invalid files.

    The driver's last line says what was scored.
    """
    caplog.set_level("INFO")
    reported: list[float] = []

    class Driver:
        def __init__(self, *_: object) -> None: ...

        def run(self, _: object) -> Any:
            counts = {"prepare": 7.0, "score": 2.0, "order": 5.0}
            return {name: _Done({"found": 9.0, "scored": 3.0, "refused": count}) for name, count in counts.items()}

    monkeypatch.setattr(driver, "Driver", Driver)
    monkeypatch.setattr(driver, "report_refused", lambda _, count: reported.append(count))

    assert driver.work(record(PipelineWorkload, forecast.workload), "a-run") == 0
    assert reported == [2.0]
    assert caplog.messages[-1] == "step score: scored 3 of 9 files; already scored: 4; skipped: 2"


class _Done:
    def __init__(self, reported: dict[str, float]) -> None:
        self.summary = self
        self.reported = reported
