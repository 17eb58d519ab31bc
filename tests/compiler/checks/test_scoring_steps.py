"""Tests that pipeline steps scoring data with a registered model follow the rules for batch inference."""

from __future__ import annotations

import pytest

from tests.compiler.checks.checked_specs import codes_in, diagnostics_of, places_in, where
from tests.scoring_step import SCORING, STEP, scoring


def test_a_custom_step_may_score() -> None:
    assert codes_in(SCORING) == []


@pytest.mark.parametrize(
    ("beside", "at"),
    [
        ('source: {entrypoint: "fraud.score:main"}', 'entrypoint: "fraud.score'),
        ("parameters: {depth: 3}", "parameters: {depth"),
    ],
)
def test_fields_without_effect_in_a_scoring_step_are_refused(beside: str, at: str) -> None:
    spec = scoring(("output: rated", f"output: rated, {beside}"))

    assert places_in(spec) == [where(spec, at, "E0924")]


def test_a_scoring_step_may_have_its_own_image() -> None:
    """A scoring step may have its own image with the libraries required by the model."""
    assert codes_in(scoring(("output: rated", 'output: rated, source: {image: "acme.example/x:1"}'))) == []


def test_a_trainer_in_a_scoring_step_is_refused() -> None:
    assert codes_in(scoring(("output: rated", "output: rated, trainer: xgboost"))) == ["E0884"]


def test_a_scoring_step_in_a_training_pipeline_is_refused() -> None:
    old = '    source: {entrypoint: "fraud.train:main"}\n    compute: train\n'
    steps = f'    steps: {{fit: {{source: {{entrypoint: "fraud.train:main"}}}}, {STEP}}}\n    compute: train\n'
    spec = scoring((old, steps))

    assert "E0925" in codes_in(spec)


def test_a_scoring_step_without_inputs_is_refused() -> None:
    spec = scoring(("inputs: [transactions], output: rated", "output: rated"), ("    inputs: [scores]\n", ""))

    assert codes_in(spec) == ["E0926"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("model: fraud-xgb@champion, inputs", "model: fraud-xgb@cutest, inputs", "E0810"),
        ("model: fraud-xgb@champion, inputs", "model: fraud-xgb@latest, inputs", "E0489"),
        ("model: fraud-xgb@champion, inputs", "model: fraud-xgb@3, inputs", "W0946"),
        ("model: fraud-xgb@champion, inputs", "model: fraud, inputs", "E0301"),
        (
            "rated: {store: lake, path: rated/, format: parquet",
            "rated: {store: lake, path: rated/, format: json",
            "E0843",
        ),
        ("output: rated", "output: scores", "E0806"),
        ("output: rated", "output: chargebacks", "E0930"),
    ],
)
def test_scoring_steps_follow_the_rules_for_scores(old: str, new: str, code: str) -> None:
    """Like in batch inference, unset aliases, versions bypassing the gate and wrong outputs are refused."""
    assert code in codes_in(scoring((old, new)))


def test_a_missing_feature_in_a_scoring_input_is_refused() -> None:
    """Like batch inference, a scoring step needs the columns its model was trained on."""
    spec = scoring(("inputs: [transactions], output: rated", "inputs: [chargebacks], output: rated"))

    assert [diagnostic.code for diagnostic in diagnostics_of(spec)] == ["E0827"]


def test_a_model_used_only_by_a_step_counts_as_used() -> None:
    """A model in a new registry is reported if no pipeline trains it, unless a step uses it."""
    unused = scoring(("models:\n", "models:\n  other: {task: regression, framework: xgboost}\n"))
    used = unused.replace("model: fraud-xgb@champion, inputs", "model: other@champion, inputs", 1)

    assert (codes_in(unused), codes_in(used)) == (["W0412"], ["W0447"])
