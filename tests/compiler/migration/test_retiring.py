"""Tests that the commands to run before removing the old side fail as long as anything still uses it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from modelyard.migration.records import Step
from tests.compiler.migration.stepping import run_step
from tests.compiler.migration.test_turning import plan

KUBECTL = """\
#!/bin/sh
case "$*" in
*"get cronjobs"*) cat "$HOME"/schedules ;;
*"get rayjobs"*) cat "$HOME"/runs; [ ! -e "$HOME"/unreachable ] || exit 1 ;;
esac
"""


@pytest.fixture(scope="module")
def guard() -> Step:
    """Return the first step of a plan's last phase."""
    return plan().phases[-1].do[0]


def ran(guard: Step, folder: Path, schedules: str, runs: str) -> subprocess.CompletedProcess[str]:
    """Run the commands with a kubectl that lists these schedules and runs."""
    (folder / "schedules").write_text(schedules, encoding="utf-8")
    (folder / "runs").write_text(runs, encoding="utf-8")
    return run_step(guard, folder, {"kubectl": KUBECTL})


@pytest.mark.parametrize(
    ("schedules", "runs", "reported"),
    [
        ("promoter   true\n", "", None),
        ("promoter   true\n", "train-1   Complete\ntrain-2   Failed\n", None),
        ("promoter   false\n", "", "promoter is not suspended\n"),
        ("promoter   <none>\n", "", "promoter is not suspended\n"),
        ("promoter   true\n", "train-1   Complete\ntrain-2   Running\n", "train-2 has not ended\n"),
        ("promoter   true\n", "train-1   <none>\n", "train-1 has not ended\n"),
        ("", "", ""),
    ],
    ids=["unused", "ended", "scheduled", "never suspended", "running", "starting", "no answer"],
)
def test_what_still_uses_the_old_side_is_named(
    guard: Step, schedules: str, runs: str, reported: str | None, tmp_path: Path
) -> None:
    """An empty list doesn't prove that the old side is unused, as the cluster may be wrong or unreachable."""
    outcome = ran(guard, tmp_path, schedules, runs)
    assert (outcome.returncode, outcome.stdout) == ((0, "") if reported is None else (1, reported))


def test_an_unreachable_cluster_does_not_count_as_unused(guard: Step, tmp_path: Path) -> None:
    (tmp_path / "unreachable").touch()
    assert ran(guard, tmp_path, "promoter   true\n", "").returncode == 1
