"""Compare request latency with that of bare Ray Serve for the same model, in a real Ray cluster."""

from __future__ import annotations

import json
import os
import subprocess
from statistics import median, quantiles

import pytest

from testbed import environments
from testbed.places import REPOSITORY
from tests.benchmarks.conftest import Repeat, Within

PROGRAM = REPOSITORY / "tests" / "real" / "programs" / "serving_times.py"
REQUIREMENTS = ("runtime/modelyard_runtime/requirements.txt", "tests/runtime/requirements.txt")
ROUNDS = 5

BUDGET = 1.15

Times = dict[str, list[dict[str, list[float]]]]


@pytest.fixture(scope="module")
def times(tmp_path_factory: pytest.TempPathFactory) -> Times:
    """Return the duration of each request in seconds, by number of columns, round and server."""
    python = environments.environment("".join((REPOSITORY / path).read_text() for path in REQUIREMENTS))
    more = {
        "PYTHONPATH": f"{REPOSITORY / 'runtime'}{os.pathsep}{REPOSITORY}",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",
    }
    command = [str(python), str(PROGRAM), str(tmp_path_factory.mktemp("serving")), str(ROUNDS)]
    process = subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True, timeout=1800)
    assert process.returncode == 0, process.stderr[-4000:]
    measured: Times = json.loads(process.stdout.splitlines()[-1])
    return measured


@pytest.mark.parametrize("columns", [1, 30, 100])
def bench_serving(repeat: Repeat, within: Within, times: Times, columns: int) -> None:
    """Compare the 99th percentile of one-row requests, using the median of several rounds."""
    rounds = times[str(columns)]
    repeat(lambda: None, 1)
    ratio = median(_p99(entry["ours"]) / _p99(entry["bare"]) for entry in rounds)
    within(f"p99 of a row of {columns} columns, times bare Ray Serve", ratio, BUDGET)


def _p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100)[98]
