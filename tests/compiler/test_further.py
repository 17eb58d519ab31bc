"""Tests that one run reports the errors of every stage, except those that merely follow from other errors."""

from __future__ import annotations

import json

import pytest

from modelyard.cli.init import templates
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.base import Severity
from modelyard.edits import Edit, edited
from modelyard.inputs import InputFile, Inputs
from modelyard.pipeline import read, understand
from modelyard.source import Json
from modelyard.source import Path as Place
from modelyard.stages import Outcome, Stage
from modelyard_targets import TARGETS
from tests.examples import Example, every_example
from tests.test_mistakes import RIGHT

NINE = (
    ("framework: xgboost", "framework: xgbost", "E0204"),
    ("metric: auc_pr, min", "metric: auc_rp, min", "E0435"),
    ("inputs: [orders]", "inputs: [ordrs]", "E0301"),
    ("memory: 32Gi", "memory: 320Gi", "E0504"),
    ('cron: "0 3 * * 0"', 'cron: "0 3 * * 7"', "E0444"),
    ("traffic: {champion: 95, candidate: 5}", "trafic: {champion: 95, candidate: 5}", "E0203"),
    ("p99: 100ms", "p99: 100ms, p50: 200ms", "E0458"),
    ("severity: ticket", "severity: tiket", "E0204"),
    ("notify: [alerts]", "notify: [alert]", "E0301"),
)
"""Each item is a correct text in the template `realtime`, its wrong replacement, and the resulting error's code."""


def realtime() -> str:
    """Return a template with one model, pipeline, endpoint and monitor."""
    return templates()["realtime"].read_text(encoding="utf-8").replace("my-system", "shop")


def judged(text: str) -> Outcome:
    """Return all diagnostics for a spec."""
    return understand(Inputs(InputFile("system.yaml", text)), TARGETS)


def errors_of(outcome: Outcome) -> list[Diagnostic]:
    """Return the errors in the reported order."""
    return [diagnostic for diagnostic in outcome.diagnostics if diagnostic.severity is Severity.ERROR]


def test_nine_errors_are_reported_in_one_run() -> None:
    """Four schema errors don't hide two wrong references, three broken rules or an undersized machine."""
    text = realtime()
    for right, wrong, _ in NINE:
        assert right in text
        text = text.replace(right, wrong, 1)

    assert sorted(error.code for error in errors_of(judged(text))) == sorted(code for *_, code in NINE)


@pytest.mark.parametrize(("first", "second"), [(a, b) for a in range(9) for b in range(a)])
def test_two_errors_are_reported_as_if_alone(first: int, second: int) -> None:
    """Neither of two errors hides the other, and together they cause no third."""
    text = realtime()
    for at in (first, second):
        text = text.replace(NINE[at][0], NINE[at][1], 1)

    assert sorted(error.code for error in errors_of(judged(text))) == sorted((NINE[first][2], NINE[second][2]))


# --- examples with one error


def changes(example: Example) -> list[tuple[Place, Edit]]:
    """Return edits of an example that remove, retype or misspell a value, or add a field to a mapping."""
    document = read(example.inputs()).document
    assert document is not None
    edits: list[tuple[Place, Edit]] = []
    for path, value in below(document.value, ()):
        if isinstance(value, dict):
            edits.append(((*path, "zzqx"), Edit(1)))
        elif isinstance(value, str):
            edits += [(path, Edit("zzqqx")), (path, Edit(f"{value[:2]}q{value[2:]}"))]
        edits += [(path, Edit(removes=True)), *([] if isinstance(value, dict) else [(path, Edit({"zz": 1}))])]
    return edits


def below(value: Json, path: Place) -> list[tuple[Place, Json]]:
    """Return every value inside a given value, with its path."""
    values: list[tuple[Place, Json]] = []
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in entries:
        values += [((*path, step), child), *below(child, (*path, step))]
    return values


WHOLE = [example for example in every_example() if str(example) in {"fraud-detection-on-prem", "motor-claims-default"}]


@pytest.mark.parametrize("example", WHOLE, ids=str)
@pytest.mark.parametrize("share", range(4))
def test_one_error_causes_no_further_errors(example: Example, share: int) -> None:
    """A wrong or missing value is reported by one stage, and later stages don't report its consequences."""
    document = read(example.inputs()).document
    assert document is not None
    wrong = 0
    for path, edit in changes(example)[share :: 4 * 7]:
        outcome = judged(json.dumps(edited(document, {path: edit}).value))
        if outcome.failed:
            wrong += 1
            stage, _ = outcome.errors()
            assert [(path, error) for error in errors_of(outcome) if outcome.stages[error] > stage] == []
    assert wrong > 10


# --- checks that cannot run


@pytest.mark.parametrize(
    ("right", "wrong", "waiting"),
    [
        ("kind: MLSystem", "kind: [", list(Stage)[1:]),
        ("deployment:", "deploy:", []),
        ("mode: on-prem", "mode: {}", [Stage.CHECK, Stage.PLAN, Stage.FIT]),
        ("framework: xgboost", "framework: xgbost", []),
    ],
    ids=["syntax", "a misspelt section", "the mode", "a misspelt word"],
)
def test_stages_that_could_not_run_are_listed(right: str, wrong: str, waiting: list[Stage]) -> None:
    """Without a valid document or deployment, later stages cannot run."""
    assert [*judged(realtime().replace(right, wrong)).waiting] == waiting


def test_entries_that_depend_on_an_error_are_listed() -> None:
    """A model without a task isn't checked further, nor are the pipelines, endpoints and monitors using it."""
    outcome = judged(realtime().replace("    task: binary-classification\n", ""))

    assert [error.code for error in errors_of(outcome)] == ["E0202"]
    assert {"inference.returns", "models.returns", "monitors.drift", "pipelines.train"} <= {*outcome.aside}
    assert outcome.waiting == ()


def test_a_valid_spec_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A valid spec is checked once. Only a spec with errors is also checked in corrected variants."""
    monkeypatch.setattr("modelyard.further.further", None)

    assert not judged(realtime()).failed
    assert not judged(RIGHT).failed


def test_promotion_is_judged_only_if_its_models_and_pipelines_are() -> None:
    """Change windows are not reported as unused while an error hides the model and the pipeline that promotes it."""
    text = realtime()
    for before, after in (
        ("stores:\n", "stores:\n  runs: {type: database}\n"),
        ('{adopt: "http://mlflow.mlflow.svc:5000"}', "{database: runs, artifacts: lake}"),
        ("governance:\n", 'governance:\n  changes: {windows: [{days: [mon], from: "09:00", to: "16:00"}]}\n'),
        ("    validation:\n", f"    stages: {_SOAKING}\n    validation:\n"),
        ("{model: returns@champion}", "{model: returns@champion, traffic: 95}"),
        ("    traffic: {champion: 95, candidate: 5}\n", ""),
    ):
        assert before in text
        text = text.replace(before, after, 1)
    outcome = judged(text)

    assert [error.code for error in errors_of(outcome)] == ["E0203"]
    assert {"models.returns", "pipelines.train"} <= {*outcome.aside}


_SOAKING = "{candidate: {}, champion: {after: candidate, soak: {for: 1d, monitor: drift}}}"
