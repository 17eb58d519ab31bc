"""Tests that training on data unavailable in production is reported, as is scoring without all features."""

from __future__ import annotations

import pytest

from tests.compiler.checks.checked_specs import codes_in, places_in, where
from tests.specs import changed

FEATURES = "features: [amount, merchant]\n    label: is_fraud\n"
JOINED = (
    "    inputs: [transactions]\n    compute: train\n    workers",
    "    inputs: [transactions, chargebacks]\n    compute: train\n    workers",
)
LATE = "chargebacks: {store: lake, path: chargebacks/, format: parquet, label: is_fraud, delay: 45d,"
SCORED = "    model: fraud-xgb@champion\n    inputs: [transactions]\n"
GATE = "metric: auc_pr, min: 0.82}"


def test_a_label_of_a_joined_input_as_feature_is_reported() -> None:
    """A feature that is also a label in the same pipeline is reported, for both built-in trainers and user code."""
    leaking = (FEATURES, "features: [amount, is_fraud]\n")
    spec = changed(*leaking, JOINED)
    own = spec.replace("    timeout: 6h\n", '    timeout: 6h\n    source: {entrypoint: "fraud.train:main"}\n')
    apart = changed(FEATURES, "features: [amount]\n", JOINED)

    assert where(spec, "is_fraud]", "E0820") in places_in(spec)
    assert "E0820" in codes_in(own)
    assert "E0820" not in codes_in(apart)
    assert "E0820" not in codes_in(changed(*leaking))


def test_features_that_arrive_with_the_labels_are_reported() -> None:
    """If a dataset has both features and late labels, its delay only applies to the labels."""
    late = changed(
        FEATURES,
        "features: [amount, merchant]\n",
        JOINED,
        (LATE, LATE.replace("label:", "features: [reason], label:")),
        ("{transaction_id: string,", "{transaction_id: string, reason: string,"),
    )
    alone = changed("    timestamp: event_time\n", "    timestamp: event_time\n    delay: 45d\n")

    assert codes_in(late) == ["W0821", "E0827"]  # the scoring input lacks the column
    assert codes_in(late.replace("delay: 45d, ", "")) == ["E0827"]
    assert codes_in(alone) == []


def test_a_random_split_of_a_forecast_is_reported() -> None:
    """A forecast must not split its data at random, whether by declaration or by default."""
    task = "task: binary-classification", "task: forecasting"
    rest = (
        (GATE, "metric: wape, max: 0.3}"),
        ("{metric: auc_pr, versus", "{metric: wape, versus"),
        ("{metric: auc_pr, goal: maximize}", "{metric: wape, goal: minimize}"),
        ("{auc_pr: {min: 0.8}}", "{wape: {max: 0.4}}"),
    )
    split = "    split: {fraction: 20%, by: time}\n"

    assert codes_in(changed(*task, *rest)) == []
    assert codes_in(changed(*task, *rest, (split, "    split: {fraction: 20%, by: random}\n"))) == ["E0822"]
    assert codes_in(changed(*task, *rest, (split, ""))) == ["E0822"]
    assert codes_in(changed(split, "")) == ["W0894"]  # not a forecast, and rows without a key
    own = ("    timeout: 6h\n", '    timeout: 6h\n    source: {entrypoint: "a.b:c"}\n')
    assert codes_in(changed(*task, *rest, (split, ""), own)) == []


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        ("transactions", ["E0823"]),
        ("part", ["E0823"]),
        ("chargebacks", []),
    ],
)
def test_a_gate_on_training_data_is_reported(data: str, codes: list[str]) -> None:
    """A gate must not evaluate on the training dataset, or on another dataset with the same files."""
    part = "  part: {store: lake, path: transactions/year=2026, format: parquet, classification: pii}\n"
    spec = changed(GATE, f"metric: auc_pr, min: 0.82, data: {data}}}", ("  scores: {store", f"{part}  scores: {{store"))

    assert [code for code in codes_in(spec) if code != "W0412"] == codes


def test_two_labels_for_a_built_in_trainer_are_reported() -> None:
    """A built-in trainer accepts only one label. User code may use several."""
    spec = changed(*JOINED)

    assert codes_in(spec) == ["E0824"]
    assert codes_in(spec.replace("    timeout: 6h\n", '    timeout: 6h\n    source: {entrypoint: "a.b:c"}\n')) == []


def test_a_timestamp_among_the_features_is_reported() -> None:
    spec = changed("features: [amount, merchant]", "features: [amount, event_time]")

    assert places_in(spec) == [where(spec, "event_time]", "E0825")]
    assert codes_in(changed("event_time: timestamp", "event_time: string")) == []


@pytest.mark.parametrize(
    ("schema", "codes"),
    [
        ("{amount: number}", ["E0827"]),
        ("{amount: number, merchant: integer}", ["E0828"]),
        ("{amount: string, merchant: integer}", ["E0828", "E0828"]),
        ("{amount: integer, merchant: string}", []),
        ("{amount: number, merchant: string, more: boolean}", []),
    ],
)
def test_missing_features_and_wrong_types_in_scored_data_are_reported(schema: str, codes: list[str]) -> None:
    """Each feature must have the right type, where integers count as numbers. Extra columns are accepted."""
    today = f"  today: {{store: lake, path: today, format: parquet, schema: {schema}, classification: pii}}\n"
    reading = (SCORED, SCORED.replace("transactions", "today"))

    assert codes_in(changed("  scores: {store", f"{today}  scores: {{store", reading)) == codes
    assert (
        codes_in(
            changed(
                "    features: [amount, merchant]\n", "", ("  scores: {store", f"{today}  scores: {{store"), reading
            )
        )
        == codes
    )


def test_data_without_a_schema_is_not_reported() -> None:
    today = "  today: {store: lake, path: today, format: parquet, classification: pii}\n"
    reading = (SCORED, SCORED.replace("transactions", "today"))

    assert codes_in(changed("  scores: {store", f"{today}  scores: {{store", reading)) == []


def test_scoring_inputs_without_all_features_are_reported() -> None:
    """Unlike training, scoring doesn't join its input datasets, so each of them needs all features."""
    extra = "  weather: {store: lake, path: weather, format: parquet, features: [rain], classification: public}\n"
    replacement = JOINED[0], JOINED[0].replace("[transactions]", "[transactions, weather]")
    spec = changed(
        "  scores: {store",
        f"{extra}  scores: {{store",
        replacement,
        (SCORED, SCORED.replace("[transactions]", "[transactions, weather]")),
    )

    assert codes_in(spec) == ["E0826"]
    assert (
        codes_in(spec.replace("    output: scores\n", '    output: scores\n    source: {entrypoint: "a.b:C"}\n')) == []
    )
    assert codes_in(spec.replace("features: [rain], ", "")) == []


@pytest.mark.parametrize(
    ("features", "codes"), [("[amount]", ["W0829"]), ("[merchant, amount]", []), ("[amount, merchant, more]", [])]
)
def test_features_may_be_declared_by_the_scored_dataset(features: str, codes: list[str]) -> None:
    today = f"  today: {{store: lake, path: today, format: parquet, features: {features}, classification: pii}}\n"
    reading = (SCORED, SCORED.replace("transactions", "today"))

    assert codes_in(changed("  scores: {store", f"{today}  scores: {{store", reading)) == codes
