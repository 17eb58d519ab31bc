"""The compiler's stages in order. This module is the compiler's table of contents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from modelyard.budget import check_budget
from modelyard.checks import check
from modelyard.diagnostics import Diagnostic, has_errors
from modelyard.inputs import InputFile, Inputs
from modelyard.load import load
from modelyard.overlay import overlay
from modelyard.plan import Plan
from modelyard.planner import plan
from modelyard.records import field, record, replace
from modelyard.resolve import resolve
from modelyard.secret_literals import secret_literals
from modelyard.signed import signed
from modelyard.source import Document
from modelyard.spec import System, at_sites, shared
from modelyard.stages import Outcome, Stage
from modelyard.target import Target, Targets, check_catalog
from modelyard.usage import NO_USAGE
from modelyard.validate import validate
from modelyard.variables import substitute

if TYPE_CHECKING:
    from modelyard.sites.binding import Bound, Choice

__all__ = [
    "STAGES",
    "InputFile",
    "Inputs",
    "Outcome",
    "Stage",
    "compile_system",
    "drawn",
    "has_sites",
    "opened",
    "read",
    "understand",
    "understood",
]


@record
class _Task:
    """Values shared by all stages: the inputs, and the targets that a spec may name.

    The first three stages need no targets. `choices` holds the site values to compile, and `before` the groups'
    bindings from an earlier run. `other` is the system in another version of the spec, if there is one.
    """

    inputs: Inputs
    known: Targets | None = None
    choices: Mapping[str, Choice] = field(default_factory=dict[str, "Choice"])
    before: Bound | None = None
    other: System | None = None

    @property
    def targets(self) -> Targets:
        """The targets, which are available in every stage after the first three."""
        assert self.known is not None
        return self.known

    @property
    def environment(self) -> str:
        """The name of the environment."""
        return self.inputs.environment or "default"


_Result: TypeAlias = tuple[Outcome, Iterable[Diagnostic]]
_Step: TypeAlias = Callable[[Outcome, _Task], _Result]


def _load(outcome: Outcome, task: _Task) -> _Result:
    """Load the environment's file. The spec itself was loaded by `opened`, once for all environments."""
    if task.inputs.overlay is None:
        return outcome, ()
    patch, problems = load(task.inputs.overlay.content, task.inputs.overlay.path, may_be_empty=True)
    return replace(outcome, patch=patch), problems


def _overlay(outcome: Outcome, task: _Task) -> _Result:
    document, problems = overlay(_document(outcome), task.inputs.environment, outcome.patch, task.inputs.beside)
    return replace(outcome, document=document), problems


def _substitute(outcome: Outcome, task: _Task) -> _Result:
    if has_sites(_document(outcome)):
        from modelyard.sites.bound import SiteChoices, with_sites  # only a few specs have sites

        site_choices = SiteChoices(task.inputs.tables, task.choices, task.before)
        overlays = task.inputs.beside.values()
        document, bound, problems = with_sites(_document(outcome), task.inputs.variables, overlays, site_choices)
        return replace(outcome, document=document, bound=bound), problems
    inputs = task.inputs
    document, problems = substitute(_document(outcome), inputs.variables, inputs.beside.values(), tables=inputs.tables)
    return replace(outcome, document=document), problems


def _validate(outcome: Outcome, task: _Task) -> _Result:
    """Report where the document does not fit the schema."""
    return outcome, validate(_document(outcome))


def _resolve(outcome: Outcome, task: _Task) -> _Result:
    system, problems = resolve(_document(outcome), task.environment, task.targets)
    if system is not None and outcome.bound is not None:
        system = at_sites(system, outcome.bound)
    if system is not None and task.other is not None:
        system = shared(system, task.other)
    return replace(outcome, system=system), problems


def _check(outcome: Outcome, task: _Task) -> _Result:
    system = _system(outcome)
    approvals, problems = signed(system, task.inputs.approvals)
    system = replace(system, signed=approvals)
    return replace(outcome, system=system), (*check(system, task.targets.rules(system)), *problems)


def _plan(outcome: Outcome, task: _Task) -> _Result:
    system = _system(outcome)
    offers = {name: target.offer_for(system.target(name)) for name, target in _used(system, task).items()}
    planned, problems = plan(system, offers)
    return replace(outcome, plan=planned), problems


