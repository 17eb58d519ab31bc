"""The stages of the compiler in order: the table of contents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import TypeAlias

from modelyard.budget import check_budget
from modelyard.checks import check
from modelyard.diagnostics import Diagnostic, Severity, has_errors, in_order
from modelyard.inputs import Given, Inputs
from modelyard.load import load
from modelyard.overlay import overlay
from modelyard.plan import Plan
from modelyard.planner import plan
from modelyard.records import field, record, replace
from modelyard.resolve import resolve
from modelyard.secret_literals import secret_literals
from modelyard.source import Document
from modelyard.spec import System
from modelyard.stack import Stack
from modelyard.target import Target, Targets, check_catalog, not_made
from modelyard.validate import validate
from modelyard.variables import substitute

__all__ = ["Given", "Inputs", "Outcome", "Stage", "compile_system", "opened", "read", "understand"]


class Stage(IntEnum):
    """The stages that report diagnostics, in the order in which they run."""

    LOAD = 1
    OVERLAY = 2
    VARIABLES = 3
    SCHEMA = 4
    REFERENCES = 5
    RULES = 6
    PLAN = 7
    TARGETS = 8


@record
class Outcome:
    """How far the spec came, and all diagnostics so far, in order. A stage that was not reached leaves None.

    `stages` holds the stage of each diagnostic. `reached` is the last stage that judged the whole spec as written.
    """

    diagnostics: tuple[Diagnostic, ...] = ()
    document: Document | None = None
    system: System | None = None
    plan: Plan | None = None
    stacks: tuple[Stack, ...] = ()
    stages: Mapping[Diagnostic, Stage] = field(default_factory=dict[Diagnostic, Stage], repr=False)
    reached: Stage = Stage.LOAD

    @property
    def failed(self) -> bool:
        """Whether an error was reported."""
        return has_errors(self.diagnostics)

    def after(self, stage: Stage, reported: Iterable[Diagnostic]) -> Outcome:
        """The same after another stage.

        Once there are errors, a later stage adds its errors at other places: warnings wait, and a second error at one
        place most likely follows from the first.
        """
        added = tuple(reported)
        earlier = [one for one in self.diagnostics if self.stages[one] < stage]
        if added and has_errors(earlier):
            places = {place: secret for secret, place in sorted((one.secret, _place(one)) for one in earlier)}
            added = tuple(one for one in added if _is_new(one, places))
        return replace(
            self,
            diagnostics=in_order((*self.diagnostics, *added)),
            stages={**dict.fromkeys(added, stage), **self.stages},
            reached=stage,
        )


_Place: TypeAlias = "tuple[str, int, int]"


def _place(diagnostic: Diagnostic) -> _Place:
    span = diagnostic.span
    return ("", 0, 0) if span is None else (span.file, span.line, span.column)


def _is_new(diagnostic: Diagnostic, places: Mapping[_Place, bool]) -> bool:
    """Whether an error is at another place than those before; `places` holds whether one there hides a secret."""
    hides_more = diagnostic.secret and not places.get(_place(diagnostic))
    is_elsewhere = diagnostic.span is None or _place(diagnostic) not in places
    return diagnostic.severity is Severity.ERROR and (is_elsewhere or hides_more)


def opened(inputs: Inputs) -> Outcome:
    """The spec as it was written, with every environment in it."""
    document, problems = load(inputs.spec.content, inputs.spec.path)
    return Outcome(document=document).after(Stage.LOAD, problems)


def read(inputs: Inputs, spec: Outcome | None = None) -> Outcome:
    """The document of one environment: loaded, overlaid, with variables in their places.

    `spec` is the result of `opened`, where one spec is read for several environments.
    """
    outcome = spec or opened(inputs)
    document, extra = outcome.document, None
    outcome = replace(outcome, document=None)
    if inputs.overlay is not None:
        extra, problems = load(inputs.overlay.content, inputs.overlay.path, may_be_empty=True)
        outcome = outcome.after(Stage.LOAD, problems)
    if document is None or outcome.failed:
        return outcome
    document, problems = overlay(document, inputs.environment, extra, inputs.beside)
    outcome = outcome.after(Stage.OVERLAY, problems)
    if outcome.failed:
        return outcome
    document, problems = substitute(document, inputs.variables, inputs.beside.values())
    return replace(outcome.after(Stage.VARIABLES, problems), document=document)


def understand(inputs: Inputs, targets: Targets, spec: Outcome | None = None) -> Outcome:
    """The plan of one environment, checked against the targets that it is placed on: all that `validate` asks."""
    outcome = read(inputs, spec)
    document = outcome.document
    if document is None or outcome.failed:
        return outcome
    outcome = outcome.after(Stage.SCHEMA, _misfits(document, targets))
    if outcome.failed:
        return outcome
    system, problems = resolve(document, inputs.environment or "default")
    outcome = replace(outcome.after(Stage.REFERENCES, problems), system=system)
    if system is not None:
        return _judged(outcome, system, targets)
    return replace(outcome.after(Stage.RULES, secret_literals(document)), reached=Stage.REFERENCES)


def _judged(outcome: Outcome, system: System, targets: Targets) -> Outcome:
    """A system whose references are bound, judged by its rules, then planned and judged by its targets."""
    outcome = outcome.after(Stage.RULES, check(system))
    if outcome.failed:
        return outcome
    used = {target.name: targets[target.provider] for target in system.deployment.targets}
    planned, problems = plan(system, {name: target.offer for name, target in used.items()})
    outcome = replace(outcome.after(Stage.PLAN, problems), plan=planned)
    return outcome if planned is None else outcome.after(Stage.TARGETS, _unfit(planned, used))


def _unfit(planned: Plan, used: Mapping[str, Target]) -> tuple[Diagnostic, ...]:
    """What the targets cannot do, or what they would cost beyond the budget."""
    problems = tuple(check_catalog(planned, {name: target.catalog for name, target in used.items()}))
    if has_errors(problems):
        return problems
    problems += tuple(problem for name, target in used.items() for problem in target.check(planned, name))
    if has_errors(problems) or planned.system.governance.budget is None:
        return problems
    costs = (target.cost(planned, name) for name, target in used.items())
    return (*problems, *check_budget(planned, [cost for cost in costs if cost is not None]))


def _misfits(document: Document, targets: Targets) -> tuple[Diagnostic, ...]:
    """Where the document does not fit the schema; a target on an unsupported provider reports that alone."""
    problems = validate(document)
    later = dict(not_made(document, targets)) if problems else {}
    return (*later.values(), *validate(document, later)) if later else problems


def compile_system(inputs: Inputs, targets: Targets) -> Outcome:
    """The stacks of one environment, a stack a target, in the order of their names."""
    outcome = understand(inputs, targets)
    if outcome.plan is None or outcome.failed:
        return outcome
    planned = outcome.plan
    used = planned.system.deployment.targets
    return replace(outcome, stacks=tuple(targets[target.provider].lower(planned, target.name) for target in used))
