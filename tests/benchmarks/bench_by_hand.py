"""Time to register the emitted infrastructure under mocks, compared with a handwritten program for it."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.children import whole
from tests.benchmarks.conftest import Repeat, Within
from tests.benchmarks.hello import BY_HAND, emitted

RUNNER = Path(__file__).parents[1] / "stacks" / "registrations.py"


def bench_registering(repeat: Repeat, tmp_path: Path, within: Within) -> None:
    """Measure from the start of Python to the last registration, including imports."""
    folder = emitted(tmp_path)
    ours: list[float] = []
    by_hand: list[float] = []

    def register_both() -> None:
        ours.append(whole("-W", "ignore", str(RUNNER), str(folder)))
        by_hand.append(whole("-W", "ignore", str(RUNNER), str(BY_HAND)))

    repeat(register_both, 4)
    within("hello on AWS under mocks, times the program by hand", min(ours) / min(by_hand), 1.1)
