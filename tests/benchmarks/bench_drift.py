"""Compare a drift monitor's throughput with that of the most popular library in the same environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed import environments
from tests.benchmarks.children import Cost, part
from tests.benchmarks.conftest import Repeat, Within

RUNTIME = Path(__file__).parents[2] / "runtime"
USUAL = "evidently==0.7.23\npandas<3\n"
"""Evidently 0.7.23 does not work with pandas 3, so both it and our own code are measured with pandas 2."""

ROWS, ROWS_OF_USUAL = 200_000, 20_000

FRAMES = """
import numpy as np, pandas as pd
random = np.random.default_rng(1)
def frame(rows, shift):
    numbers = {f"n{at}": random.normal(shift, 1 + at / 50, rows) for at in range(50)}
    texts = {f"t{at}": random.choice([f"k{value}" for value in range(5 + at)], rows) for at in range(10)}
    return pd.DataFrame({**numbers, **texts})
then, now = frame(50_000, 0.0), frame(int(sys.argv[2]), 0.1)
"""
"""Creates frames with sixty columns, ten of them strings."""

OURS = f"""
sys.path.insert(0, sys.argv[1])
{FRAMES}
from modelyard_runtime.statistics.drift import Moved
from modelyard_runtime.statistics.profiles import profiles
kept = profiles(then, list(then))
began = spent()
for name in now:
    moved = Moved(kept[name])
    moved.add(now[name])
    assert all(moved.measure(metric) is not None for metric in ("psi", "ks" if name[0] == "n" else "chi2"))
tell(began)
"""

THEIRS = f"""
{FRAMES}
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import ValueDrift
kinds = {{kind: [name for name in then if name[0] == kind] for kind in "nt"}}
columns = DataDefinition(numerical_columns=kinds["n"], categorical_columns=kinds["t"])
asked = [(name, metric) for name in then for metric in ("psi", "ks" if name[0] == "n" else "chisquare")]
report = Report([ValueDrift(column=name, method=metric) for name, metric in asked])
before, after = Dataset.from_pandas(then, columns), Dataset.from_pandas(now, columns)
began = spent()
assert len(report.run(after, before).dict()["metrics"]) == len(asked)
tell(began)
"""


@pytest.fixture(scope="module")
def python() -> str:
    """Return a Python environment where both Evidently and our own code run.

    Evidently installs numpy and pandas, the only packages our code needs here.
    """
    return str(environments.environment(USUAL))


def bench_drift(repeat: Repeat, within: Within, python: str) -> None:
    """Measure PSI and either KS or chi-square for sixty columns, using a reference profile stored with the model."""
    costs: list[Cost] = []
    repeat(lambda: costs.append(part(OURS, str(RUNTIME), str(ROWS), python=python)), 3)
    usual = part(THEIRS, str(RUNTIME), str(ROWS_OF_USUAL), python=python)
    a_row, usual_a_row = min(cost.seconds for cost in costs) / ROWS, usual.seconds / ROWS_OF_USUAL
    within("drift, sixty columns, times Evidently", a_row / usual_a_row, 0.05)
