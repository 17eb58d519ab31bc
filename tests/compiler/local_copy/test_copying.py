"""Tests that every system has a copy that runs on this machine and lists what it replaces and omits."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from modelyard.cli.init import templates
from modelyard.load import load
from modelyard.local_copy import Copy, copy_of, stand_ins
from modelyard.local_copy.language_model import digest_of
from modelyard.pipeline import InputFile, Inputs, understand
from modelyard.writers.yaml_text import document as yaml_text
from modelyard_targets import TARGETS
from tests.examples import FOLDER, Example, every_example
from tests.narrowing import present
from tests.specs import VALID_SPEC

SPECS = [*every_example(), *templates().values()]


def nowhere(entrypoint: str) -> bool:
    """Return False, as if user code entrypoints couldn't be found on this machine."""
    return False


def copied(spec: Inputs) -> Copy:
    """Return the local copy of a valid spec without user code."""
    outcome = understand(spec, TARGETS)
    return copy_of(present(outcome.document).value, nowhere)


def of_text(text: str) -> Copy:
    return copied(Inputs(InputFile("system.yaml", text)))


def of(name: str) -> dict[str, str]:
    """Return the notes on an example's local copy, by the address of the spec entry."""
    return {note.address: note.text for note in copied(Example(name, None).inputs()).notes}


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem if isinstance(spec, Path) else str(spec))
def test_every_system_has_a_copy_without_errors(spec: Example | Path) -> None:
    """The copy is a spec for this machine only, and trains the model of every endpoint."""
    inputs = Inputs(InputFile(spec.name, spec.read_text())) if isinstance(spec, Path) else spec.inputs()
    copy = copied(inputs)
    outcome = understand(Inputs(InputFile("copy.yaml", yaml_text(copy.spec))), TARGETS)
    assert not outcome.failed, outcome.diagnostics
    system = present(outcome.system)

    assert [target.provider for target in system.deployment.targets] == ["local"]
    assert system.inference or system.pipelines
    assert "secret://" not in yaml_text(copy.spec.get("stores")) + yaml_text(copy.spec.get("registry"))
    served = {
        (variant.model.model, variant.model.alias) for entry in system.inference.values() for variant in entry.variants
    }
    assert served <= {(model, alias) for model, aliases in system.promoted().items() for alias in aliases}


def test_a_copy_leaves_the_original_unchanged() -> None:
    loaded = present(load(VALID_SPEC, "system.yaml")[0])
    before = copy.deepcopy(loaded.value)
    copy_of(loaded.value, nowhere)

    assert loaded.value == before


def test_code_that_is_only_in_an_image_is_named() -> None:
    fraud, claims = of("fraud-detection"), of("motor-claims")

    assert "fraud.train:main in ghcr.io/acme/fraud-train:1.8.2 is not on this machine" in [
        note.text for note in copied(Example("fraud-detection", None).inputs()).notes
    ]
    assert "stands in" in fraud["pipelines.retrain"]
    assert "claim-features is generated instead" in claims["pipelines.train-severity.steps.features"]
    assert "pipelines.train-severity.steps.fit" not in claims
    assert fraud["governance.approvals"].startswith("left out")


def test_code_next_to_the_spec_runs_without_its_image() -> None:
    loaded = present(load((FOLDER / "fraud-detection" / "system.yaml").read_text(), "system.yaml")[0])
    spec: Any = copy_of(loaded.value, lambda entrypoint: entrypoint == "fraud.train:main").spec

    assert spec["pipelines"]["retrain"]["source"] == {"entrypoint": "fraud.train:main"}
    assert spec["models"]["fraud-xgb"]["validation"]["auc-pr"]["min"] == 0.82


def test_a_task_without_a_trainer_is_left_out_with_all_that_needs_it() -> None:
    notes = of("recommender")

    assert "no built-in trainer supports recommendation" in notes["models.towers"]
    assert {address for address, text in notes.items() if text == "left out"} == {
        "pipelines.train-towers",
        "pipelines.try-towers",
        "inference.candidates",
        "inference.similar",
    }


def test_few_generated_rows_cause_no_alarm() -> None:
    claims = copied(Example("motor-claims", None).inputs())
    checks: Any = claims.spec["monitors"]

    assert checks["notices-complete"]["checks"]["rows"] == {"min": 1}
    assert "min: 200 is reduced to 1" in of("motor-claims")["monitors.notices-complete.checks.rows"]
    assert checks["settled-quality"]["checks"] == {"mae": {"max": 1700, "severity": "ticket"}}


