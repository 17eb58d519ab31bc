"""Tests that a champion is evaluated only on rows it wasn't trained on, whatever else has changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest

from modelyard_runtime.metrics import paired
from modelyard_runtime.metrics.scores import Predictions, score
from modelyard_runtime.models.answers import answer, choosing_by
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.training.evaluation import ROWS_TAG
from modelyard_runtime.training.seen import Identity, Seen, stored
from modelyard_runtime.training.trained import Trained, finish
from modelyard_runtime.workload.records import PipelineWorkload
from tests.runtime.compared import BETTER, FOREST, Loans, loans
from tests.runtime.described import record

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")

KEY = {"key": ["id"]}
FEWEST = 200


@pytest.fixture
def system(tmp_path: Path) -> Iterator[Loans]:
    """Return a system whose champion has memorized its training rows by income and age.

    Comparisons draw as few resamples as for a large dataset, because scikit-learn needs 10 ms for each of them.
    """
    system = Loans.at(tmp_path)
    system.write(loans())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        patch.setattr(paired, "_MOST", FEWEST)
        yield system
    mlflow.end_run()


def truly(number: str, label: str) -> float:
    """Return a version's true AUC, measured on rows that no version was trained on."""
    frame, model = loans(20_000, seed=2), registry.load(registry.version("loans", number).uri)
    chances = model.classifier().predict_proba(frame[[column.name for column in model.columns()]])  # type: ignore[union-attr]
    return score("auc_roc", frame[label].to_numpy(float), Predictions(chances.argmax(axis=1), chances[:, 1]))


CHANGES: list[dict[str, Any]] = [
    {"dataset": {"features": ["income", "age", "debt"]}},
    {"dataset": {"features": ["income", "age", "debt"], "timestamp": "at"}},
    {"dataset": {"features": ["income", "age", "debt"], "label": "very_late"}},
    {"dataset": {"features": ["income", "age", "debt"]}, "split": {"seed": 7}},
    {"dataset": {"features": ["income", "age", "debt"]}, "split": {"seed": 7, "fraction": 0.3}},
]


@pytest.mark.parametrize("first", [{}, {"split": KEY}], ids=["no key", "key"])
@pytest.mark.parametrize("change", CHANGES, ids=["feature", "timestamp", "label", "seed", "fraction"])
def test_champion_is_not_evaluated_on_its_training_rows(
    system: Loans, first: dict[str, Any], change: dict[str, Any]
) -> None:
    """Training rows are excluded because they would flatter the champion."""
    frame = loans().assign(at=pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(3000), unit="min"))
    system.write(frame)
    system.changed(**first).train(**FOREST)
    learned = set(system.changed(**first).data().train["income"])

    later = system.changed(**first).changed(**change, validation=[{**BETTER, "confidence": 0}])
    came = later.train(**FOREST)

    line = later.gate("2")
    unseen = ~later.data().held_out["income"].isin(learned)
    assert line["rows"] == unseen.sum()
    assert line["rows"] + line["left_out"] == len(unseen)
    label = later.workload["pipeline"]["data"]["loans"]["label"]
    assert line["other"] == pytest.approx(truly("1", label), abs=0.1)
    assert truly("2", label) > truly("1", label) + 0.1
    assert came == "'champion' of loans is now version 2"


def test_key_keeps_the_same_rows_held_out(system: Loans) -> None:
    """Without a key, a new feature changes the split, leaving only a fifth of the rows to compare on."""
    wider = {"dataset": {"features": ["income", "age", "debt"]}}
    with_key = system.changed(split=KEY)

    assert set(with_key.data().held_out["id"]) == set(with_key.changed(**wider).data().held_out["id"])
    kept_out = set(system.data().held_out["id"]) & set(system.changed(**wider).data().held_out["id"])
    assert 0 < len(kept_out) < 200


