"""Compare a training job that includes tuning with handwritten code on bare Ray Tune in a real Ray cluster."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from statistics import median

from testbed import environments
from testbed.places import REPOSITORY
from tests.benchmarks.conftest import Repeat, Within

PROGRAM = REPOSITORY / "tests" / "real" / "programs" / "search_times.py"
REQUIREMENTS = ("runtime/modelyard_runtime/requirements.txt", "tests/runtime/requirements.txt")
ROUNDS = 3


def bench_search(repeat: Repeat, within: Within, tmp_path: Path) -> None:
    """Time whole training jobs, from reading the data to registering the model version, against bare Ray Tune.

    The result is the median over several rounds.
    """
    repeat(lambda: None, 1)
    python = environments.environment("".join((REPOSITORY / path).read_text() for path in REQUIREMENTS))
    more = {
        "PYTHONPATH": f"{REPOSITORY / 'runtime'}{os.pathsep}{REPOSITORY}",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",
    }
    command = [str(python), str(PROGRAM), str(tmp_path), str(ROUNDS)]
    process = subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True, timeout=3600)
    assert process.returncode == 0, process.stderr[-4000:]
    seconds: dict[str, list[float]] = json.loads(process.stdout.splitlines()[-1])
    ratios = [ours / bare for ours, bare in zip(seconds["ours"], seconds["bare"], strict=True)]
    within("training with a search of 12 trials, times bare Ray Tune", median(ratios), 1.1)
