"""Tests that pipelines may follow each other, and that a chain that can never run is reported."""

from __future__ import annotations

import pytest

from tests.compiler.checks.checked_specs import codes_in, diagnostics_of, places_in, where
from tests.specs import changed

NIGHTLY = 'schedule: {cron: "30 3 * * *"}'
WEEKLY = 'schedule: {cron: "0 4 * * 0", timeZone: Europe/Berlin}'
REPORT = "  report:\n    type: custom\n"


def following(name: str, more: str = "") -> tuple[str, str]:
    """Return the change to the valid spec that makes the `report` pipeline follow the given one."""
    return REPORT, f"{REPORT}    schedule: {{after: pipelines.{name}{more}}}\n"


@pytest.mark.parametrize("followed", ["nightly", "retrain", "try-out"])
def test_a_pipeline_may_follow_any_kind_of_schedule(followed: str) -> None:
    """A followed pipeline may have any schedule or none. If nothing starts it, its follower never runs either."""
    assert codes_in(changed(*following(followed, ", overlap: allow"))) == []


def test_chains_may_be_long_and_may_branch() -> None:
    chain = changed(*following("nightly"), (NIGHTLY, "schedule: {after: pipelines.retrain}"))
    branches = changed(*following("retrain"), (NIGHTLY, "schedule: {after: pipelines.retrain}"))

    assert (codes_in(chain), codes_in(branches)) == ([], [])


def test_following_an_unknown_pipeline_is_reported() -> None:
    spec = changed(*following("nightli"))
    (diagnostic,) = diagnostics_of(spec)

    assert diagnostic.code == "E0301"
    assert diagnostic.hint == "did you mean 'nightly'?"


def test_a_pipeline_that_follows_itself_is_reported() -> None:
    spec = changed(*following("report"))
    (diagnostic,) = diagnostics_of(spec)

    assert places_in(spec) == [where(spec, "pipelines.report}", "E0922")]
    assert diagnostic.message == "pipeline 'report' follows itself"


def test_a_cycle_is_reported_once() -> None:
    """The error lists the pipelines forming the cycle, but not those that merely follow one of them."""
    spec = changed(
        *following("nightly"),
        (NIGHTLY, "schedule: {after: pipelines.retrain}"),
        (WEEKLY, "schedule: {after: pipelines.nightly}"),
    )
    (diagnostic,) = diagnostics_of(spec)

    assert diagnostic.code == "E0922"
    assert diagnostic.message == "pipelines follow each other in a cycle: retrain → nightly → retrain"


def test_following_a_pipeline_on_another_cluster_is_reported() -> None:
    spec = changed(
        *following("nightly"),
        ("  placement: {default: main}\n", "  placement: {default: main, batch: far}\n"),
        (
            "    main:\n",
            "    far: {provider: kubernetes, context: far, residency: eu, reachableFrom: [main]}\n    main:\n",
        ),
    )
    diagnostics = [diagnostic for diagnostic in diagnostics_of(spec) if diagnostic.code == "E0923"]

    assert [diagnostic.message for diagnostic in diagnostics] == [
        "pipeline 'report' on target 'main' cannot follow 'nightly' on 'far'"
    ]


def test_a_pipeline_that_runs_once_may_be_followed() -> None:
    assert codes_in(changed(*following("nightly"), (NIGHTLY, "schedule: once"))) == []
