"""A separate process that compiles mutated specs within limits and reports the outcomes.

`python -m tests.hostile.child FIRST COUNT` prints one JSON object with the number of specs that compiled, how often
each diagnostic code was reported, and the numbers of the cases that raised an exception, hung or ran out of memory.
`case(number)` recreates such a case.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import traceback
from collections import Counter
from pathlib import PurePosixPath
from random import Random
from types import FrameType

from modelyard.diagnostics import Diagnostic, has_errors
from modelyard.emit import emit
from modelyard.pipeline import InputFile, Inputs, compile_system
from modelyard.printing.diagnostics import FORMS, render
from modelyard_targets import TARGETS
from tests.hostile.mutations import mutated
from tests.hostile.seeds import seeds

MEMORY = 2**30
PATIENCE_S = 20


class Hung(BaseException):
    """Raised when a case exceeds the time limit. Stages can't catch this exception."""


def case(number: int) -> Inputs:
    """Return the spec with the given number, which is the same in every process."""
    random = Random(number)
    seed = random.choice(seeds())
    return Inputs(InputFile("system.yaml", mutated(seed, random)), seed.environment)


def run(inputs: Inputs) -> tuple[Diagnostic, ...]:
    """Run all stages and render the output, raising an exception if a stage does or a path leaves its folder."""
    outcome = compile_system(inputs, TARGETS)
    for form in ("text", "sarif", *FORMS):
        render(outcome.diagnostics, inputs.files(), form).encode("utf-8")
    if outcome.failed:
        assert not outcome.stacks
        return outcome.diagnostics
    for stack in outcome.stacks:
        for file in emit(stack):
            path = PurePosixPath(file.path)
            assert not path.is_absolute(), path
            assert ".." not in path.parts, path
            file.render().decode("utf-8")
    return outcome.diagnostics


def _hang(_signal: int, _frame: FrameType | None) -> None:
    raise Hung


def main(first: int, count: int) -> None:
    """Run the mutated specs with the given numbers and print the outcomes."""
    seeds()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _hang)
    codes: Counter[str] = Counter()
    compiled = 0
    failures: list[tuple[int, str]] = []
    for number in range(first, first + count):
        try:
            inputs = case(number)
            signal.alarm(PATIENCE_S)
            diagnostics = run(inputs)
            compiled += not has_errors(diagnostics)
            codes.update({diagnostic.code for diagnostic in diagnostics})
        except (Exception, Hung):  # noqa: BLE001 - every exception is reported with its case's number
            failures.append((number, traceback.format_exc(limit=-6)))
        finally:
            signal.alarm(0)
    json.dump({"compiled": compiled, "codes": codes, "failures": failures[:20]}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
