"""Compare the time to register the emitted infrastructure under mocks with that of a handwritten program."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.children import whole
from tests.benchmarks.hello import BY_HAND, emitted
from tests.benchmarks.ratios import Ratios

RUNNER = Path(__file__).parents[1] / "stacks" / "registrations.py"


def bench_registering(ratios: Ratios, tmp_path: Path) -> None:
    """Measure the time from the start of Python to the last registration, including imports."""
    folder = emitted(tmp_path)

    def registered(program: Path) -> float:
        return whole("-W", "ignore", str(RUNNER), str(program))

    def measure() -> float:
        pairs = [(registered(folder), registered(BY_HAND)) for _ in range(3)]
        return min(ours for ours, _ in pairs) / min(by_hand for _, by_hand in pairs)

    ratios.check("hello on AWS under mocks, times the program by hand", measure)
