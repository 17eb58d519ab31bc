"""Starts the processes that compile hostile specs, two at a time, and adds up their results."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent.parent
_PATIENCE_S = 600


@dataclass
class Outcomes:
    """The outcomes of several hostile specs."""

    compiled: int = 0
    codes: Counter[str] = field(default_factory=Counter[str])
    failures: list[str] = field(default_factory=list[str])


def hostile(first: int, count: int, chunk: int = 500) -> Outcomes:
    """Run `count` hostile specs, starting with number `first`. Failures are reported with number and traceback."""
    total = Outcomes()
    with ThreadPoolExecutor(2) as pool:
        for result in pool.map(_child, *zip(*_chunks(first, count, chunk), strict=True)):
            total.compiled += result.compiled
            total.codes += result.codes
            total.failures += result.failures
    return total


def _chunks(first: int, count: int, size: int) -> Iterator[tuple[int, int]]:
    for at in range(first, first + count, size):
        yield at, min(size, first + count - at)


def _child(first: int, count: int) -> Outcomes:
    command = [sys.executable, "-m", "tests.hostile.child", str(first), str(count)]
    try:
        ended = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        return Outcomes(failures=[f"one of the cases from {first} on hangs where no signal ends it"])
    if ended.returncode != 0:
        return Outcomes(failures=[f"one of the cases from {first} on ended the process: {ended.stderr[-2000:]}"])
    answer = json.loads(ended.stdout)
    failures = [f"case {number}:\n{trace}" for number, trace in answer["failures"]]
    return Outcomes(answer["compiled"], Counter(answer["codes"]), failures)
