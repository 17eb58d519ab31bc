"""Print the measured ratios with their budgets at the end of a run."""

from __future__ import annotations

import os
from collections.abc import Callable
from operator import attrgetter
from typing import TypeAlias

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.ratios import STORED, Ratios

Within: TypeAlias = Callable[[str, float, float], None]

Repeat: TypeAlias = Callable[[Callable[[], object], int], None]

_found = pytest.StashKey[list[tuple[str, float, float]]]()
_ratios = pytest.StashKey[Ratios]()


def pytest_configure(config: pytest.Config) -> None:
    """Create the lists that collect the figures measured in this run."""
    config.stash[_found] = []
    margin = 1.5 if os.environ.get("CI", "").lower() == "true" else 1.0
    config.stash[_ratios] = Ratios.read(STORED.read_text(encoding="utf-8"), margin)


@pytest.fixture
def within(request: pytest.FixtureRequest) -> Within:
    """Return a function that records a figure and its budget, and fails if the budget is exceeded."""

    def check(what: str, figure: float, budget: float) -> None:
        request.config.stash[_found].append((what, figure, budget))
        assert figure <= budget, f"{what}: {figure:.2f}, and the budget is {budget:g}"

    return check


@pytest.fixture(scope="session")
def ratios(request: pytest.FixtureRequest) -> Ratios:
    """Return the ratios with budgets from `ratios.json`."""
    return request.config.stash[_ratios]


@pytest.fixture
def repeat(benchmark: BenchmarkFixture) -> Repeat:
    """Return a function that repeats a call under pytest-benchmark, which prints wall-clock times."""

    def run(what: Callable[[], object], rounds: int) -> None:
        attrgetter("pedantic")(benchmark)(what, rounds=rounds)  # `pedantic` is untyped

    return run


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print a line per figure. With `--accept`, store the ratios in `ratios.json`."""
    ratios = config.stash[_ratios]
    if ratios.measured:
        terminalreporter.section("ratios")
        for line in ratios.table():
            terminalreporter.write_line(line)
        if config.getoption("--accept"):
            STORED.write_text(ratios.accepted(STORED.read_text(encoding="utf-8")), encoding="utf-8")
    figures = config.stash[_found]
    if figures:
        terminalreporter.section("budgets")
        width = max(len(what) for what, _, _ in figures)
        for what, figure, budget in figures:
            verdict = "" if figure <= budget else "  exceeded"
            terminalreporter.write_line(f"{what:<{width}}  {figure:9.2f}  of {budget:g}{verdict}")
