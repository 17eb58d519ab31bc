"""The rooms, in order: the table of contents of the house."""

from __future__ import annotations

from modelyard.budget import check_budget
from modelyard.checks import check
from modelyard.diagnostics import Diagnostic, has_errors, in_order
from modelyard.inputs import Given, Inputs
from modelyard.load import load
from modelyard.overlay import overlay
from modelyard.plan import Plan
from modelyard.planner import plan
from modelyard.records import record, replace
from modelyard.resolve import resolve
from modelyard.source import Document
from modelyard.spec import System
from modelyard.stack import Stack
from modelyard.target import Targets, check_catalog, not_made
from modelyard.validate import validate
from modelyard.variables import substitute

__all__ = ["Given", "Inputs", "Outcome", "compile_system", "opened", "read", "understand"]


@record
class Outcome:
    """How far the spec came, and all that was found on the way, in order. What is None was not reached."""

    diagnostics: tuple[Diagnostic, ...] = ()
    document: Document | None = None
    system: System | None = None
    plan: Plan | None = None
    stacks: tuple[Stack, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether an error was found."""
        return has_errors(self.diagnostics)

    def after(self, found: tuple[Diagnostic, ...]) -> Outcome:
        """The same, with a room's diagnostics among the others."""
        return replace(self, diagnostics=in_order((*self.diagnostics, *found)))


def opened(inputs: Inputs) -> Outcome:
    """The spec as it was written, with every environment in it."""
    document, found = load(inputs.spec.content, inputs.spec.path)
    return Outcome(document=document).after(found)


def read(inputs: Inputs, spec: Outcome | None = None) -> Outcome:
    """The document of one environment: loaded, overlaid, with variables in their places.

    `spec` is what `opened` gave, where it is read for several environments.
    """
    outcome = spec or opened(inputs)
    document, extra = outcome.document, None
    outcome = replace(outcome, document=None)
    if inputs.overlay is not None:
        extra, found = load(inputs.overlay.content, inputs.overlay.path, may_be_empty=True)
        outcome = outcome.after(found)
    if document is None or outcome.failed:
        return outcome
    document, found = overlay(document, inputs.environment, extra, inputs.beside)
    outcome = outcome.after(found)
    if outcome.failed:
        return outcome
    document, found = substitute(document, inputs.variables, inputs.beside.values())
    return replace(outcome.after(found), document=document)


def understand(inputs: Inputs, targets: Targets, spec: Outcome | None = None) -> Outcome:
    """The plan of one environment, checked against the targets that it is placed on: all that `validate` asks."""
    outcome = read(inputs, spec)
    if outcome.document is None or outcome.failed:
        return outcome
    outcome = outcome.after(_misfits(outcome.document, targets))
    if outcome.document is None or outcome.failed:
        return outcome
    system, found = resolve(outcome.document, inputs.environment or "default")
    outcome = replace(outcome.after(found), system=system)
    if system is None or outcome.failed:
        return outcome
    outcome = outcome.after(tuple(check(system)))
    if outcome.failed:
        return outcome
    used = {target.name: targets[target.provider] for target in system.deployment.targets}
    planned, found = plan(system, {name: target.offer for name, target in used.items()})
    outcome = replace(outcome.after(found), plan=planned)
    if planned is None or outcome.failed:
        return outcome
    outcome = outcome.after(tuple(check_catalog(planned, {name: target.catalog for name, target in used.items()})))
    if outcome.failed:
        return outcome
    outcome = outcome.after(tuple(problem for name, target in used.items() for problem in target.check(planned, name)))
    if outcome.failed or system.governance.budget is None:
        return outcome
    costs = (target.cost(planned, name) for name, target in used.items())
    return outcome.after(tuple(check_budget(planned, [cost for cost in costs if cost is not None])))


def _misfits(document: Document, targets: Targets) -> tuple[Diagnostic, ...]:
    """What does not fit the schema; of a target on a provider that is not made yet, that alone is told."""
    found = validate(document)
    later = dict(not_made(document, targets)) if found else {}
    return (*later.values(), *validate(document, later)) if later else found


def compile_system(inputs: Inputs, targets: Targets) -> Outcome:
    """The stacks of one environment, a stack a target, in the order of their names."""
    outcome = understand(inputs, targets)
    if outcome.plan is None or outcome.failed:
        return outcome
    planned = outcome.plan
    used = planned.system.deployment.targets
    return replace(outcome, stacks=tuple(targets[target.provider].lower(planned, target.name) for target in used))
