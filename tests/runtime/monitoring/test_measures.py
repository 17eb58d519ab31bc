"""Tests monitors on real files, including windows that are empty, incomplete, late, or larger than memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from scipy import stats
from sklearn import metrics

from modelyard_runtime.monitoring import quality, tallies
from modelyard_runtime.monitoring.monitor import Result, run_checks
from modelyard_runtime.monitoring.tallies import Distinct, Sample
from modelyard_runtime.workload.records import MonitorWorkload
from tests.runtime.described import record

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RANDOM = np.random.default_rng(3)


def write(folder: Path, name: str, frame: pd.DataFrame) -> None:
    """Write one file of a dataset."""
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(folder / f"{name}.parquet")


def rows(count: int, hours: float = 1.0, **columns: Any) -> pd.DataFrame:
    """Generate rows with timestamps that span the last `hours`."""
    ages = pd.to_timedelta(np.linspace(hours, 0.01, count), unit="h")
    return pd.DataFrame({"at": pd.Timestamp(NOW) - ages, **columns})


def monitor(tmp_path: Path, checks: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Describe a monitor that compares the datasets `now` and `then`, with `labels` that arrive an hour late."""
    timed: dict[str, Any] = {"timestamp": "at"}
    data = {
        "now": timed,
        "then": timed,
        "labels": {"label": "fraud", "delaySeconds": 3600},
    }
    described = {
        name: {"uri": f"file://{tmp_path}/{name}", "format": "parquet", **options} for name, options in data.items()
    }
    named_checks = [{"name": check["metric"], "severity": "page", **check} for check in checks]
    declaration = {
        "type": "data-quality",
        "watch": "data.now",
        "checks": named_checks,
        "windowSeconds": 86400,
        "data": described,
    }
    declaration["threads"] = 3
    return {"monitor": {**declaration, "models": [], "current": {"data": "now"}, "reference": {"data": "then"}, **more}}


def values(measured: tuple[tuple[Result, ...], Any]) -> dict[str, float]:
    """Return the measured values by feature. Asserts that no check was refused."""
    assert not measured[1]
    return {result.feature: result.value for result in measured[0]}


def test_empty_window_is_measured(tmp_path: Path) -> None:
    """For an empty window, only the row count (zero) and the freshness of the newest row are measured."""
    old = rows(50, 80, amount=1.0)
    write(tmp_path / "now", "old", old[old["at"] < pd.Timestamp("2026-11-22", tz="UTC")])
    write(tmp_path / "then", "a", rows(50, amount=1.0))
    checks = [{"metric": metric} for metric in ("rows", "missing", "duplicates", "freshness_s", "out_of_range")]
    checks += [{"metric": "missing", "name": "of-one", "features": ["amount"]}]

    results, refused = run_checks(record(MonitorWorkload, monitor(tmp_path, checks)), NOW)

    measured = {result.check: result.value for result in results}
    newest = pd.read_parquet(tmp_path / "now" / "old.parquet")["at"].max()
    assert not refused
    assert measured["rows"] == 0
    assert measured["freshness_s"] == pytest.approx((NOW - newest).total_seconds())
    assert "missing" not in measured


def test_unmeasurable_check_does_not_affect_others(tmp_path: Path) -> None:
    write(tmp_path / "now", "a", rows(40, amount=1.0))
    checks = [{"metric": "missing", "features": ["gone"]}, {"metric": "rows", "min": 50}]

    results, refused = run_checks(record(MonitorWorkload, monitor(tmp_path, checks)), NOW)

    assert [(result.check, result.breach) for result in results] == [("rows", True)]
    assert "'gone', which the window lacks" in str(refused[0])


