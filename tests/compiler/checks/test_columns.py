"""Tests that columns are reported if they can't serve as a label, timestamp or group."""

from __future__ import annotations

import pytest

from tests.compiler.checks.checked_specs import codes_in, places_in, where
from tests.specs import changed

ON_CPUS = (("    compute: train\n", "    compute: cpu\n"), ("    parameters: {device: cuda}\n", ""))
ROLES = "    label: is_fraud\n    timestamp: event_time\n"


@pytest.mark.parametrize(
    ("roles", "codes"),
    [
        ("label: is_fraud, timestamp: is_fraud", ["E0809"]),
        ("label: is_fraud, group: is_fraud, timestamp: event_time", ["E0809"]),
        ("label: is_fraud, group: event_time, timestamp: event_time", ["E0809"]),
        ("label: is_fraud, group: merchant, timestamp: event_time", ["W0837"]),
        ("label: is_fraud, group: shop, timestamp: event_time", []),
    ],
)
def test_columns_with_conflicting_roles_are_reported(roles: str, codes: list[str]) -> None:
    """The label, timestamp and group must be separate columns, and the group can't be a feature."""
    role_lines = "".join(f"    {role}\n" for role in roles.split(", "))
    spec = changed(ROLES, role_lines, ("is_fraud: boolean}", "is_fraud: boolean, shop: string}"))

    assert codes_in(spec) == codes


@pytest.mark.parametrize(
    ("kind", "trainer", "codes"),
    [
        ("string", "xgboost", ["E0838"]),
        ("timestamp", "lightgbm", ["E0838"]),
        ("string", "lightgbm", []),
        ("integer", "xgboost", []),
        ("boolean", "xgboost", []),
    ],
)
def test_text_labels_are_reported_for_trainers_that_need_numbers(kind: str, trainer: str, codes: list[str]) -> None:
    """XGBoost accepts only numeric labels. LightGBM also accepts strings."""
    spec = changed("is_fraud: boolean", f"is_fraud: {kind}", ("framework: xgboost", f"framework: {trainer}"), *ON_CPUS)

    assert codes_in(spec) == codes


def test_text_labels_are_reported_for_regression() -> None:
    """Built-in regression needs a numeric label, but user code may encode strings as numbers."""
    rest = (
        ("metric: auc_pr, min: 0.82}", "metric: mae, max: 3}"),
        ("{metric: auc_pr, versus", "{metric: mae, versus"),
        ("{metric: auc_pr, goal: maximize}", "{metric: mae, goal: minimize}"),
        ("{auc_pr: {min: 0.8}}", "{mae: {max: 4}}"),
        ("framework: xgboost", "framework: lightgbm"),
        *ON_CPUS,
    )
    spec = changed("task: binary-classification", "task: regression", *rest, ("is_fraud: boolean", "is_fraud: string"))
    own = "    timeout: 6h\n", '    timeout: 6h\n    source: {entrypoint: "a.b:c"}\n'

    assert places_in(spec) == [where(spec, "is_fraud\n    timestamp", "E0838")]
    assert codes_in(spec.replace(*own)) == []