def test_rows_with_one_key_stay_on_one_side(system: Loans) -> None:
    frame = loans().assign(customer=np.arange(3000) // 10)
    system.write(frame)

    data = system.changed(split={"key": ["customer"]}).data()

    assert not set(data.train["income"]) & set(data.held_out["income"])
    sides = [set(frame[frame["income"].isin(part["income"])]["customer"]) for part in (data.train, data.held_out)]
    assert not sides[0] & sides[1]
    assert len(sides[1]) == 60
    with pytest.raises(Refusal, match="split is by 'client', which the inputs loans do not have"):
        system.changed(split={"key": ["client"]}).data()


def test_key_is_not_a_feature(system: Loans) -> None:
    """If no features are declared, every column without another role, such as a key, is a feature."""
    data = system.changed(split=KEY, dataset={"features": []}).data()

    assert "id" not in data.features


def test_too_few_rows_allow_no_comparison(system: Loans) -> None:
    """There is no comparison if the champion was trained on nearly all of the held-out rows."""
    system.changed(split={**KEY, "fraction": 0.01}).train(**FOREST)

    came = system.changed(split={**KEY, "seed": 7}, dataset={"features": ["income", "age", "debt"]}).train(**FOREST)

    assert "champion (version 1) was trained on all but" in came
    assert "of the 600 rows, but 30 are needed" in came
    assert system.champion() == "1"


def test_champion_without_row_marks_is_not_compared(system: Loans) -> None:
    """A champion trained elsewhere is not compared, because it may have seen every row."""
    system.train(**FOREST)
    version = registry.version("loans", "1")
    with mlflow.start_run() as run:
        registry.tag(version, {ROWS_TAG: run.info.run_id})

    assert "nothing was stored about the training rows of champion (version 1)" in system.train(**FOREST)


def test_rows_that_all_look_new_need_a_key(system: Loans) -> None:
    """Converting a column to cents makes all rows look new to the champion, unless a key identifies them."""
    keyed = system.changed(split=KEY)
    for variant, number in ((system, "2"), (keyed, "4")):
        variant.write(loans())
        variant.train(**FOREST)
        registry.set_alias("loans", "champion", str(int(number) - 1))
        variant.write(loans().assign(income=lambda rows: rows["income"] * 100))
        variant.train(**FOREST)

    assert "no row that champion (version 1) was trained on is in the data" in system.gate("2")["why"]
    assert keyed.gate("4")["rows"] == 600


def test_rows_after_a_time_split_count_as_new(system: Loans) -> None:
    """A later row counts as new even if the champion was trained on older rows with the same key."""
    at = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(3000), unit="min")
    frame = loans().assign(at=at, customer=np.arange(3000) % 50)
    timed = system.changed(split={"by": "time", "key": ["customer"]}, dataset={"timestamp": "at"})
    timed.write(frame[:2000])
    timed.train(**FOREST)
    timed.write(frame)

    timed.changed(dataset={"features": ["income", "age", "debt"]}).train(**FOREST)

    assert timed.gate("2")["rows"] == 600


def test_row_marks_are_small_and_have_no_false_negatives(tmp_path: Path) -> None:
    """Row marks take two bytes per row and mistake fewer than 1 in 1000 unseen rows for seen ones."""
    rows = pd.DataFrame({"id": np.arange(4_000_000) * 7919})
    identity = Identity.of(rows, ["id"], declared=True)
    learned = rows["id"] % 2 == 0
    marks = Seen.of(identity, identity.hashes(rows[learned]))
    marks.write(tmp_path / "rows.parquet")

    again = Seen.read(tmp_path / "rows.parquet")

    unseen = again.unseen(rows)
    assert not unseen[learned].any()
    assert (~unseen[~learned]).mean() < 1 / 1000
    assert (tmp_path / "rows.parquet").stat().st_size < 2.2 * learned.sum()


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ([1, 2, 3], [1.0, 2.0, 3.0]),
        ([0.0, 1.0, float("nan")], [-0.0, 1.0, float("inf")]),
        (["a", None, "c"], pd.Categorical(["a", None, "c"])),
        (
            pd.to_datetime(["2026-01-01", "2026-01-02", None], utc=True),
            ["2026-01-01", "2026-01-02T01:00:00+01:00", None],
        ),
    ],
)
def test_rows_are_recognized_by_value_whatever_their_type(then: Any, now: Any) -> None:
    first, second = pd.DataFrame({"key": then}), pd.DataFrame({"key": now})
    identity = Identity.of(first, ["key"], declared=True)

    assert list(identity.hashes(first)) == list(identity.hashes(second))


def test_key_of_another_type_is_refused_with_a_reason() -> None:
    """Keys of another type are rejected.

    The string "12" doesn't match the number 12, so every row would look new.
    """
    numbers = pd.DataFrame({"id": [1, 2]})
    identity = Identity.of(numbers, ["id"], declared=True)

    with pytest.raises(Refusal, match="'id', which identifies its rows, contained a number and now contains a text"):
        identity.hashes(pd.DataFrame({"id": ["1", "2"]}))


def test_version_names_the_location_of_its_row_marks(system: Loans) -> None:
    system.changed(split=KEY).train(**FOREST)

    marks = stored(registry.version("loans", "1").tags[ROWS_TAG])

    assert marks is not None
    assert marks.identity.columns == ("id",)
    assert len(marks.marks) == 2400


@pytest.mark.parametrize(
    "change",
    [{"dataset": {"features": ["income", "debt"]}}, {"dataset": {"features": ["income", "years", "debt"]}}],
    ids=["dropped", "renamed"],
)
def test_champion_uses_features_that_the_new_version_lacks(system: Loans, change: dict[str, Any]) -> None:
    """The champion can be compared if the data keeps its old column alongside the renamed one."""
    frame = loans().assign(
        age=lambda rows: (rows["age"] * 10).round().astype(int), years=lambda rows: rows["age"] * 1.0
    )
    system.write(frame)
    keyed = system.changed(split=KEY)
    keyed.train(**FOREST)

    assert keyed.changed(**change).train(**FOREST) == "'champion' of loans is now version 2"
    assert keyed.gate("2")["other"] > 0.6


