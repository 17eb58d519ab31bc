"""Tests that metric bounds are reported if they're never or always met, or if the runtime would refuse them."""

from __future__ import annotations

from itertools import product

import pytest

from modelyard.capabilities import metrics_of, table
from modelyard.diagnostics.check.metrics import bound_out_of_reach
from modelyard.source import Span
from modelyard_runtime.promotion.gate import check_gate
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.description import Json
from modelyard_runtime.workload.records import Pipeline
from tests.compiler.checks.checked_specs import codes_in
from tests.runtime.described import record
from tests.specs import changed

GATE = "metric: auc_pr, min: 0.82}"
CHECK = "psi: {max: 0.2}"
TASKS = sorted({task for metric in table()["metrics"].values() for task in metric["tasks"]})
BUILT_IN = sorted({metric for task in TASKS for metric in metrics_of(task)})
OWN = ("    timeout: 6h\n", '    timeout: 6h\n    source: {entrypoint: "fraud.train:main"}\n')


@pytest.mark.parametrize(
    ("bounds", "codes"),
    [
        ("metric: auc_pr, min: 82}", ["E0488"]),
        ("metric: auc_pr, max: -0.5}", ["W0448", "E0816"]),
        ("metric: log_loss, max: -0.1}", ["E0816"]),
        ("metric: accuracy, min: 0.5, max: 2}", ["E0816"]),
        ("metric: auc_pr, min: 0}", ["W0817", "W0935"]),
        ("metric: brier, max: 1}", ["W0817"]),
        ("metric: brier, min: 0, max: 0.2}", []),
        ("metric: auc_pr, min: 0.999}", []),
    ],
)
def test_impossible_bounds_of_gates_are_reported(bounds: str, codes: list[str]) -> None:
    """Bounds that are never or always met are reported, whereas the nearest meaningful values are accepted."""
    assert codes_in(changed(GATE, bounds)) == codes
    assert codes_in(changed(GATE, bounds, OWN)) == codes  # user code does not change a built-in metric


@pytest.mark.parametrize(
    ("bound", "hint"),
    [
        (82, "write 0.82 for 82%"),
        (87.5, "write 0.875 for 87.5%"),
        (5, "write 0.05 for 5%"),
        (1.75, "use a value up to 1"),
        (2, "use a value up to 1"),
        (8.2, "use a value up to 1"),
        (820, "use a value up to 1"),
    ],
)
def test_only_a_bound_that_looks_like_a_percentage_is_read_as_one(bound: float, hint: str) -> None:
    assert bound_out_of_reach(Span("system.yaml", 1, 1, 1), "auc_roc", bound).hint == hint


@pytest.mark.parametrize(
    ("kind", "checks", "codes"),
    [
        ("data-drift", "psi: {max: 20}", ["E0816"]),
        ("data-drift", "ks: {max: 1.5}", ["E0816"]),
        ("data-drift", "missing: {max: 1}", ["W0817"]),
        ("data-drift", "chi2: {max: 20}", []),
        ("performance", "error_rate: {max: 5}", ["E0816"]),
        ("performance", "p99_ms: {max: 0.05}", ["W0818"]),
        ("performance", "p99_ms: {max: 50}", []),
        ("performance", "throughput_rps: {min: 0.5}", []),
    ],
)
def test_impossible_bounds_of_monitors_are_reported(kind: str, checks: str, codes: list[str]) -> None:
    """Typical mistakes are reported: percentages instead of fractions, and seconds instead of milliseconds."""
    spec = changed("type: data-drift", f"type: {kind}", (CHECK, checks))
    if kind == "performance":
        spec = spec.replace(", psi-amount: {metric: psi, max: 0.1, features: [amount], severity: ticket}", "")
        spec = spec.replace("    reference: {data: transactions, window: 30d}\n", "")

    assert codes_in(spec) == codes


def test_relative_errors_are_fractions() -> None:
    """Relative errors such as MAPE are fractions, so a bound of 15 would mean 1500%."""
    regression = ("task: binary-classification", "task: regression")
    rest = (
        ("beats-champion: {metric: auc_pr", "beats-champion: {metric: mape"),
        ("{auc_pr: {min: 0.8}}", "{mape: {max: 1}}"),
    )
    tuned = ("{metric: auc_pr, goal: maximize}", "{metric: mape, goal: minimize}")

    def gate(bound: str) -> str:
        return changed(GATE, f"metric: mape, max: {bound}}}", regression, *rest, tuned)

    assert codes_in(gate("15")) == ["W0818", "W0935"]
    assert codes_in(gate("0.15")) == []


@pytest.mark.parametrize(("task", "own"), list(product(TASKS, [False, True])))
def test_gates_that_the_runtime_would_reject_are_reported(task: str, own: bool) -> None:
    """The compiler refuses gates that a training run would only refuse once its machines have started."""
    for metric, against in product([*BUILT_IN, "parity"], ["", "versus", "data"]):
        line: dict[str, Json] = {"metric": metric, "min": 0.5}
        if against:
            line[against] = "transactions"
        refused = _refused(task, own, line)
        assert not refused or _errors(task, own, line), (metric, against)


def _refused(task: str, own: bool, line: dict[str, Json]) -> bool:
    try:
        check_gate(record(Pipeline, {"validation": [{"name": "good", **line}]}), task, own)
    except Refusal:
        return True
    return False


def _errors(task: str, own: bool, line: dict[str, Json]) -> list[str]:
    text = ", ".join(f"{key}: {'champion' if key == 'versus' else value}" for key, value in line.items())
    spec = changed("task: binary-classification", f"task: {task}", (GATE, text + "}"), *([OWN] if own else []))
    return [code for code in codes_in(spec) if code in {"E0435", "E0436", "E0819"}]


@pytest.mark.parametrize(("delta", "codes"), [("5", ["E0849"]), ("1", ["E0849"]), ("0.2", []), ("-0.01", [])])
def test_impossible_differences_are_reported(delta: str, codes: list[str]) -> None:
    assert codes_in(changed("minDelta: 0.01", f"minDelta: {delta}")) == codes