def _fit(outcome: Outcome, task: _Task) -> _Result:
    """Report features that the targets do not support, and costs that exceed the budget."""
    planned = _planned(outcome)
    targets = _used(planned.system, task)
    problems = tuple(check_catalog(planned, {name: target.catalog for name, target in targets.items()}))
    if has_errors(problems):
        return outcome, problems
    problems += tuple(problem for name, target in targets.items() for problem in target.check(planned, name))
    if has_errors(problems) or planned.system.governance.budget is None or outcome.bound is not None:
        return outcome, problems
    lines = (line for name, target in targets.items() for line in target.lines(planned, name, NO_USAGE))
    return outcome, (*problems, *check_budget(planned, lines))


STAGES: Final[tuple[tuple[Stage, _Step], ...]] = (
    (Stage.LOAD, _load),
    (Stage.OVERLAY, _overlay),
    (Stage.SUBSTITUTE, _substitute),
    (Stage.VALIDATE, _validate),
    (Stage.RESOLVE, _resolve),
    (Stage.CHECK, _check),
    (Stage.PLAN, _plan),
    (Stage.FIT, _fit),
)
"""The stages that report diagnostics. For a spec without errors, they are followed by `lower` and `emit`."""


def _passed(outcome: Outcome, task: _Task, first: Stage, last: Stage) -> Outcome:
    """Run these stages and return the outcome, stopping after the first stage that reports an error."""
    for stage, step in STAGES:
        if first <= stage <= last:
            outcome, problems = step(outcome, task)
            outcome = outcome.after(stage, problems)
            if outcome.failed:
                break
    return outcome


def opened(inputs: Inputs, like: Document | None = None) -> Outcome:
    """Return the spec as written, with all its environments. `like` is another version of it, if there is one."""
    document, problems = load(inputs.spec.content, inputs.spec.path, like=like)
    return Outcome(document=document).after(Stage.LOAD, problems)


def read(inputs: Inputs, spec: Outcome | None = None) -> Outcome:
    """Read an environment's document, merging the overlay and substituting variables.

    `spec` is the result of `opened`. Passing it in avoids reading the spec again for each environment.
    """
    return _read(_Task(inputs), spec)


def overlaid(inputs: Inputs) -> Document:
    """Return the document of a valid environment before variables are substituted."""
    return _document(_passed(opened(inputs), _Task(inputs), Stage.LOAD, Stage.OVERLAY))


def as_written(inputs: Inputs) -> tuple[Outcome, Document | None]:
    """Read a document. If it uses site values, also return a version that keeps the references to them.

    The first result contains the values of each group's first site.
    """
    outcome = read(inputs)
    if outcome.bound is None:
        return outcome, None
    from modelyard.sites.binding import Choice
    from modelyard.sites.bound import SiteChoices, unfilled

    choices = {group.name: Choice(None, 0) for group in outcome.bound.groups}
    outcome = _read(_Task(inputs, None, choices, outcome.bound), None)
    site_choices = SiteChoices(inputs.tables, choices)
    return outcome, unfilled(overlaid(inputs), inputs.variables, inputs.beside.values(), site_choices)


def _read(task: _Task, spec: Outcome | None) -> Outcome:
    outcome = _passed(spec or opened(task.inputs), task, Stage.LOAD, Stage.SUBSTITUTE)
    return outcome if outcome.reached is Stage.SUBSTITUTE else replace(outcome, document=None)


def understand(inputs: Inputs, targets: Targets, spec: Outcome | None = None, other: System | None = None) -> Outcome:
    """Plan one environment and check it against its targets, as `validate` does.

    An error hides errors in later stages only if they depend on it. If a target stands for many sites, the spec is
    checked for all of them. Objects that are equal in `other`, the system to compare with, are reused to speed up the
    comparison.
    """
    outcome = _understood(_Task(inputs, targets, other=other), spec)
    if outcome.bound is None:
        return _folded(outcome)
    from modelyard.fleets.judging import judged

    def again(choices: Mapping[str, Choice]) -> Outcome:
        return _understood(_Task(inputs, targets, choices, outcome.bound, other), spec)

    return _folded(judged(outcome, again, targets))


