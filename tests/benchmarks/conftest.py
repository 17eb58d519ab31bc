"""Ratios measured in a run, printed with their budgets at its end."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TypeAlias

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

Within: TypeAlias = Callable[[str, float, float], None]

Repeat: TypeAlias = Callable[[Callable[[], object], int], None]

_found = pytest.StashKey[list[tuple[str, float, float]]]()


def pytest_configure(config: pytest.Config) -> None:
    """Prepare to collect the figures for the end of the run."""
    config.stash[_found] = []


@pytest.fixture
def within(request: pytest.FixtureRequest) -> Within:
    """Return a function that records a figure with its budget and fails if it is exceeded."""

    def check(what: str, figure: float, budget: float) -> None:
        request.config.stash[_found].append((what, figure, budget))
        assert figure <= budget, f"{what}: {figure:.2f}, and the budget is {budget:g}"

    return check


@pytest.fixture
def repeat(benchmark: BenchmarkFixture) -> Repeat:
    """Return a function that repeats something under pytest-benchmark, which prints its wall-clock times."""

    def run(what: Callable[[], object], rounds: int) -> None:
        attrgetter("pedantic")(benchmark)(what, rounds=rounds)  # it is untyped

    return run


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print one line per figure."""
    found = config.stash[_found]
    if found:
        terminalreporter.section("budgets")
        width = max(len(what) for what, _, _ in found)
        for what, figure, budget in found:
            verdict = "" if figure <= budget else "  exceeded"
            terminalreporter.write_line(f"{what:<{width}}  {figure:9.2f}  of {budget:g}{verdict}")
