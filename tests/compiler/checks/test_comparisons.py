"""Tests that comparing model versions requires a key that identifies the rows of training data."""

from __future__ import annotations

import pytest

from tests.compiler.checks.checked_specs import codes_in
from tests.specs import changed

BY_TIME = "split: {fraction: 20%, by: time}"


@pytest.mark.parametrize(
    ("split", "codes"),
    [
        (BY_TIME, []),
        ("split: {fraction: 20%}", ["W0894"]),
        ("split: {key: [merchant]}", []),
        ("split: {by: time, key: [merchant]}", []),
        ("split: {key: [merchant, shop]}", ["E0430"]),
    ],
)
def test_a_random_split_needs_a_key(split: str, codes: list[str]) -> None:
    """A random split without a key is reported, as is a key that isn't a column of the training data."""
    assert codes_in(changed(BY_TIME, split)) == codes


def test_the_group_of_a_dataset_is_accepted_as_key() -> None:
    text = changed(BY_TIME, "split: {fraction: 20%}").replace(
        "label: is_fraud\n", "label: is_fraud\n    group: merchant\n", 1
    )

    assert "W0894" not in codes_in(text)


def test_no_key_is_required_without_a_comparison() -> None:
    text = changed(BY_TIME, "split: {fraction: 20%}")

    assert (
        codes_in(text.replace("      beats-champion: {metric: auc_pr, versus: champion, minDelta: 0.01}\n", "")) == []
    )


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("{metric: recall, by: merchant, min: 0.5}", []),
        ("{metric: recall, by: merchant, maxDifference: 0.1, minRows: 500}", []),
        ("{metric: recall, by: shop, min: 0.5}", ["E0430"]),
        ("{metric: recall, by: merchant, versus: champion}", ["E0895"]),
        ("{metric: recall, by: merchant}", ["E0316"]),
    ],
)
def test_slices_need_a_column_and_sensible_limits(line: str, codes: list[str]) -> None:
    """Gates on slices need a training data column and a limit, and can't compare slices with the champion."""
    text = changed(
        "      auc-pr: {metric: auc_pr, min: 0.82}\n",
        f"      auc-pr: {{metric: auc_pr, min: 0.82}}\n      sliced: {line}\n",
    )

    assert codes_in(text) == codes


@pytest.mark.parametrize(("task", "codes"), [("binary-classification", []), ("multiclass-classification", ["E0896"])])
def test_a_threshold_is_only_for_binary_classification(task: str, codes: list[str]) -> None:
    rest = (
        ()
        if not codes
        else (
            ("{metric: auc_pr, min: 0.82}", "{metric: f1, min: 0.82}"),
            ("{metric: auc_pr, versus", "{metric: f1, versus"),
            ("{metric: auc_pr, goal: maximize}", "{metric: f1, goal: maximize}"),
            ("{auc_pr: {min: 0.8}}", "{f1: {min: 0.8}}"),
        )
    )
    text = changed("    task: binary-classification\n", f"    task: {task}\n    threshold: 0.3\n", *rest)

    assert codes_in(text) == codes
