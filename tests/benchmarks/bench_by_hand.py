"""The time that the emitted infrastructure takes under mocks, against the program that was written by hand for it."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.children import whole
from tests.benchmarks.conftest import Repeat, Within
from tests.benchmarks.hello import BY_HAND, emitted

RUNNER = Path(__file__).parents[1] / "stacks" / "registrations.py"


def bench_registering(repeat: Repeat, tmp_path: Path, within: Within) -> None:
    """From the start of Python to the last registration, with every import."""
    folder = emitted(tmp_path)
    ours: list[float] = []
    by_hand: list[float] = []

    def register_both() -> None:
        ours.append(whole("-W", "ignore", str(RUNNER), str(folder)))
        by_hand.append(whole("-W", "ignore", str(RUNNER), str(BY_HAND)))

    repeat(register_both, 4)
    within("hello on AWS under mocks, times the program by hand", min(ours) / min(by_hand), 1.1)
