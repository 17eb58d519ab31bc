"""Compare how long emitted and handwritten infrastructure take to register under mocks."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.children import processor_time
from tests.benchmarks.hello import by_hand, emitted
from tests.benchmarks.ratios import Ratios

RUNNER = Path(__file__).parents[1] / "stacks" / "registrations.py"


def bench_registering(ratios: Ratios, tmp_path: Path) -> None:
    """Measure the time from the start of Python to the last registration, including imports."""
    folder, plain = emitted(tmp_path), by_hand("aws")

    def registered(program: Path) -> float:
        return processor_time("-W", "ignore", str(RUNNER), str(program))

    def measure() -> float:
        pairs = [(registered(folder), registered(plain)) for _ in range(3)]
        return min(ours for ours, _ in pairs) / min(theirs for _, theirs in pairs)

    ratios.check("hello on AWS under mocks, times the program by hand", measure)
