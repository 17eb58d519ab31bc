"""Tests that resource requests include permanent endpoints, temporary runs, and supporting Pods."""

from __future__ import annotations

from modelyard_targets.kube.pods.demand import Asked, demand
from tests.plans import plan_of
from tests.specs import VALID_SPEC


def always(text: str = VALID_SPEC, *, databases: bool = True) -> tuple[Asked, ...]:
    return demand(plan_of(text), "main", databases=databases).always


def test_endpoint_has_at_least_one_replica() -> None:
    served = [one for one in always() if one.what.startswith("variant")]

    assert served
    assert all(1 <= one.least <= one.most for one in served)
    assert all(one.hardware is not None for one in served)


def test_monitor_runs_at_most_once_at_a_time() -> None:
    watching = [one for one in always() if one.what.startswith("monitor")]

    assert watching
    assert {(one.least, one.most) for one in watching} == {(0, 1)}


def test_run_includes_head_submitter_and_launcher() -> None:
    for run in demand(plan_of(VALID_SPEC), "main").runs.values():
        assert {one.least for one in run} == {0}
        assert [one.what for one in run if one.hardware is None] == [
            "the head of a Ray cluster",
            "the submitter of a run",
            "the launcher of a run",
        ]


def test_database_counts_only_as_a_pod() -> None:
    within, outside = always(), always(databases=False)

    assert [one.what for one in within if one not in outside] == ["database 'runs'"]