def test_window_is_exact_for_all_timestamp_formats(tmp_path: Path) -> None:
    """Strings with UTC offsets, naive times and dates all select the same rows."""
    stamps = pd.Series([NOW - timedelta(hours=age) for age in (1, 5, 23, 25, 49)])
    texts = [f"{stamp.astimezone(tz=None).isoformat()}" for stamp in stamps]
    texts[1] = "2026-11-24T12:00:00+05:00"  # 07:00 in UTC
    write(tmp_path / "now", "a", pd.DataFrame({"at": texts}))
    assert values(run_checks(record(MonitorWorkload, monitor(tmp_path, [{"metric": "rows"}])), NOW)) == {"": 3}
    write(tmp_path / "now", "a", pd.DataFrame({"at": stamps.dt.tz_localize(None)}))
    assert values(run_checks(record(MonitorWorkload, monitor(tmp_path, [{"metric": "rows"}])), NOW)) == {"": 3}
    write(tmp_path / "now", "a", pd.DataFrame({"at": stamps.dt.date}))  # a date means its midnight
    assert values(run_checks(record(MonitorWorkload, monitor(tmp_path, [{"metric": "rows"}])), NOW)) == {"": 2}


def test_drift_is_reported_per_feature_for_all_types(tmp_path: Path) -> None:
    """Decimals are treated as numbers, and booleans as 0 and 1, as in requests."""
    write(
        tmp_path / "then", "a", rows(400, amount=RANDOM.normal(10, 1, 400), new=[True, False] * 200, text=["a"] * 400)
    )
    now = rows(300, amount=RANDOM.normal(13, 1, 300), new=[1.0, 0.0] * 150, text=["a"] * 300)
    decimals = pa.array([round(amount, 2) for amount in now.amount]).cast(pa.decimal128(10, 2), safe=False)
    file = tmp_path / "now" / "a.parquet"
    write(file.parent, "a", now)
    parquet.write_table(parquet.read_table(file).set_column(1, "amount", decimals), file)
    checks = [{"metric": "psi", "max": 0.2}]

    measured = values(run_checks(record(MonitorWorkload, monitor(tmp_path, checks, type="data-drift")), NOW))

    assert measured["amount"] > 1
    assert measured["new"] == pytest.approx(0, abs=1e-6)
    assert measured["text"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("features", [[], ["amount"]])
def test_the_label_drifts_only_in_checks_that_name_it(features: list[str], tmp_path: Path) -> None:
    """Checks without features compare only the model's input columns, even if another check names the label."""
    write(tmp_path / "then", "a", rows(400, amount=RANDOM.normal(10, 1, 400), sold=RANDOM.normal(5, 1, 400)))
    write(tmp_path / "now", "a", rows(300, amount=RANDOM.normal(10, 1, 300), sold=RANDOM.normal(8, 1, 300)))
    checks = [{"metric": "psi", "max": 0.2}, {"metric": "wasserstein", "max": 1, "features": ["sold"]}]
    described = monitor(tmp_path, checks, type="data-drift")
    described["monitor"]["data"]["then"] |= {"label": "sold", "features": features}

    results, refused = run_checks(record(MonitorWorkload, described), NOW)

    assert not refused
    assert {(result.check, result.feature): result.breach for result in results} == {
        ("psi", "amount"): False,
        ("wasserstein", "sold"): True,
    }


def quality_monitor(tmp_path: Path, *names: str, task: str = "binary-classification") -> dict[str, Any]:
    """Describe a monitor of prediction quality."""
    model = {"name": "fraud", "registeredName": "fraud", "uri": "models:/fraud@champion", "task": task}
    checks: list[dict[str, Any]] = [{"metric": name} for name in names]
    return monitor(tmp_path, checks, type="prediction-quality", labels="labels", models=[model])


def predicted(count: int, hours: float = 20.0) -> pd.DataFrame:
    """Generate scored predictions that are all older than the label delay."""
    score = RANDOM.random(count)
    frame = rows(count, hours, id=np.arange(count), prediction=(score > 0.5).astype(int), score=score)
    return frame.assign(at=frame["at"] - pd.Timedelta(hours=1))


def test_corrected_labels_are_joined_once(tmp_path: Path) -> None:
    """A corrected label counts once, using its latest value.

    IDs are strings in one dataset and numbers in the other.
    """
    predictions = predicted(500)
    truth = (predictions.score + RANDOM.normal(0, 0.3, 500) > 0.5).astype(int)
    first = pd.DataFrame({"id": predictions.id.astype(str), "fraud": 1 - truth, "told": pd.Timestamp("2026-11-20")})
    last = first.assign(fraud=truth, told=pd.Timestamp("2026-11-21"))
    write(tmp_path / "now", "a", predictions)
    write(tmp_path / "labels", "b", first)
    write(tmp_path / "labels", "a", last)
    workload = quality_monitor(tmp_path, "auc_roc", "accuracy", "log_loss", "f1", "ks", "recall_macro")
    workload["monitor"]["data"]["labels"]["timestamp"] = "told"

    results, refused = run_checks(record(MonitorWorkload, workload), NOW)

    assert not refused
    measured = {result.check: result.value for result in results}
    assert measured["auc_roc"] == pytest.approx(metrics.roc_auc_score(truth, predictions.score))
    assert measured["accuracy"] == pytest.approx(metrics.accuracy_score(truth, predictions.prediction))
    assert measured["log_loss"] == pytest.approx(metrics.log_loss(truth, predictions.score))
    assert measured["recall_macro"] == pytest.approx(
        metrics.recall_score(truth, predictions.prediction, average="macro")
    )
    apart = stats.ks_2samp(predictions.score[truth == 1], predictions.score[truth == 0]).statistic
    assert measured["ks"] == pytest.approx(apart)  # not the KS distance of a drifted column
    assert measured["f1"] == pytest.approx(metrics.f1_score(truth, predictions.prediction))


def test_labels_of_one_class_or_few_rows_cause_no_breach(tmp_path: Path) -> None:
    """Recall and ranking metrics need positive labels to be defined, and 20 labels are too few for any metric."""
    predictions = predicted(200).assign(prediction=0)
    write(tmp_path / "now", "a", predictions)
    write(tmp_path / "labels", "a", predictions[["id"]].assign(fraud=0))
    names = ("auc_roc", "auc_pr", "recall", "precision", "f1", "accuracy")

    results, refused = run_checks(record(MonitorWorkload, quality_monitor(tmp_path, *names)), NOW)

    assert not refused
    assert [(result.check, result.value) for result in results] == [("accuracy", 1.0)]
    write(tmp_path / "labels", "a", predictions[["id"]].head(20).assign(fraud=0))
    assert run_checks(record(MonitorWorkload, quality_monitor(tmp_path, "accuracy")), NOW) == ((), ())


def test_large_windows_are_judged_by_a_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Predictions and labels are sampled by the same keys, so the result is close to the exact value."""
    monkeypatch.setattr(quality, "_MOST_JUDGED", 4000)
    predictions = predicted(40_000)
    truth = (predictions.score + RANDOM.normal(0, 0.3, len(predictions)) > 0.5).astype(int)
    for part in range(8):
        write(tmp_path / "now", f"{part}", predictions[part::8])
    write(tmp_path / "labels", "a", predictions[["id"]].assign(fraud=truth))

    outcome = run_checks(record(MonitorWorkload, quality_monitor(tmp_path, "auc_roc")), NOW)

    assert values(outcome)[""] == pytest.approx(metrics.roc_auc_score(truth, predictions.score), abs=0.02)


def test_duplicates_are_exact_up_to_a_limit_and_approximate_beyond(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = rows(5000, id=np.arange(5000))
    for part in range(4):
        write(tmp_path / "now", f"{part}", once.iloc[part::4])
    write(tmp_path / "now", "again", once.head(1000))
    workload = monitor(tmp_path, [{"metric": "duplicates"}])
    assert values(run_checks(record(MonitorWorkload, workload), NOW)) == {"": pytest.approx(1 / 6)}

    monkeypatch.setattr(tallies, "_MOST_HASHES", 500)
    assert values(run_checks(record(MonitorWorkload, workload), NOW)) == {"": pytest.approx(1 / 6, abs=0.06)}


def test_merged_samples_use_the_smaller_rate() -> None:
    """A merged sample uses the smaller of the two sample rates."""
    first, second = Distinct(("id",), sample=Sample(100)), Distinct(("id",), sample=Sample(10_000))
    frame = pd.DataFrame({"id": np.arange(4000)})
    for _ in range(2):
        first.add(frame)
        second.add(frame)
    first.share()
    second.merge(first)

    assert second.share() == pytest.approx(0.75)


def test_captures_with_different_columns_form_one_window(tmp_path: Path) -> None:
    """A recently added column is missing from older files. A column whose type changed is compared by value."""
    day = tmp_path / "captures" / "day=2026-11-24" / "variant=live"
    own: Mapping[str, Any] = {"request_id": "r", "prediction": 1, "score": 0.5, "model_version": "1"}
    files: dict[str, dict[str, Any]] = {"a": {"id": [1] * 40}, "b": {"id": ["x"] * 40, "amount": [2.0] * 40}}
    for name, columns in files.items():
        frame = rows(40, **columns).rename(columns={"at": "captured_at"})
        write(day, name, frame.assign(**own))
    workload = monitor(tmp_path, [{"metric": "missing"}], current={"capture": {"uri": f"file://{tmp_path}/captures"}})

    assert values(run_checks(record(MonitorWorkload, workload), NOW)) == {"id": 0.0, "amount": 0.5}


def test_result_does_not_depend_on_the_number_of_threads(tmp_path: Path) -> None:
    """Each thread reads its own files, and the threads' counts are summed."""
    for part in range(7):
        write(tmp_path / "then", f"{part}", rows(500, amount=RANDOM.normal(10, 1, 500)))
        write(tmp_path / "now", f"{part}", rows(300, amount=RANDOM.normal(11, 2, 300)))
    checks = [{"metric": metric} for metric in ("psi", "ks", "js", "wasserstein")]

    many = run_checks(record(MonitorWorkload, monitor(tmp_path, checks, type="data-drift")), NOW)
    single = run_checks(record(MonitorWorkload, monitor(tmp_path, checks, type="data-drift", threads=1)), NOW)

    assert [(each.check, each.feature) for each in many[0]] == [(each.check, each.feature) for each in single[0]]
    assert [each.value for each in many[0]] == pytest.approx([each.value for each in single[0]])


def test_labels_without_their_column_are_refused(tmp_path: Path) -> None:
    """Labels without their label column are refused, even if the watched data has a column of that name."""
    predictions = predicted(100)
    write(tmp_path / "now", "a", predictions)
    write(tmp_path / "labels", "a", predictions[["id"]].assign(scam=1))
    assert "lack column 'fraud'" in str(
        run_checks(record(MonitorWorkload, quality_monitor(tmp_path, "accuracy")), NOW)[1]
    )

    workload = quality_monitor(tmp_path, "accuracy")
    workload["monitor"]["data"]["now"]["label"] = "fraud"
    workload["monitor"]["labels"] = "now"
    assert "no column 'fraud'" in str(run_checks(record(MonitorWorkload, workload), NOW)[1])
    write(tmp_path / "now", "a", predictions.assign(fraud=predictions.prediction))
    assert values(run_checks(record(MonitorWorkload, workload), NOW)) == {"": 1.0}


def test_a_window_without_its_timestamp_is_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path / "now", "a", rows(40, amount=1.0).drop(columns="at"))

    results, refused = run_checks(
        record(MonitorWorkload, monitor(tmp_path, [{"metric": "freshness_s"}, {"metric": "rows"}])), NOW
    )

    assert not results
    assert [str(refusal).partition(" lacks ")[2] for refusal in refused] == ["its timestamp column 'at'"] * 2


