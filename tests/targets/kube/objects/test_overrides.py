"""Tests that an override is either rejected or patches one object and annotates it with its reason."""

from __future__ import annotations

import pytest

from modelyard_targets.kubernetes.check import check
from tests.emitted import emitted, emitted_object, refused
from tests.plans import plan_of
from tests.specs import VALID_SPEC


def with_override(patch: str, target: str = "RayService/scorer-champion") -> str:
    return f"{VALID_SPEC}overrides:\n  shm: {{object: {target}, patch: {patch}, reason: More shared memory.}}\n"


def test_object_is_patched_and_annotated() -> None:
    text = with_override("[{op: replace, path: /spec/rayClusterConfig/rayVersion, value: 2.60.1}]")
    service = emitted_object(text, "RayService", "scorer-champion")

    assert service["spec"]["rayClusterConfig"]["rayVersion"] == "2.60.1"
    assert service["metadata"]["annotations"]["overrides.modelyard.dev/shm"] == "More shared memory."


def test_nothing_else_is_changed() -> None:
    text = with_override("[{op: replace, path: /spec/rayClusterConfig/rayVersion, value: 2.60.1}]")
    before, after = emitted(VALID_SPEC), emitted(text)

    assert [new["metadata"]["name"] for old, new in zip(before, after, strict=True) if old != new] == [
        "scorer-champion"
    ]


def test_an_object_that_is_not_emitted_is_refused() -> None:
    assert refused(with_override("[{op: remove, path: /spec}]", "RayService/scorr")) == ["E0620 RayService/scorr"]


@pytest.mark.parametrize("kind", ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"])
def test_an_admission_policy_is_refused(kind: str) -> None:
    """An admission policy cannot be overridden, and the message says so."""
    text = with_override("[{op: replace, path: /spec/failurePolicy, value: Ignore}]", f"{kind}/fraud.retrain.runs")
    (diagnostic,) = check(plan_of(text), "main")

    assert (kind, "fraud.retrain.runs") in {(each["kind"], each["metadata"]["name"]) for each in emitted(VALID_SPEC)}
    assert (diagnostic.code, diagnostic.message) == (
        "E0620",
        "admission policy 'fraud.retrain.runs' cannot be overridden",
    )


def test_operation_without_a_target_is_refused_at_its_line() -> None:
    patch = "[{op: test, path: /kind, value: RayService}, {op: remove, path: /spec/nothing}]"

    assert refused(with_override(patch)) == ["E0621 {op: remove, path: /spec/nothing}"]


def test_failed_test_operation_is_refused() -> None:
    assert refused(with_override("[{op: test, path: /kind, value: RayJob}]")) == [
        "E0621 {op: test, path: /kind, value: RayJob}"
    ]


def test_change_of_identity_is_refused() -> None:
    for path in ("/metadata/name", "/metadata/namespace", "/kind", "/apiVersion"):
        patch = f"[{{op: replace, path: {path}, value: other}}]"
        assert refused(with_override(patch)) == [f"E0622 {patch}"]


def test_whole_object_cannot_be_replaced() -> None:
    assert [each[:5] for each in refused(with_override('[{op: replace, path: "", value: 1}]'))] == ["E0621"]