def test_all_of_the_few_requests_are_captured() -> None:
    """The original captures one request in a hundred, so its monitors would often have nothing to measure."""
    recommender: Any = copied(Example("recommender", None).inputs()).spec

    assert recommender["inference"]["start-page"]["capture"] == {"sample": "100%", "keys": ["page_view", "title"]}
    assert of("recommender")["inference.start-page.capture.sample"].startswith("1% becomes 100%")


def test_what_nothing_trains_is_trained_on_generated_examples() -> None:
    """A model without pipelines gets a training pipeline. Fixed versions are replaced with the one trained here."""
    minimal: Any = of_text(templates()["minimal"].read_text()).spec
    (pipeline,) = minimal["pipelines"].values()
    assert (pipeline["model"], pipeline["promoteTo"]) == ("churn", "champion")
    assert minimal["data"][pipeline["inputs"][0]]["label"] == "label"

    inspection: Any = copied(Example("visual-inspection", None).inputs()).spec
    assert inspection["inference"]["suzhou"]["variants"]["line"]["model"] == "surface@released"
    assert inspection["pipelines"]["learn"]["inputs"] == ["labelled"]  # two inputs would have a label


def test_a_built_in_trainer_does_not_search_parameters_of_other_code() -> None:
    notes = of("fraud-detection")

    assert notes["pipelines.retrain.tuning"] == "left out, because the built-in trainer has other parameters"
    assert "pipelines.challenge.tuning" not in notes


@pytest.mark.parametrize(("bound", "expected"), [("min: 0.7", 0.7), ("min: 0.95", 0.8)])
def test_strict_bounds_of_a_gate_are_loosened(bound: str, expected: float) -> None:
    text = (FOLDER / "hello" / "system.yaml").read_text().replace("min: 0.7", bound)
    copy = of_text(text)
    spec: Any = copy.spec

    assert spec["models"]["churn"]["validation"]["auc"]["min"] == expected
    assert any("loosened" in note.text for note in copy.notes) == (expected == 0.8)


def test_a_small_model_stands_in_for_a_language_model() -> None:
    """It is imported like the original, its adapters are trained for a few steps, and both are served."""
    text = (FOLDER.parent / "tests/fields/managed.yaml").read_text()
    copy = of_text(text)
    spec: Any = copy.spec
    notes = {note.address: note.text for note in copy.notes}
    (model,) = stand_ins(spec)

    assert notes["models.chat.import"] == "its files are not fetched; a small model with random weights stands in"
    assert notes["inference.assistant.generation.contextLength"].startswith("left out")
    assert spec["models"]["chat"]["import"] == {
        "store": "lake",
        "path": "bought/chat/1",
        "digest": digest_of(model.files),
    }
    assert (model.store, model.path) == ("lake", "bought/chat/1")
    assert spec["pipelines"]["tune"]["parameters"] == {"max_steps": 50}
    assert spec["inference"]["assistant"]["generation"] == {"maxTokens": 256}
    assert spec["inference"]["assistant"]["adapters"] == {"polite": "tone@champion"}
    assert not understand(Inputs(InputFile("copy.yaml", yaml_text(copy.spec))), TARGETS).failed


def test_versions_of_language_models_become_the_one_that_is_imported() -> None:
    """Version numbers become that of the only version. Bounds that need its language are left out."""
    text = (FOLDER.parent / "tests/fields/managed.yaml").read_text()
    changes = {
        "model: chat@champion": "model: chat@2",
        "polite: tone@champion": "polite: tone@7",
        "base: chat@champion}": "base: chat@2, validation: {fluent: {metric: perplexity, max: 9}}}",
    }
    for before, after in changes.items():
        text = text.replace(before, after)
    copy = of_text(text)
    spec: Any = copy.spec
    notes = {note.address: note.text for note in copy.notes}

    assert spec["inference"]["assistant"]["variants"]["only"]["model"] == "chat@champion"
    assert spec["inference"]["assistant"]["adapters"] == {"polite": "tone@champion"}
    assert spec["models"]["tone"] == {"task": "text-generation", "framework": "transformers", "base": "chat@champion"}
    assert notes["models.tone"] == "version 2 is not available here; chat@champion answers instead"
    assert "knows no language" in notes["models.tone.validation.fluent"]
    assert not understand(Inputs(InputFile("copy.yaml", yaml_text(copy.spec))), TARGETS).failed
