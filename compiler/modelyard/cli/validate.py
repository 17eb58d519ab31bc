"""`modelyard validate`: report all errors in a spec, without writing anything."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping

from modelyard.cli.console import report, say, say_waiting
from modelyard.cli.inputs import environment_names, gather
from modelyard.diagnostics import Diagnostic, has_errors, in_order
from modelyard.inputs import LOCK_NAME, Inputs
from modelyard.pipeline import Outcome, opened, understand
from modelyard.plan import Plan
from modelyard.records import record
from modelyard.stages import Stage
from modelyard_targets import TARGETS


def run(arguments: argparse.Namespace) -> int:
    """Report all errors in the spec and for its targets. Returns 1 if there are any."""
    inputs, problems = gather(arguments, every=arguments.env is None)
    if inputs is None:
        report(problems, (), arguments.format, arguments.color)
        return 1
    verdict = judged(inputs)
    diagnostics = in_order((*problems, *verdict.diagnostics, *_false_pins(inputs, verdict.plans)))
    report(diagnostics, inputs.files(), arguments.format, arguments.color)
    if arguments.format == "text" and has_errors(diagnostics):
        say_waiting(verdict.waiting, verdict.aside)
    elif arguments.format == "text":
        say(f"{inputs.spec.path}: valid{verdict.valid}")
    return int(has_errors(diagnostics))


def _false_pins(inputs: Inputs, plans: Mapping[str | None, Plan]) -> Iterable[Diagnostic]:
    """Report wrong versions in the lock. Imports no further modules if there is no lock."""
    if not os.path.lexists(os.path.join(os.path.dirname(inputs.spec.path), LOCK_NAME)):
        return ()
    from modelyard.cli.locking import false_pins, lock_problems

    return lock_problems(inputs, whole=False) or false_pins(inputs, plans, TARGETS)


@record
class Verdict:
    """The problems in a spec and the stages they block, or the environments in which it is valid."""

    diagnostics: tuple[Diagnostic, ...]
    waiting: tuple[Stage, ...]
    aside: tuple[str, ...]
    valid: str
    plans: Mapping[str | None, Plan]  # by environment; None is the base


def judged(inputs: Inputs) -> Verdict:
    """Check the chosen environment or, by default, the base and all environments."""
    if inputs.environment is not None:
        return _of_one(inputs, understand(inputs, TARGETS), f" for {inputs.environment}")
    spec = opened(inputs)
    names = environment_names(inputs, spec.document)
    if not names:
        return _of_one(inputs, understand(inputs, TARGETS, spec), "")
    from modelyard.survey import survey  # imported here because a spec without environments does not need it

    result = survey(inputs, spec, names, TARGETS)
    listed = f" for {', '.join(names)}"
    if result.base_is_whole:
        listed = f", alone and{listed}"
    else:
        listed += "; the base is incomplete without an environment"
    return Verdict(result.diagnostics, result.waiting, result.aside, listed, result.plans)


def _of_one(inputs: Inputs, outcome: Outcome, valid: str) -> Verdict:
    plans = {inputs.environment: outcome.plan} if outcome.plan is not None else {}
    return Verdict(outcome.diagnostics, outcome.waiting, outcome.aside, valid, plans)
