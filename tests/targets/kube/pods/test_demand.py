"""Tests that the total demand includes permanent endpoints, temporary runs, and supporting Pods."""

from __future__ import annotations

from modelyard_targets.kube.pods.demand import PodRequest, demand
from tests.plans import plan_of
from tests.specs import VALID_SPEC


def always(text: str = VALID_SPEC, *, databases: bool = True) -> tuple[PodRequest, ...]:
    return demand(plan_of(text), "main", databases=databases).always


def test_endpoint_has_at_least_one_replica() -> None:
    served = [group for group in always() if group.what.startswith("variant")]

    assert served
    assert all(1 <= group.least <= group.most for group in served)
    assert all(group.hardware is not None for group in served)


def test_monitor_runs_at_most_once_at_a_time() -> None:
    watching = [group for group in always() if group.what.startswith("monitor")]

    assert watching
    assert {(group.least, group.most) for group in watching} == {(0, 1)}


def test_run_includes_head_submitter_and_launcher() -> None:
    for run in demand(plan_of(VALID_SPEC), "main").runs.values():
        assert {group.least for group in run} == {0}
        assert [group.what for group in run if group.hardware is None] == [
            "the head of a Ray cluster",
            "the submitter of a run",
            "the launcher of a run",
        ]


def test_database_counts_only_as_a_pod() -> None:
    within, outside = always(), always(databases=False)

    assert [group.what for group in within if group not in outside] == ["database 'runs'"]
