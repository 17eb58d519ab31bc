"""Tests that renamed workloads keep their object names, and that colliding names are refused."""

from __future__ import annotations

import pytest

from modelyard.plan import Kind
from modelyard.planner import plan
from tests.compiler.planner.planned import CLOUD, ON_TWO
from tests.plans import marked_diagnostics, plan_of, planned, resource, system_of
from tests.specs import VALID_SPEC, changed


def test_a_rename_keeps_the_names_of_objects() -> None:
    """A renamed workload gets a new address, but its objects keep their names."""
    text = VALID_SPEC.replace("inference.scorer", "inference.card-scorer").replace(
        "\n  scorer:\n", "\n  card-scorer:\n"
    )
    spec = text + "moved: {inference.card-scorer: inference.scorer}\n"
    server = resource(plan_of(spec), Kind.MODEL_SERVER, "scorer-champion")

    assert server.workload == "inference.card-scorer"


def test_two_renames_from_one_name_are_refused() -> None:
    text = (
        VALID_SPEC.replace("  report:\n", "  reporting:\n")
        + "moved: {pipelines.reporting: pipelines.a, pipelines.nightly: pipelines.a}\n"
    )

    assert "E0507 pipelines.a" in marked_diagnostics(text)


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("\n  report:\n", "\n  monitor-drift:\n", "monitor-drift"),
        ("\n  report:\n", "\n  scorer-champion:\n", "scorer-champion"),
        ("\n  report:\n", "\n  retrain-launcher:\n", "retrain-launcher"),
        ("\n  report:\n", "\n  registry:\n", "registry"),
        ("\n  report:\n", "\n  runs:\n", "runs"),
    ],
)
def test_duplicate_names_are_refused(old: str, new: str, name: str) -> None:
    """The error for a duplicate name points at both of its definitions."""
    result, problems = planned(changed(old, new))

    assert result is None
    assert {problem.code for problem in problems} == {"E0501"}
    assert all(f"'{name}'" in problem.message and "system.yaml:" in problem.message for problem in problems)


def test_a_model_may_be_trained_and_served_under_one_name() -> None:
    """If a model is trained and served under one name, the pipeline's objects and triggers get a suffix."""
    plan = plan_of(VALID_SPEC.replace("pipelines.retrain", "pipelines.scorer").replace("\n  retrain:", "\n  scorer:"))

    assert resource(plan, Kind.TRAINING_JOB, "scorer-runs").workload == "pipelines.scorer"
    assert resource(plan, Kind.ENDPOINT, "scorer").workload == "inference.scorer"
    assert {item.name for item in plan.resources if item.workload == "pipelines.scorer"} == {
        "scorer-runs",
        "scorer-runs-launcher",
    }
    assert [link.sink for link in plan.links if link.what == "trigger"] == ["main:training-job/scorer-runs"]


def test_a_pipeline_elsewhere_keeps_the_name_of_an_endpoint() -> None:
    plan = plan_of(ON_TWO.replace("\n  report:", "\n  scorer:"))

    assert {item.placement for item in plan.resources if item.name == "scorer"} == {"main", "branch"}


def test_a_collision_is_reported_once() -> None:
    """Two workloads whose object names collide cause a single error rather than one per object."""
    assert len(planned(changed("\n  report:\n", "\n  monitor-drift:\n"))[1]) == 1


def test_names_of_the_platform_are_reserved() -> None:
    assert "E0502 default" in marked_diagnostics(changed("\n  report:\n", "\n  default:\n"))
    assert marked_diagnostics(changed("context: frankfurt", "context: frankfurt\n      namespace: kube-system")) == [
        "E0502 kube-system"
    ]


def test_the_name_of_the_platform_pool_is_reserved() -> None:
    text = VALID_SPEC.replace("  cpu: {cpu: 2", "  system: {cpu: 2").replace("compute: cpu", "compute: system")
    _, problems = plan(system_of(text), {"main": CLOUD})

    assert [(problem.code, problem.span.line if problem.span else 0) for problem in problems] == [
        ("E0502", text.splitlines().index("  system: {cpu: 2, memory: 8Gi}") + 1)
    ]


def test_two_targets_in_one_namespace_are_refused() -> None:
    spec = ON_TWO.replace("context: branch", "context: frankfurt")

    assert marked_diagnostics(spec) == ["E0505 main"]