def test_text_labels_are_refused_for_regression(tmp_path: Path) -> None:
    predictions = predicted(100)
    write(tmp_path / "now", "a", predictions)
    write(tmp_path / "labels", "a", predictions[["id"]].assign(fraud="n/a"))
    workload = quality_monitor(tmp_path, "rmse")
    workload["monitor"]["models"][0]["task"] = "regression"

    assert "regression needs numbers, but the label 'label' contains 'n/a'" in str(
        run_checks(record(MonitorWorkload, workload), NOW)[1]
    )


def test_labels_of_another_type_are_refused(tmp_path: Path) -> None:
    """Labels of a different type are refused.

    They would never match, so the model would always appear to be wrong.
    """
    predictions = predicted(100)
    write(tmp_path / "now", "a", predictions)
    write(tmp_path / "labels", "a", predictions[["id"]].assign(fraud=predictions.prediction.astype(str)))

    refused = str(run_checks(record(MonitorWorkload, quality_monitor(tmp_path, "accuracy")), NOW)[1])

    assert "labels and predictions have different types, such as '0' and" in refused


def test_missing_predictions_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Predictions without a value are logged, because no metric would reveal them."""
    predictions = predicted(100).astype({"prediction": float})
    predictions.loc[:9, "prediction"] = np.nan
    write(tmp_path / "now", "a", predictions)
    write(tmp_path / "labels", "a", predictions[["id"]].assign(fraud=1))

    run_checks(record(MonitorWorkload, quality_monitor(tmp_path, "accuracy")), NOW)

    assert "10 predictions have no value and are ignored" in caplog.text


def captured_quality(tmp_path: Path, right: Mapping[str, float]) -> dict[str, Any]:
    """Describe an accuracy monitor for captured predictions, given the share of correct ones per variant."""
    truth = []
    for place, (variant, share) in enumerate(right.items()):
        ids = np.arange(100) + 1000 * place
        label = ids % 2
        predictions = np.where(np.arange(100) < 100 * share, label, 1 - label)
        frame = rows(100, 2, id=ids, prediction=predictions).rename(columns={"at": "captured_at"})
        write(tmp_path / f"captures/day=2026-11-24/variant={variant}", "a", frame)
        truth.append(pd.DataFrame({"id": ids, "fraud": label}))
    write(tmp_path / "labels", "a", pd.concat(truth))
    workload = quality_monitor(tmp_path, "accuracy")
    capture = {"capture": {"uri": f"file://{tmp_path}/captures/"}}
    workload["monitor"] |= {"current": capture, "checks": [{"name": "right", "metric": "accuracy", "min": 0.5}]}
    workload["monitor"]["data"]["labels"] |= {"delaySeconds": 0}
    return workload


@pytest.mark.parametrize("right", [{"control": 0.9, "treatment": 0.3}, {"treatment": 0.3}])
def test_a_breach_names_the_variant_that_answered(tmp_path: Path, right: dict[str, float]) -> None:
    """Accuracy is reported per variant, even if only one variant has captures in the window."""
    results, refused = run_checks(record(MonitorWorkload, captured_quality(tmp_path, right)), NOW)

    assert not refused
    assert {result.variant for result in results} == set(right)
    assert [result.variant for result in results if result.breach] == ["treatment"]


@pytest.mark.parametrize("variants", [("control", "treatment"), ("treatment",)])
def test_a_breach_of_prediction_drift_names_the_variant(tmp_path: Path, variants: tuple[str, ...]) -> None:
    """Each variant is compared separately, and the breach names the variant."""
    moved = {"control": 0.0, "treatment": 9.0}
    for variant in variants:
        frame = rows(400, 2, prediction=RANDOM.normal(moved[variant], 1, 400)).rename(columns={"at": "captured_at"})
        write(tmp_path / f"captures/day=2026-11-24/variant={variant}", "a", frame)
    write(tmp_path / "then", "a", rows(400, prediction=RANDOM.normal(0, 1, 400)))
    workload = monitor(tmp_path, [{"metric": "psi", "max": 1.0}], type="prediction-drift")
    workload["monitor"]["current"] = {"capture": {"uri": f"file://{tmp_path}/captures/"}}

    results, refused = run_checks(record(MonitorWorkload, workload), NOW)

    assert not refused
    assert [result.variant for result in results if result.breach] == ["treatment"]
