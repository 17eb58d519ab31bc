"""Tests that the lock records a plan's persistent resources, and that their removal is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.cli import main
from modelyard.inputs import LOCK_NAME
from modelyard.lock import Locked, left_behind, lock_text, targets_locked
from modelyard.persistent import check_gone, persistent_resources
from tests.plans import large_spec, plan_of
from tests.specs import VALID_SPEC, changed

BEFORE = persistent_resources(plan_of(VALID_SPEC))
MADE = changed("lake: {type: object, adopt: acme-fraud-lake,", "lake: {type: object,")
SCORER = VALID_SPEC.replace("  scorer:", "  fraud-scorer:").replace("inference.scorer", "inference.fraud-scorer")


def gone(spec: str, before: dict[str, dict[str, str]] = BEFORE) -> list[tuple[str, str]]:
    """Return the warnings about removed resources, with their hints."""
    warnings = list(check_gone(plan_of(spec), before))
    assert {warning.code for warning in warnings} <= {"W0502"}
    return [(warning.message, warning.hint) for warning in warnings]


def test_workloads_and_data_are_recorded_with_their_owners() -> None:
    """Workloads and data stores are recorded, but not adopted resources or ones that can be recreated."""
    assert {
        "main": {
            "batch-job/nightly": "pipelines.nightly",
            "custom-job/report": "pipelines.report",
            "database/runs": "stores.runs",
            "model-server/scorer-challenger": "inference.scorer",
            "model-server/scorer-champion": "inference.scorer",
            **{address: owner for address, owner in BEFORE["main"].items() if address.startswith("monitor/")},
            "training-job/retrain": "pipelines.retrain",
            "training-job/try-out": "pipelines.try-out",
        }
    } == BEFORE
    assert persistent_resources(plan_of(MADE))["main"]["object-store/lake"] == "stores.lake"


def test_an_unchanged_or_first_spec_removes_nothing() -> None:
    assert gone(VALID_SPEC) == gone(VALID_SPEC, {}) == gone(large_spec(12), {}) == []


def test_a_renamed_endpoint_is_reported_with_its_new_name() -> None:
    assert gone(SCORER) == [
        (
            "'model-server/scorer-challenger' and 'model-server/scorer-champion' on target 'main' are no longer in the"
            " spec: `pulumi up` will destroy them",
            "if you renamed it, add `moved: {inference.fraud-scorer: inference.scorer}`",
        )
    ]


def test_declared_renames_are_not_reported() -> None:
    assert gone(SCORER + "moved: {inference.fraud-scorer: inference.scorer}\n") == []


def test_a_renamed_store_keeps_its_data() -> None:
    assert gone(VALID_SPEC.replace("runs", "history") + "moved: {stores.history: stores.runs}\n") == []


def test_the_nearest_new_name_is_suggested() -> None:
    spec = VALID_SPEC.replace("  nightly:", "  score-all:").replace("  retrain:", "  retrains:")
    spec = spec.replace("pipelines.nightly", "pipelines.score-all").replace("pipelines.retrain", "pipelines.retrains")
    hints = [hint for _, hint in gone(spec)]

    assert hints[-1] == "if you renamed it, add `moved: {pipelines.retrains: pipelines.retrain}`"


def test_a_removed_variant_gets_no_rename_hint() -> None:
    spec = changed(
        "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n", ""
    )

    assert [hint for _, hint in gone(spec)] == [""]


@pytest.mark.parametrize(
    ("spec", "before", "fate", "hint"),
    [
        (VALID_SPEC.replace("runs", "history"), BEFORE, "it is protected, so", "{stores.history: stores.runs}"),
        (VALID_SPEC, persistent_resources(plan_of(MADE)), "its bucket remains, but is no longer used", ""),
        (VALID_SPEC, {"main": {"model-server/pool-a": "pool.a"}}, "will destroy it", ""),
    ],
)  # fmt: skip
def test_removed_data_and_workloads_are_reported_differently(
    spec: str, before: dict[str, dict[str, str]], fate: str, hint: str
) -> None:
    ((message, actual_hint),) = gone(spec, before)

    assert fate in message
    assert hint in actual_hint


def test_a_removed_target_is_reported_as_still_running() -> None:
    """A removed target's stack is no longer updated, so one warning replaces those about its resources."""
    (warning,) = check_gone(
        plan_of(VALID_SPEC), {"branch": {"model-server/a": "inference.a", "monitor/b": "monitors.b"}}
    )

    assert warning.code == "W0508"
    assert "its stacks keep running" in warning.message
    assert "build/prod/branch" in warning.hint


def test_the_lock_keeps_removed_resources_of_each_environment() -> None:
    resources = {"main": {"model-server/b": "inference.b", "model-server/a": "inference.a"}}
    first = lock_text(b"", "prod", Locked("sha256:1", ("main",), {}, {}, resources), "schema")
    second = lock_text(first, "dev", Locked("sha256:2", ("main",), {}, {}, {"main": {}}), "schema")

    assert left_behind(second, "prod") == resources
    assert left_behind(second, "dev") == {"main": {}}
    assert left_behind(second.encode(), "staging") == left_behind("lockVersion: 1\n", "prod") == {}
    assert second.index("model-server/a") < second.index("model-server/b")


def test_an_unchanged_compile_does_not_read_the_resources_in_the_lock() -> None:
    text = lock_text(b"", "prod", Locked("sha256:1", ("main",), {}, {}, {"main": {"a/b": "c.d"}}), "schema")
    head, separator, _ = text.partition("\nresources:\n")

    assert separator
    assert targets_locked(head + separator + "{ no YAML: [", "prod", "sha256:1")[0] == ("main",)
    assert targets_locked(f"{head}{separator}]".encode(), "prod", "sha256:1")[0] == ("main",)


def test_a_removal_is_reported_until_it_is_confirmed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every compile reports a removal, even on a machine that only has the spec and the committed lock."""
    spec, lock = tmp_path / "system.yaml", tmp_path / LOCK_NAME
    spec.write_text(VALID_SPEC)
    assert main(["compile", str(spec)]) == 0
    assert "W0502" not in capsys.readouterr().err
    spec.write_text(SCORER)
    assert main(["compile", str(spec)]) == 0
    assert "moved: {inference.fraud-scorer: inference.scorer}" in capsys.readouterr().err
    assert left_behind(lock.read_bytes(), "default", with_removed=False) == persistent_resources(plan_of(SCORER))

    assert main(["compile", str(spec)]) == 0
    assert "W0502" in capsys.readouterr().err
    assert main(["compile", str(spec), "--forget-removed"]) == 0
    assert "W0502" not in capsys.readouterr().err
    assert main(["compile", str(spec)]) == 0
    assert "nothing has changed" in capsys.readouterr().err


def test_a_restored_resource_is_no_longer_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "system.yaml"
    for text in (VALID_SPEC, SCORER, VALID_SPEC):
        spec.write_text(text)
        assert main(["compile", str(spec)]) == 0
    capsys.readouterr()
    text = (tmp_path / LOCK_NAME).read_text()

    assert "model-server/fraud-scorer-champion" in text.partition("\nresources:\n")[0]
    assert "model-server/scorer-champion" not in text.partition("\nresources:\n")[0]
