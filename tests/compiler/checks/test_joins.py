"""Tests that monitors match labels to predictions by a declared key, or by columns known to be in both."""

from __future__ import annotations

import pytest

from tests.compiler.checks.checked_specs import codes_in, places_in, where
from tests.specs import changed

SCORES = "classification: internal, timestamp: event_time}"
WITH_SCHEMA = (
    "classification: internal, timestamp: event_time,\n           schema: {%s: string, event_time: timestamp}}"
)
LABELS = "schema: {transaction_id: string, is_fraud: boolean}}"
OF_BATCH = ("watch: inference.scorer\n    labels: chargebacks\n", "watch: pipelines.nightly\n    labels: chargebacks\n")
NO_ROLLBACK = ("rollback: true, cooldown: 7d", "run: pipelines.retrain, cooldown: 7d")
CAPTURE = "capture: {sample: 20%, store: lake}"


@pytest.mark.parametrize(
    ("scores", "key", "codes"),
    [
        (SCORES, "", ["W0916"]),
        (SCORES, "    key: [transaction_id]\n", []),
        (WITH_SCHEMA % "transaction_id", "", []),
        (WITH_SCHEMA % "amount", "", ["E0915"]),
        (WITH_SCHEMA % "is_fraud", "", ["E0915"]),
    ],
)
def test_labels_of_batch_scores_need_a_key_or_common_columns(scores: str, key: str, codes: list[str]) -> None:
    """Labels are matched by the key, or by a common column that is neither the label nor the timestamp."""
    watch = (OF_BATCH[0], OF_BATCH[1] + key)

    assert codes_in(changed(SCORES, scores, watch, NO_ROLLBACK)) == codes


def test_labels_without_a_schema_need_a_key() -> None:
    """A missing key is reported at the monitor. Declaring one is enough, since captures then include its columns."""
    spec = changed(",\n                " + LABELS, "}")
    keyed = spec.replace("    labels: chargebacks\n", "    labels: chargebacks\n    key: [transaction_id]\n")

    assert places_in(spec) == [where(spec, "quality:\n", "W0891")]
    assert codes_in(keyed) == []


@pytest.mark.parametrize(
    ("capture", "codes"),
    [
        ("capture: {sample: 20%, store: lake, keys: [payment]}", ["E0915"]),
        ("capture: {sample: 20%, store: lake, keys: []}", ["E0915"]),
        ("capture: {sample: 20%, store: lake, keys: [transaction_id]}", []),
        ("capture: {sample: 20%, store: lake, keys: [transaction_id], redact: [transaction_id]}", ["E0915"]),
        (CAPTURE, []),
    ],
)
def test_captures_must_contain_the_key_of_labels(capture: str, codes: list[str]) -> None:
    """Whether captures contain the labels' key is only known if built-in code trains on declared features."""
    own = '    source: {entrypoint: "fraud.train:main"}\n'
    built_in = (own, "    parameters: {device: cuda}\n")

    assert codes_in(changed(CAPTURE, capture, built_in)) == codes


def test_inputs_of_user_code_are_unknown() -> None:
    """User code may train on columns not listed in the spec, so the columns in its captures are unknown."""
    assert codes_in(changed(CAPTURE, "capture: {sample: 20%, store: lake, keys: [payment]}")) == []


def test_labels_may_be_matched_by_a_model_input() -> None:
    spec = changed(
        CAPTURE,
        "capture: {sample: 20%, store: lake, keys: []}",
        ('    source: {entrypoint: "fraud.train:main"}\n', "    parameters: {device: cuda}\n"),
        ("schema: {transaction_id: string,", "schema: {merchant: string,"),
    )

    assert codes_in(spec) == []