def _folded(outcome: Outcome) -> Outcome:
    """Merge diagnostics that are the same for many rows of a list into one."""
    if outcome.document is None or not outcome.document.repeated or not outcome.diagnostics:
        return outcome
    from modelyard.sites.folding import Repeats, folded_diagnostics  # only a few specs have lists

    aside = map(Repeats.of(outcome.document.repeated).general, outcome.aside)
    pairs = tuple(folded_diagnostics(outcome.diagnostics, outcome.document.repeated))
    stages = {diagnostic: min(outcome.stages[member] for member in members) for diagnostic, members in pairs}
    return replace(
        outcome,
        diagnostics=tuple(diagnostic for diagnostic, _ in pairs),
        stages=stages,
        aside=tuple(dict.fromkeys(aside)),
    )


def _understood(task: _Task, spec: Outcome | None) -> Outcome:
    outcome = _read(task, spec)
    if outcome.failed:
        return replace(outcome, waiting=tuple(stage for stage in Stage if stage > outcome.reached))
    return _judged_whole(outcome, task)


def understood(outcome: Outcome, inputs: Inputs, targets: Targets) -> Outcome:
    """Plan a document and check it against its targets. The document may differ from the one in `inputs`."""
    return _judged_whole(outcome, _Task(inputs, targets))


def _judged_whole(outcome: Outcome, task: _Task) -> Outcome:
    """Check a document in all stages from validation on. After an error, also find later, independent ones."""
    document = _document(outcome)
    outcome = _passed(outcome, task, Stage.VALIDATE, Stage.FIT)
    if not outcome.failed or outcome.reached is Stage.FIT:
        return outcome
    from modelyard.further import further  # only needed for specs with errors

    unsigned, bound = _Task(replace(task.inputs, approvals=()), task.targets), outcome.bound
    outcome = further(document, outcome, lambda other: _judged(other, bound, unsigned, Stage.FIT))
    hidden = {diagnostic.span for diagnostic in outcome.diagnostics if diagnostic.secret}
    secrets = (diagnostic for diagnostic in secret_literals(document) if diagnostic.span not in hidden)
    return replace(outcome.after(Stage.CHECK, secrets), reached=outcome.reached)


def drawn(inputs: Inputs, targets: Targets, spec: Outcome | None = None) -> Plan | None:
    """Plan one environment without checking its targets. Returns None if an earlier stage reports an error."""
    outcome = read(inputs, spec)
    if outcome.document is None:
        return None
    return _judged(outcome.document, outcome.bound, _Task(replace(inputs, approvals=()), targets), Stage.PLAN).plan


def compile_system(inputs: Inputs, targets: Targets) -> Outcome:
    """Compile one environment into one stack per target, sorted by target name."""
    outcome = understand(inputs, targets)
    if outcome.failed:
        return outcome
    planned = _planned(outcome)
    used_targets = planned.system.deployment.targets
    stacks = tuple(targets[target.provider].lower(planned, target.name) for target in used_targets)
    if outcome.fleets:
        from modelyard.fleets.stacks import with_fleets

        stacks = with_fleets(stacks, outcome.fleets, planned, targets)
    return replace(outcome, stacks=stacks)


def _judged(document: Document, bound: Bound | None, task: _Task, last: Stage) -> Outcome:
    """Run the stages from validation on. The outcome doesn't include the diagnostics of earlier stages."""
    return _passed(Outcome(document=document, bound=bound), task, Stage.VALIDATE, last)


def _used(system: System, task: _Task) -> Mapping[str, Target]:
    return {target.name: task.targets[target.provider] for target in system.deployment.targets}


def has_sites(document: Document) -> bool:
    """Return whether any target in the document represents many sites."""
    deployment = document.value.get("deployment")
    targets = deployment.get("targets") if isinstance(deployment, dict) else None
    entries = (deployment, *(targets.values() if isinstance(targets, dict) else ()))
    return any(isinstance(entry, dict) and isinstance(entry.get("sites"), dict) for entry in entries)


def _document(outcome: Outcome) -> Document:
    assert outcome.document is not None
    return outcome.document


def _system(outcome: Outcome) -> System:
    assert outcome.system is not None
    return outcome.system


def _planned(outcome: Outcome) -> Plan:
    assert outcome.plan is not None
    return outcome.plan
