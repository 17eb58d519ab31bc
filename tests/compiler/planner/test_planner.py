"""Tests that every plan is complete, without dangling links, and that planning time is linear."""

from __future__ import annotations

import gc
import time
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.planner import plan
from modelyard.spec import RULES_ONLY, Monitor, System
from tests.compiler.planner.planned import ON_PREM, ON_TWO, assert_whole
from tests.plans import large_spec, plan_of, system_of
from tests.specs import VALID_SPEC


def test_the_valid_plan_is_complete() -> None:
    assert_whole(plan_of(VALID_SPEC))
    assert_whole(plan_of(ON_TWO))


@settings(max_examples=25, deadline=None)
@given(models=st.integers(0, 60), moves=st.randoms(use_true_random=False))
def test_every_plan_is_complete(models: int, moves: Random) -> None:
    """No plan has a cycle, dangling link or duplicate address, wherever workloads are placed."""
    system = scattered(system_of(large_spec(models)), moves)
    result, diagnostics = plan(system, {"near": ON_PREM, "far": ON_PREM})

    assert result is not None, diagnostics
    assert_whole(result)


def scattered(system: System, moves: Random) -> System:
    """Place workloads on random targets, except for alert-only monitors, which stay with their metrics."""

    def place() -> str:
        return moves.choice(("near", "far"))

    inference = {name: replace(entry, target=place()) for name, entry in system.inference.items()}

    def home(monitor: Monitor) -> str:
        return inference[monitor.watch.partition(".")[2]].target if monitor.type in RULES_ONLY else place()

    return replace(
        system,
        pipelines={name: replace(entry, target=place()) for name, entry in system.pipelines.items()},
        inference=inference,
        monitors={name: replace(entry, target=home(entry)) for name, entry in system.monitors.items()},
    )


def test_planning_time_is_linear() -> None:
    """Ten times as many models take about ten times as long, as measured in the same run."""
    times = {models: _time(system_of(large_spec(models))) for models in (300, 3000)}

    assert times[3000] < 25 * times[300]


def _time(system: System) -> float:
    offers = {"near": ON_PREM, "far": ON_PREM}
    best = float("inf")
    gc.disable()
    for _ in range(3):
        start = time.process_time()
        result, _ = plan(system, offers)
        best = min(best, time.process_time() - start)
        assert result is not None
    gc.enable()
    return best
