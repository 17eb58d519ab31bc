"""Compare the throughput of batch inference with bare Ray Data at its best batch size, for the same model."""

from __future__ import annotations

import json
import os
import subprocess
from statistics import median

import pytest

from testbed import environments
from testbed.places import REPOSITORY
from tests.benchmarks.conftest import Repeat, Within

PROGRAM = REPOSITORY / "tests" / "real" / "programs" / "batch_rates.py"
REQUIREMENTS = ("runtime/modelyard_runtime/requirements.txt", "tests/runtime/requirements.txt")
ROUNDS = 3

Seconds = dict[str, list[dict[str, float]]]


@pytest.fixture(scope="module")
def seconds(tmp_path_factory: pytest.TempPathFactory) -> Seconds:
    """Return the seconds each implementation takes in each round, with few rows and with many."""
    python = environments.environment("".join((REPOSITORY / path).read_text() for path in REQUIREMENTS))
    more = {
        "PYTHONPATH": f"{REPOSITORY / 'runtime'}{os.pathsep}{REPOSITORY}",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",
    }
    command = [str(python), str(PROGRAM), str(tmp_path_factory.mktemp("batch")), str(ROUNDS)]
    process = subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True, timeout=1800)
    assert process.returncode == 0, process.stderr[-4000:]
    measured: Seconds = json.loads(process.stdout.splitlines()[-1])["seconds"]
    return measured


def bench_batch(repeat: Repeat, within: Within, seconds: Seconds) -> None:
    """Compare our median time for the extra rows with that of the fastest bare Ray Data variant."""
    repeat(lambda: None, 1)
    durations = {name: median(times["many"] - times["few"] for times in rounds) for name, rounds in seconds.items()}
    best = min(took for name, took in durations.items() if name != "ours")
    within("batch inference of 20 columns, times bare Ray Data at its best", durations["ours"] / best, 1.0)
