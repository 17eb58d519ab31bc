"""Tests that the compiler's work is linear in the spec's size, measured in executed Python instructions."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from modelyard import validate
from modelyard.api import Compiled, compile_text
from modelyard.diagnostics import bounds
from modelyard.inputs import InputFile, Inputs
from modelyard.pipeline import opened, understand
from modelyard.stages import Outcome
from modelyard.validate import faults
from modelyard_targets import TARGETS
from tests.benchmarks.systems import HYBRID, ON_PREM, system
from tests.reviewing import outcome_of, review_of

_STEP = 6
_TO_SPARE = 1.015


def traced(run: Callable[[], object]) -> Counter[str]:
    """Return how many instructions each function executes during a call to `run`.

    Counting lines wouldn't be enough, because even a long comprehension is a single line.
    """
    ran: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        ran[f"{frame.f_code.co_filename}:{frame.f_code.co_firstlineno}"] += 1
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        run()
    finally:
        sys.settrace(before)
    return ran


def work(text: str, compiles: bool = True) -> Counter[str]:
    """Return how many instructions each function executes to compile a spec and render all its files."""
    outcomes: list[Compiled] = []
    ran = traced(lambda: outcomes.append(compile_text(text)))
    assert outcomes[0].ok == compiles, [diagnostic.message for diagnostic in outcomes[0].diagnostics]
    return ran


@pytest.mark.parametrize("where", [ON_PREM, HYBRID], ids=["on-prem", "hybrid"])
def test_work_is_linear_in_the_number_of_models(where: str) -> None:
    """Adding a dozen models takes the same number of instructions, however many models there already are.

    Code that scans all models once per model fails here long before it becomes noticeably slow.
    """
    compile_text(system(2, where=where))  # done once per process: imports, tables, templates
    small, middle, large = (work(system(_STEP * times, where=where)) for times in (1, 2, 3))

    first, second = middle.total() - small.total(), large.total() - middle.total()
    faster = {name: (middle[name] - small[name], large[name] - middle[name]) for name in large}
    worst = sorted(faster, key=lambda name: faster[name][0] - faster[name][1])[:5]
    assert second <= first * _TO_SPARE, {name: faster[name] for name in worst}


def test_a_review_is_linear_in_the_number_of_models() -> None:
    """Reviewing a few more models costs the same number of instructions at any size, excluding compilation."""
    _warm_up()
    small, middle, large = (_reviewing(_STEP * times) for times in (1, 2, 3))

    first, second = middle.total() - small.total(), large.total() - middle.total()
    faster = {name: (middle[name] - small[name], large[name] - middle[name]) for name in large}
    worst = sorted(faster, key=lambda name: faster[name][0] - faster[name][1])[:5]
    assert second <= first * _TO_SPARE, {name: faster[name] for name in worst}


def test_comparing_two_versions_takes_less_than_twice_the_work_of_one() -> None:
    """For each model, `diff` takes 1.85 times the instructions of `validate`, because it parses only one version."""

    def compared(models: int) -> None:
        first, second = (Inputs(InputFile("system.yaml", system(models, changed=at))) for at in (-1, 0))
        spec = opened(first)
        before = understand(first, TARGETS, spec)
        after = understand(second, TARGETS, opened(second, spec.document), before.system)
        review_of(before, after)

    def compiled(models: int) -> None:
        outcome_of(system(models))

    compared(2)  # done once per process: imports, tables, templates
    both, one = (_for_more_models(run) for run in (compared, compiled))
    assert both <= 1.9 * one


def _for_more_models(run: Callable[[int], None]) -> int:
    """Return how many more instructions a call takes with twice as many models."""
    few, many = (traced(lambda models=models: run(models)).total() for models in (_STEP, 2 * _STEP))  # type: ignore[misc]
    return many - few


def test_a_review_takes_a_fraction_of_the_work_of_compiling() -> None:
    """A review takes an eleventh of a compile's instructions per model.

    `diff` compiles twice and reviews once, and may take 2.2 times as long as `validate`.

    Parsing YAML and comparing equal tuples don't count, because they aren't written in Python.
    """
    _warm_up()
    review = _reviewing(2 * _STEP).total() - _reviewing(_STEP).total()
    texts = (system(_STEP), system(2 * _STEP))
    few, many = (traced(lambda text=text: outcome_of(text)).total() for text in texts)  # type: ignore[misc]

    assert review <= (many - few) / 11


def _warm_up() -> None:
    """Fill caches, and use record constructors until they are compiled. Both happen only once per process."""
    before, after = _versions(_STEP * 3)
    for _ in range(20):
        review_of(before, after)


def _versions(models: int) -> tuple[Outcome, Outcome]:
    before = outcome_of(system(models))
    return before, outcome_of(system(models, changed=0), other=before.system)


def _reviewing(models: int) -> Counter[str]:
    """Return how many instructions each function executes to compare two compiled versions."""
    before, after = _versions(models)
    return traced(lambda: review_of(before, after))


def test_suggestions_are_computed_only_for_reported_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first 50 unknown fields are reported, and each further one costs about as much as a known field.

    That is 569 instructions. Two runs with the same text differ by up to a fifth because of data kept in memory.
    """
    for module in (bounds, validate, faults):
        monkeypatch.setattr(module, "MOST_MISTAKES", 50)
    spec = system(1, where=ON_PREM)
    many, more = (work(spec + "".join(f"key{at}: 1\n" for at in range(count)), compiles=False) for count in (50, 1050))

    assert more.total() - many.total() < 1000 * 570 * 1.3
