"""A placement's resource requests: permanent endpoints, temporary runs, and supporting Pods."""

from __future__ import annotations

from modelyard_targets.kube.pods.demand import Asked, demand
from tests.plans import plan_of
from tests.specs import VALID_SPEC


def always(text: str = VALID_SPEC, *, databases: bool = True) -> tuple[Asked, ...]:
    return demand(plan_of(text), "main", databases=databases).always


def test_an_endpoint_is_never_less_than_its_least() -> None:
    served = [one for one in always() if one.what.startswith("variant")]

    assert served
    assert all(1 <= one.least <= one.most for one in served)
    assert all(one.hardware is not None for one in served)


def test_a_monitor_is_there_at_times() -> None:
    watching = [one for one in always() if one.what.startswith("monitor")]

    assert watching
    assert {(one.least, one.most) for one in watching} == {(0, 1)}


def test_a_run_brings_its_head_and_what_starts_it_and_leaves_nothing_behind() -> None:
    for run in demand(plan_of(VALID_SPEC), "main").runs.values():
        assert {one.least for one in run} == {0}
        assert [one.what for one in run if one.hardware is None] == [
            "the head of a Ray cluster",
            "the submitter of a run",
            "the launcher of a run",
        ]


def test_a_database_counts_where_it_is_a_pod() -> None:
    within, outside = always(), always(databases=False)

    assert [one.what for one in within if one not in outside] == ["database 'runs'"]
