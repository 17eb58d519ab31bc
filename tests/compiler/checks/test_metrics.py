"""The tables of metrics: they agree with each other, and with what the runtime computes."""

from __future__ import annotations

from modelyard.checks.metrics import BUILT_IN, BY_MONITOR, BY_TASK, SMALLER_IS_BETTER


def test_tables_of_metrics_agree() -> None:
    assert SMALLER_IS_BETTER < BUILT_IN
    assert set(BY_MONITOR["prediction-quality"]) == BUILT_IN
    assert set(BY_TASK) == {
        "binary-classification",
        "multiclass-classification",
        "regression",
        "forecasting",
        "ranking",
        "recommendation",
    }


def test_the_runtime_computes_what_the_rules_allow() -> None:
    """The metrics of each task are those that training reports."""
    from modelyard_runtime.scores import SMALLER_IS_BETTER as IN_THE_RUNTIME
    from modelyard_runtime.scores import known_metrics

    assert {task: set(known_metrics(task)) for task in BY_TASK} == {task: set(BY_TASK[task]) for task in BY_TASK}
    assert IN_THE_RUNTIME - {"page_hinkley"} == SMALLER_IS_BETTER
