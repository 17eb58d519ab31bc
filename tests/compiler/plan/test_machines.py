"""Tests that a plan lists its machines, each labelled with the workloads running on it."""

from __future__ import annotations

from modelyard.plan import hardware_of
from tests.plans import plan_of
from tests.specs import VALID_SPEC


def test_servers_steps_and_monitors_have_machines() -> None:
    uses = [use for resource in plan_of(VALID_SPEC).resources for use in hardware_of(resource)]

    assert [(what, hardware.compute) for what, hardware in uses] == [
        ("nightly, step nightly", "cpu"),
        ("report, step collect", "cpu"),
        ("report, step publish", "cpu"),
        ("retrain, step retrain", "train"),
        ("try-out, step try-out", "train"),
        ("scorer-challenger, variant challenger", "cpu"),
        ("scorer-champion, variant champion", "cpu"),
        ("monitor-drift", "monitors-default"),
        ("monitor-quality", "monitors-default"),
    ]
