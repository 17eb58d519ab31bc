"""Kills a rehearsal during each phase, or after the phase but before it is recorded, then lets it finish."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.places import REPOSITORY
from tests.real.test_rehearsal import EXPECTED, SPEC, digests, seed

PROGRAM = Path(__file__).parent / "programs" / "killed_rehearsal.py"
PHASES = (
    "1-build",
    "2-secrets",
    "3-images",
    "4-workloads",
    "5-data",
    "6-registry",
    "7-dual-run",
    "8-freeze",
    "9-cut-over",
    "10-watch",
)
LAST = "11-retire"
WITHOUT_COMMANDS = ("2-secrets", "6-registry", "7-dual-run")
"""Phases that have no commands for this system. A kill during such a phase would be one between two phases."""

MOMENTS = (
    "1-build:do",  # killed after this phase, it would only compile again
    *(
        f"{phase}:{part}"
        for phase in PHASES[1:]
        for part in ("do", "end")
        if part == "end" or phase not in WITHOUT_COMMANDS
    ),
    "9-cut-over:undo",  # on the way back, which begins before the last phase
    f"{LAST}:do",
)

PATIENCE_S = 1800

pytestmark = pytest.mark.usefixtures("rclone")


def test_a_rehearsal_killed_in_and_after_each_phase_ends_with_everything_on_both_sides(tmp_path: Path) -> None:
    """Each process is killed at the intended point, and the next one resumes the same phase."""
    spec = tmp_path / "lake"
    folder = spec / ".modelyard" / "gcp.rehearsal"
    seed(folder, "lake-lake")
    (spec / "system.yaml").write_text(SPEC, encoding="utf-8")
    python = tmp_path / "python"  # nothing of this system runs on it, but it has to have every package
    python.write_text("#!/bin/sh\n[ \"$1\" = -c ] && echo '[]'\n", encoding="utf-8")
    python.chmod(0o755)
    path = os.pathsep.join(str(REPOSITORY / part) for part in ("compiler", "schemas", "targets", "stacks"))
    arguments = ("migrate", spec, "--to", "gcp:europe-west3", "--rehearse", "--python", python)

    result = subprocess.run(
        [sys.executable, PROGRAM, *MOMENTS, "--", *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )

    ended = [line for line in result.stdout.splitlines() if line.partition(" ")[0] in {*MOMENTS, "finish"}]
    assert ended == [*(f"{moment} {-signal.SIGKILL}" for moment in MOMENTS), "finish 0"], result.stderr
    continued = [line.rpartition(" ")[2] for line in result.stderr.splitlines() if "continuing with" in line]
    assert continued == [*(moment.partition(":")[0] for moment in MOMENTS[:-2]), LAST, "8-freeze", LAST]
    assert digests(folder / "old" / "stores" / "lake-lake") == EXPECTED
    assert digests(folder / "new" / "stores" / "lake-lake") == EXPECTED
    stacks = json.loads((folder / "stacks.json").read_text())
    assert {name: bool(stack["applied"]) for name, stack in stacks.items()} == {
        name: "build/gcp/" in name for name in stacks
    }
