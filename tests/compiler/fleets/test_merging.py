"""Tests that a problem affecting many sites is reported once, without merging different problems."""

from __future__ import annotations

import sys

from modelyard.diagnostics import Diagnostic, Severity
from modelyard.fleets.merging import Run, merged
from modelyard.sites.groups import Group, Member
from modelyard.source import Span
from modelyard.stages import Outcome, Stage
from tests.compiler.fleets.test_judging import SPEC, errors_of

_POOLS = SPEC.replace("compute: {cpu: 2, memory: 4Gi}", 'compute: "${site.pool}"')


def test_a_word_that_equals_a_site_s_name_by_chance_stays_in_the_text() -> None:
    """The sites are named like the classes they're missing, but each missing class is a separate problem."""
    errors = errors_of("name,boxes,pool\nnorth,1,north\nsouth,1,south\neast,1,the east\n", _POOLS)

    assert [error for error in errors if "E0301" in error] == [
        "system.yaml:14:62 E0301 unknown compute class 'north' (at site north)",
        "system.yaml:14:62 E0301 unknown compute class 'south' (at site south)",
        "system.yaml:14:62 E0301 unknown compute class 'the-east' (at site east)",
    ]


def test_a_value_that_is_copied_to_the_text_does_not_divide_the_sites() -> None:
    """The sites are of two kinds, and the message quotes a value that may contain a marker."""
    errors = errors_of("name,boxes,pool\na,1,north\nb,2,south\n", _POOLS)

    assert errors == ["system.yaml:14:62 E0301 unknown compute class 'north'"]


def _calls(count: int) -> int:
    """Return how many function calls it takes to merge the errors of `count` sites, each with its own text."""
    names = tuple(f"site-{at}" for at in range(count))
    group = Group("shops", Member.SITE, (), names, {"name": names}, lambda at, _: Span("shops.csv", at + 2, 1, 2))
    runs: list[Run] = []
    for at in range(count):
        error = Diagnostic("E0511", Severity.ERROR, f"{at} CPUs are too few", Span("system.yaml", 1, 1, 2))
        runs.append(Run(group, (at,), Outcome((error,), stages={error: Stage.FIT}), True))
    calls = 0

    def counted(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(counted)
    try:
        outcome = merged(runs[0].outcome, runs)
    finally:
        sys.setprofile(None)
    assert len(outcome.diagnostics) == count
    return calls


def test_merging_takes_as_much_work_for_each_problem_however_many_there_are() -> None:
    assert _calls(400) < 4.2 * _calls(100)
