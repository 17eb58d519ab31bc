"""Tests that the runtime accepts every spec that compiles, because compiling should find all errors."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings

from modelyard.api import compile_text
from modelyard_runtime.capabilities import monitors
from tests.accepted import NotAccepted
from tests.generated import specs
from tests.specs import VALID_SPEC, changed

EXAMPLES = 200


def test_the_runtime_accepts_every_spec_that_compiles() -> None:
    """During compilation, the runtime's own code checks every description (`tests.accepted`)."""
    counts: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, database=None)
    @given(specs())
    def compiles_or_is_refused(text: str) -> None:
        compiled = compile_text(text)
        counts["compiled"] += compiled.ok
        counts.update({diagnostic.code for diagnostic in compiled.diagnostics})

    compiles_or_is_refused()

    assert counts["compiled"] > EXAMPLES // 4
    assert {"E0435", "E0436", "E0465", "E0470"} <= counts.keys()


def test_every_description_is_checked_by_the_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the runtime refused a workload description, compilation would fail."""
    assert compile_text(VALID_SPEC).ok
    monkeypatch.delitem(monitors(), "prediction-quality")

    with pytest.raises(NotAccepted, match=r"monitors.quality: unknown monitor type 'prediction-quality'"):
        compile_text(VALID_SPEC)


def test_a_macro_average_can_be_compared_with_the_champion() -> None:
    """Macro averages are computed for both model versions, with or without user code."""
    several = changed(
        "task: binary-classification",
        "task: multiclass-classification",
        ("{metric: auc_pr, min: 0.82}", "{metric: balanced_accuracy, min: 0.82, data: chargebacks}"),
        ("{metric: auc_pr, versus", "{metric: f1_macro, versus"),
        ("objective: {metric: auc_pr", "objective: {metric: mcc"),
        ("checks: {auc_pr: {min: 0.8}}", "checks: {recall_weighted: {min: 0.8}}"),
    )

    assert [diagnostic.code for diagnostic in compile_text(several).diagnostics if diagnostic.code[0] == "E"] == []


def test_a_monitor_cannot_compare_with_the_naive_forecast() -> None:
    """Only gates can compare with the naive forecast, because monitors don't have the earlier rows it needs."""
    forecast = changed(
        "task: binary-classification",
        "task: forecasting",
        ("{metric: auc_pr, min: 0.82}", "{metric: mase, max: 1}"),
        ("{metric: auc_pr, versus", "{metric: mase, versus"),
        ("objective: {metric: auc_pr, goal: maximize}", "objective: {metric: mase, goal: minimize}"),
        ("checks: {auc_pr: {min: 0.8}}", "checks: {pinball_90: {max: 1}}"),
        ("is_fraud: boolean", "is_fraud: number"),
    )

    assert [diagnostic.code for diagnostic in compile_text(forecast).diagnostics if diagnostic.code[0] == "E"] == []
    watched = forecast.replace("{pinball_90: {max: 1}}", "{mase: {max: 1}}")
    assert [diagnostic.code for diagnostic in compile_text(watched).diagnostics if diagnostic.code[0] == "E"] == [
        "E0465"
    ]


def test_a_search_with_a_built_in_trainer_needs_a_metric_of_the_task() -> None:
    """A built-in trainer must report the search metric, whereas a custom step could report any metric."""
    tuned = "objective: {metric: auc_pr, goal: maximize}"
    steps = (
        "    timeout: 6h\n",
        "    timeout: 6h\n    steps:\n      fit: {trainer: xgboost}\n"
        '      tell: {needs: [fit], source: {entrypoint: "fraud.tell:main"}}\n',
    )
    apart = ("    parameters: {device: cuda}\n", "")

    assert compile_text(changed(tuned, tuned, steps, apart)).ok
    refused = compile_text(changed(tuned, "objective: {metric: parity, goal: maximize}", steps, apart))
    assert [diagnostic.code for diagnostic in refused.diagnostics if diagnostic.code[0] == "E"] == ["E0435"]


def test_each_pipeline_of_a_ranking_model_needs_groups() -> None:
    """Each pipeline of a ranking model needs groups.

    Otherwise, the second pipeline would train for hours and then fail in the evaluation.
    """
    ranked = changed(
        "task: binary-classification",
        "task: recommendation",
        ("framework: xgboost", "framework: custom"),
        ("    label: is_fraud\n", "    label: is_fraud\n    group: merchant_id\n"),
        ("merchant: string", "merchant: string, merchant_id: string"),
        ("    tuning:\n", '    source: {entrypoint: "fraud.train:main"}\n    tuning:\n'),
        ("auc-pr: {metric: auc_pr, min: 0.82}", "auc-pr: {metric: ndcg, min: 0.82}"),
        ("{metric: auc_pr, versus", "{metric: map, versus"),
        ("objective: {metric: auc_pr", "objective: {metric: ndcg"),
        ("checks: {auc_pr: {min: 0.8}}", "checks: {ndcg: {min: 0.8}}"),
        ("chargebacks/, format: parquet,", "chargebacks/, format: parquet, group: merchant_id,"),
        ("{transaction_id: string,", "{transaction_id: string, merchant_id: string,"),
    )
    own = '    source: {entrypoint: "fraud.train:main"}\n    compute: train\n    split: {by: time}'
    other = f"    inputs: [transactions]\n{own}"

    assert [diagnostic.code for diagnostic in compile_text(ranked).diagnostics if diagnostic.code[0] == "E"] == []
    ungrouped = ranked.replace(other, other.replace("transactions", "scores"))
    assert ungrouped != ranked
    codes = {diagnostic.code for diagnostic in compile_text(ungrouped).diagnostics if diagnostic.code[0] == "E"}
    assert "E0462" in codes
