"""Tests that generated data has the declared columns, is learnable, and drifts as intended."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.preprocessing import StandardScaler

from modelyard_runtime.local.placed import place_all
from modelyard_runtime.local.plan import read_plan
from modelyard_runtime.local.sample import Sample, Truth, truth_of
from modelyard_runtime.local.scaling import Machine
from modelyard_runtime.local.state import State
from modelyard_runtime.training.data import training_data
from modelyard_runtime.training.trainers import grow
from modelyard_runtime.workload.records import PipelineWorkload, workload_of
from modelyard_runtime.workload.records.data import Dataset

GOLDEN = Path(__file__).parents[2] / "golden"
RETRAIN = "fraud-detection-dev/main/descriptions/retrain.json"
BINARY = "binary-classification"


def write_sample(name: str, folder: Path) -> tuple[Sample, Any, State]:
    """Write a system's generated data.

    Return the generator, the placed descriptions and the state.
    """
    compiled, state = GOLDEN / name / "main", State.at(folder / "state")
    plan = read_plan(compiled)
    placed = place_all(compiled, plan, state, Machine(2, 0), "http://127.0.0.1:1")
    sample = Sample(plan, state, truth_of(plan, placed.contents.values()))
    sample.write_missing()
    return sample, placed, state


def test_a_model_learns_the_truth(tmp_path: Path) -> None:
    """The data has the columns of the spec's schema, and a built-in trainer learns the label from them."""
    _, placed, state = write_sample("laptop-default", tmp_path)
    workload = workload_of(placed.contents["descriptions/train.json"])
    assert isinstance(workload, PipelineWorkload)
    data = training_data(workload, ("customers",), BINARY)
    *_, model = grow("scikit-learn", BINARY, {}, data)

    assert set(data.features) == {"usage", "age", "plan"}
    scores = model.predict_proba(data.held_out[list(data.features)])[:, 1]
    truth = pd.Series(data.truth(data.held_out))
    assert pd.Series(scores).rank().corr(truth) > 0.6
    recorded = json.loads((state.folder / "sample.json").read_text())
    assert set(recorded["drift"]["columns"]) == {"usage", "age"}


def test_data_of_the_user_are_never_replaced(tmp_path: Path) -> None:
    sample, _, state = write_sample("laptop-default", tmp_path)
    assert sample.written == ["customers"]
    before = [path.stat().st_mtime_ns for path in state.folder.rglob("*.parquet")]

    again = Sample(sample.plan, state, sample.truth)
    assert again.write_missing() == []
    assert [path.stat().st_mtime_ns for path in state.folder.rglob("*.parquet")] == before


def test_datasets_join_and_late_labels_are_missing(tmp_path: Path) -> None:
    """Chargebacks arrive after 45 days, so those for recent payments aren't in the data yet."""
    _, _, state = write_sample("fraud-detection-dev", tmp_path)
    lake = state.folder / "stores" / "acme-fraud-lake"
    payments = pd.read_parquet(lake / "transactions")
    chargebacks = pd.read_parquet(lake / "chargebacks")

    assert list(chargebacks.columns) == ["transaction_id", "is_fraud", "event_time"]
    assert "is_fraud" not in payments.columns
    assert set(chargebacks["transaction_id"]) < set(payments["transaction_id"])
    assert chargebacks["event_time"].max() <= pd.Timestamp(datetime.now(UTC) - timedelta(days=45))
    assert 0.05 < chargebacks["is_fraud"].mean() < 0.95
    assert not (lake / "scores").exists()


def test_joined_datasets_without_columns_share_only_keys(tmp_path: Path) -> None:
    """Each dataset gets its own learnable columns, and the data spans enough days for late labels."""
    plan = read_plan(GOLDEN / "fraud-detection-dev" / "main")
    bare = {name: replace(data, features=()) for name, data in plan.data.items()}
    bare["appeals"] = bare["chargebacks"]
    state, contents = State.at(tmp_path / "state"), [json.loads((GOLDEN / RETRAIN).read_text())]
    sample = Sample(replace(plan, data=bare), state, truth_of(replace(plan, data=bare), contents))
    sample.write_missing()
    lake = state.folder / "stores" / "acme-fraud-lake"
    payments, chargebacks = (pd.read_parquet(lake / name) for name in ("transactions", "chargebacks"))

    assert set(payments) & set(chargebacks) == {"id", "event_time"}
    assert sample.truth.labels == {"is_fraud": BINARY}  # even if a monitor reads the same label elsewhere
    assert {"transactions_1", "transactions_2"} < set(payments)
    assert sample.truth.days == 135
    assert len(chargebacks) > 1000


