"""What identifies a row, where versions are compared."""

from __future__ import annotations

import pytest

from tests.compiler.checks.asked import codes_in
from tests.specs import changed

BY_TIME = "split: {fraction: 20%, by: time}"


@pytest.mark.parametrize(
    ("split", "codes"),
    [
        (BY_TIME, []),
        ("split: {fraction: 20%}", ["W0870"]),
        ("split: {key: [merchant]}", []),
        ("split: {by: time, key: [merchant]}", []),
        ("split: {key: [merchant, shop]}", ["E0430"]),
    ],
)
def test_a_split_says_which_row_is_which(split: str, codes: list[str]) -> None:
    """A random one without a key is pointed out; a key is a column of the training data."""
    assert codes_in(changed(BY_TIME, split)) == codes


def test_the_group_of_a_dataset_is_a_key() -> None:
    text = changed(BY_TIME, "split: {fraction: 20%}").replace(
        "label: is_fraud\n", "label: is_fraud\n    group: merchant\n", 1
    )

    assert "W0870" not in codes_in(text)


def test_without_a_comparison_no_key_is_asked_for() -> None:
    text = changed(BY_TIME, "split: {fraction: 20%}")

    assert (
        codes_in(text.replace("      beats-champion: {metric: auc_pr, versus: champion, minDelta: 0.01}\n", "")) == []
    )