def test_champion_with_a_removed_column_is_reported_with_a_remedy(system: Loans) -> None:
    """If the champion needs a removed column, the new version is still registered and the run succeeds."""
    keyed = system.changed(split=KEY)
    keyed.train(**FOREST)
    system.write(loans().rename(columns={"age": "years"}))

    came = keyed.changed(dataset={"features": ["income", "years", "debt"]}).train(**FOREST)

    assert came.startswith("version 2 of loans is kept, but it fails the gate: better: auc_roc cannot be compared: ")
    assert "needs the column 'age', which the data no longer has; keep it next to the new one" in came
    assert registry.version("loans", "2").tags["modelyard.gate"] == "refused"


def test_identical_version_is_promoted_only_if_the_spec_allows_it(system: Loans) -> None:
    """A version that is better only by chance is not promoted. The gate records the confidence interval."""
    keyed = system.changed(split=KEY)
    keyed.train(**FOREST)

    assert "needed more than 0" in keyed.train(**FOREST)
    assert "needed more than 0" in keyed.train(**{**FOREST, "random_state": 1})
    same, noise = keyed.gate("2"), keyed.gate("3")
    assert (same["low"], same["gained"], same["high"], same["confidence"]) == (0, 0, 0, 0.95)
    assert noise["low"] < noise["gained"] < noise["high"]
    alone = keyed.changed(validation=[{**BETTER, "confidence": 0}])
    assert alone.train(**FOREST) == "'champion' of loans is now version 4"
    no_worse = keyed.changed(validation=[{**BETTER, "minDelta": -0.05}])
    assert no_worse.train(**FOREST) == "'champion' of loans is now version 5"


def test_slices_may_use_columns_that_are_not_features(system: Loans) -> None:
    """Countries with few rows are grouped, and `maxDifference` bounds the metric difference between groups."""
    by = {"metric": "auc_roc", "by": "country", "minRows": 90}
    lines = [{"name": "each", "min": 0.5, **by}, {"name": "fair", "maxDifference": 0.0, **by}]

    came = system.changed(split=KEY, validation=lines).train(**FOREST)

    each = system.gate("1")["slices"]
    assert set(each) == {"ch", "de", "(others)"}
    assert each["(others)"]["value"] is None
    assert sum(group["rows"] for group in each.values()) == 600
    assert "fair: auc_roc by country is between" in came
    assert "each:" not in came


class HalfSure:
    """A user's wrapper around a loaded version."""

    def predict(self, rows: pd.DataFrame) -> Any:
        """Return probabilities of the positive class."""
        return np.array([0.3, 0.1])


def test_threshold_is_stored_with_the_version(system: Loans) -> None:
    """A version's stored threshold applies wherever the version is loaded.

    A champion is compared at its own threshold.
    """
    careful = system.changed(
        split=KEY, model={"threshold": 0.2}, validation=[{"name": "r", "metric": "recall", "min": 0}]
    )
    careful.train(**FOREST)
    system.changed(split=KEY, validation=[{**BETTER, "metric": "recall"}]).train(**FOREST)

    loaded = registry.load(registry.version("loans", "1").uri)
    predicted = answer(loaded, "binary-classification", loans()[["income", "age"]])
    assert predicted.scores is not None
    assert list(predicted.values) == list((predicted.scores >= 0.2).astype(int))
    half = choosing_by(HalfSure(), loaded.threshold())
    assert list(answer(half, "binary-classification", loans(2)).values) == [1, 0]
    assert choosing_by(HalfSure(), None).__class__ is HalfSure
    assert careful.gate("1")["value"] == system.gate("2")["other"] > system.gate("2")["value"] + 0.1


def test_threshold_without_probabilities_is_refused(system: Loans) -> None:
    import mlflow.pyfunc

    class ClassesOnly(mlflow.pyfunc.PythonModel):  # type: ignore[name-defined,misc]
        """A model without probabilities."""

        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            """Return a class for each row."""
            return (model_input["income"] > 0).astype(int).to_numpy()

    careful = system.changed(model={"threshold": 0.2})

    with pytest.raises(Refusal, match="needs probabilities, but this model only returns classes"):
        finish(
            record(PipelineWorkload, careful.workload), "learn", Trained(ClassesOnly(), {}, {}), careful.data(), "run"
        )
    mlflow.end_run()
    with mlflow.start_run():
        logged = mlflow.pyfunc.log_model(name="model", python_model=ClassesOnly()).model_uri
    with pytest.raises(Refusal, match=r"log it with metadata=\{'modelyard.threshold': 0.2\}"):
        finish(record(PipelineWorkload, careful.workload), "learn", Trained(logged, {}, {}), careful.data(), "run")