@pytest.mark.parametrize("drift", [False, True])
def test_requests_drift_only_where_they_say(drift: bool, tmp_path: Path) -> None:
    sample, _, _ = write_sample("laptop-default", tmp_path)
    reference = sample.truth.rows(3000, 0)
    live = pd.DataFrame(sample.requests(5, drift=drift))
    moved = {name for name in ("usage", "age", "plan") if _moved(reference[name], live[name])}

    assert moved == ({"usage", "age"} if drift else set())


def _moved(before: pd.Series[Any], after: pd.Series[Any]) -> bool:
    if before.dtype.kind not in "if":
        return False
    return abs(after.mean() - before.mean()) > 0.5 * before.std()


def test_language_models_learn_texts(tmp_path: Path) -> None:
    """Prompts and texts are distinct sentences, even if the spec declares no type for their columns."""
    plan = read_plan(GOLDEN / "laptop-default" / "main")
    letters = Dataset(uri="file://lake/letters", format="parquet", features=("question",), label="reply")
    data = {"letters": {"label": "reply"}}
    training = {"type": "training", "pipeline": {"model": {"task": "text-generation"}, "data": data}}

    rows = truth_of(replace(plan, data={"letters": letters}, pipelines={}), [training]).rows(200, 1)

    for name in ("question", "reply"):
        assert rows[name].map(lambda text: isinstance(text, str) and text.endswith(".")).all()
        assert rows[name].nunique() > 190


def test_a_table_without_declared_columns_gets_features_beside_texts(tmp_path: Path) -> None:
    """The prompts of a language model are not features of a table, and do not affect its label."""
    plan = read_plan(GOLDEN / "laptop-default" / "main")
    letters = Dataset(uri="file://lake/letters", format="parquet", features=("question",), label="reply")
    customers = Dataset(uri="file://lake/customers", format="parquet", label="churned")
    described = [
        {"type": "training", "pipeline": {"model": {"task": task}, "data": {name: {"label": label}}}}
        for name, label, task in (("letters", "reply", "text-generation"), ("customers", "churned", BINARY))
    ]
    mixed = replace(plan, data={"letters": letters, "customers": customers}, pipelines={})
    sample = Sample(mixed, State.at(tmp_path), truth_of(mixed, described))
    features = [name for name in sample.columns("customers") if name != "churned"]
    rows = sample.truth.rows(2000, 0)
    encoded = pd.get_dummies(rows[features]).astype(float)
    model = LogisticRegression(max_iter=2000).fit(StandardScaler().fit_transform(encoded), rows["churned"])

    assert features == ["number_1", "number_2", "number_3", "category_1"]
    assert sample.columns("letters") == ["question", "reply"]
    assert [*sample.requests(1, drift=False)[0]] == features
    assert model.score(StandardScaler().fit_transform(encoded), rows["churned"]) > 0.85


def test_texts_depend_on_the_prompt() -> None:
    truth = Truth({"category": "string"}, {"reply": "text-generation"}, timestamps=(), groups=(), keys=())
    rows = truth.rows(300, 0)

    above = rows["reply"].str.contains("above").groupby(rows["category"]).mean()
    assert abs(above["a"] - above["d"]) > 0.8


def test_models_of_generated_classes_can_meet_a_gate() -> None:
    """A local copy caps gates on 0-to-1 metrics at 0.8, so a model must be able to exceed that."""
    columns = {"amount": "number", "age": "integer", "vip": "boolean", "plan": "string"}
    truth = Truth(columns, {"kind": "multiclass-classification"}, timestamps=(), groups=(), keys=())
    rows, live = truth.rows(2400, 0), truth.rows(600, 1)
    features = [pd.get_dummies(frame[list(columns)], columns=["plan"]).astype(float) for frame in (rows, live)]
    model = LogisticRegression(max_iter=2000).fit(StandardScaler().fit_transform(features[0]), rows["kind"])
    predicted = model.predict(StandardScaler().fit(features[0]).transform(features[1]))

    assert recall_score(live["kind"], predicted, average="macro") > 0.82
