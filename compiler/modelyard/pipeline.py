"""The stages of the compiler in order: the table of contents."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.budget import check_budget
from modelyard.checks import check
from modelyard.diagnostics import Diagnostic, has_errors
from modelyard.inputs import Given, Inputs
from modelyard.load import load
from modelyard.overlay import overlay
from modelyard.plan import Plan
from modelyard.planner import plan
from modelyard.records import replace
from modelyard.resolve import resolve
from modelyard.secret_literals import secret_literals
from modelyard.signed import signed
from modelyard.source import Document
from modelyard.stages import Outcome, Stage
from modelyard.target import Target, Targets, check_catalog, not_made
from modelyard.validate import validate
from modelyard.variables import substitute

__all__ = ["Given", "Inputs", "Outcome", "Stage", "compile_system", "drawn", "opened", "read", "understand"]


def opened(inputs: Inputs) -> Outcome:
    """The spec as written, with all its environments."""
    document, problems = load(inputs.spec.content, inputs.spec.path)
    return Outcome(document=document).after(Stage.LOAD, problems)


def read(inputs: Inputs, spec: Outcome | None = None) -> Outcome:
    """The document of one environment: loaded, overlaid, with variables substituted.

    `spec` is the result of `opened`, if one spec is read for several environments.
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
    """The plan of one environment, checked against its targets: everything that `validate` needs.

    An error of one stage hides none of the later ones, except those that depend on it.
    """
    outcome = read(inputs, spec)
    document = outcome.document
    if document is None or outcome.failed:
        return replace(outcome, waiting=tuple(stage for stage in Stage if stage > outcome.reached))
    environment = inputs.environment or "default"
    outcome = _judged(outcome, document, environment, targets, inputs.approvals)
    if not outcome.failed or outcome.reached is Stage.TARGETS:
        return outcome
    from modelyard.further import further  # a good spec needs none of it

    outcome = further(document, outcome, lambda other: _judged(Outcome(), other, environment, targets, ()))
    hidden = {one.span for one in outcome.diagnostics if one.secret}
    secrets = (one for one in secret_literals(document) if one.span not in hidden)
    return replace(outcome.after(Stage.RULES, secrets), reached=outcome.reached)


def drawn(inputs: Inputs, targets: Targets, spec: Outcome | None = None) -> Plan | None:
    """The plan of one environment without the checks of its targets; None if there is an error before that."""
    document = read(inputs, spec).document
    if document is None or has_errors(_misfits(document, targets)):
        return None
    system, _ = resolve(document, inputs.environment or "default")
    if system is None or has_errors(check(system)):
        return None
    used = {target.name: targets[target.provider] for target in system.deployment.targets}
    return plan(system, {name: target.offer for name, target in used.items()})[0]


def _judged(
    outcome: Outcome, document: Document, environment: str, targets: Targets, approvals: tuple[Given, ...]
) -> Outcome:
    """The stages from the schema on, up to the first that reports an error."""
    outcome = outcome.after(Stage.SCHEMA, _misfits(document, targets))
    if outcome.failed:
        return outcome
    system, problems = resolve(document, environment)
    outcome = outcome.after(Stage.REFERENCES, problems)
    if system is None:
        return outcome
    given, problems = signed(system, approvals)
    system = replace(system, signed=given)
    outcome = replace(outcome.after(Stage.RULES, (*check(system), *problems)), system=system)
    if outcome.failed:
        return outcome
    used = {target.name: targets[target.provider] for target in system.deployment.targets}
    planned, problems = plan(system, {name: target.offer for name, target in used.items()})
    outcome = replace(outcome.after(Stage.PLAN, problems), plan=planned)
    return outcome if planned is None else outcome.after(Stage.TARGETS, _unfit(planned, used))


def _unfit(planned: Plan, used: Mapping[str, Target]) -> tuple[Diagnostic, ...]:
    """Reports what the targets cannot do, and costs beyond the budget."""
    problems = tuple(check_catalog(planned, {name: target.catalog for name, target in used.items()}))
    if has_errors(problems):
        return problems
    problems += tuple(problem for name, target in used.items() for problem in target.check(planned, name))
    if has_errors(problems) or planned.system.governance.budget is None:
        return problems
    costs = (target.cost(planned, name) for name, target in used.items())
    return (*problems, *check_budget(planned, [cost for cost in costs if cost is not None]))


def _misfits(document: Document, targets: Targets) -> tuple[Diagnostic, ...]:
    """Where the document does not fit the schema; a target with an unsupported provider reports only that."""
    later = dict(not_made(document, targets))
    return (*later.values(), *validate(document, later))


def compile_system(inputs: Inputs, targets: Targets) -> Outcome:
    """The stacks of one environment, one per target, sorted by target name."""
    outcome = understand(inputs, targets)
    if outcome.plan is None or outcome.failed:
        return outcome
    planned = outcome.plan
    used = planned.system.deployment.targets
    return replace(outcome, stacks=tuple(targets[target.provider].lower(planned, target.name) for target in used))
