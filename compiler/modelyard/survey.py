"""Check a spec in all its environments, reporting each problem once along with the affected environments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from modelyard.diagnostics import Diagnostic, in_order
from modelyard.inputs import Inputs
from modelyard.neighbours import check_neighbours, places_of
from modelyard.paths import paths_at
from modelyard.pipeline import Outcome, Stage, understand
from modelyard.plan import Plan
from modelyard.records import field, record, replace
from modelyard.source import Document, Path
from modelyard.target import Targets

_BASE: Final = "the base"
_MOST_NAMES: Final = 5
_UNUSED: Final = frozenset({"W0412", "W0687"})
"""The codes for unused entries and lists, which are reported only if no environment uses them."""


@record
class Survey:
    """The problems in the base and every environment, and whether the base compiles on its own.

    `waiting` and `aside` are taken from outcomes with errors. `plans` is keyed by environment, using None for the base.
    """

    diagnostics: tuple[Diagnostic, ...]
    base_is_whole: bool
    waiting: tuple[Stage, ...] = ()
    aside: tuple[str, ...] = ()
    plans: Mapping[str | None, Plan] = field(default_factory=dict[str | None, Plan])


def survey(inputs: Inputs, spec: Outcome, names: Iterable[str], targets: Targets) -> Survey:
    """Collect the problems that `understand` reports for the base and each environment.

    `spec` is the result of `opened`. The base may lack fields that every environment adds, so an incomplete base is not
    an error.
    """
    outcomes = {_BASE: understand(inputs, targets, spec)}
    for name in names:
        environment_inputs = replace(inputs, environment=name, overlay=inputs.beside.get(name))
        outcomes[name] = understand(environment_inputs, targets, spec)
    runs = {name: _Run.of(outcome) for name, outcome in outcomes.items()}
    deferred = _left_to_environments(spec.document, runs)
    reported: list[Diagnostic] = []
    for key, problem in {
        key: diagnostic for run in reversed(runs.values()) for key, diagnostic in run.problems.items()
    }.items():
        affected, stage = [name for name, run in runs.items() if key in run.problems], _stage(key, runs.values())
        elsewhere = any(key not in run.problems and run.reached >= stage for run in runs.values())
        if key in deferred or (elsewhere and problem.code in _UNUSED):
            continue
        reported.append(_placed(problem, affected) if elsewhere and stage >= Stage.SUBSTITUTE else problem)
    judged = [outcome for name, outcome in outcomes.items() if name != _BASE or not deferred]
    waiting = tuple(sorted({stage for outcome in judged for stage in outcome.waiting}))
    aside = tuple(sorted({address for outcome in judged for address in outcome.aside}))
    plans: dict[str | None, Plan] = {
        None if name == _BASE else name: outcome.plan for name, outcome in outcomes.items() if outcome.plan
    }
    if spec.document is not None:
        named_plans = {name: plan for name, plan in plans.items() if name is not None}
        reported += check_neighbours(named_plans, places_of(inputs, spec.document, named_plans))
    return Survey(in_order(reported), not deferred, waiting, aside, plans)


@record
class _Run:
    """An environment's problems and stages. Hints are stripped, since they may differ between environments."""

    problems: Mapping[Diagnostic, Diagnostic]
    stages: Mapping[Diagnostic, Stage]
    reached: Stage
    document: Document | None

    @classmethod
    def of(cls, outcome: Outcome) -> _Run:
        """Create the run for an outcome."""
        keys = {problem: replace(problem, hint="", meant=None) for problem in outcome.diagnostics}
        stages = {key: outcome.stages[problem] for problem, key in keys.items()}
        problems = {key: problem for problem, key in keys.items()}
        return cls(problems, stages, outcome.reached, outcome.document)


def _stage(key: Diagnostic, runs: Iterable[_Run]) -> Stage:
    return next(run.stages[key] for run in runs if key in run.stages)


def _left_to_environments(spec: Document | None, runs: Mapping[str, _Run]) -> frozenset[Diagnostic]:
    """Return errors about fields that the base lacks but every environment adds."""
    base, *environments = runs.values()
    alone = [
        key
        for key in base.problems
        if key.lacks
        and not any(key in run.problems for run in environments)
        and any(run.reached >= base.stages[key] for run in environments)
    ]
    if not alone or spec is None:
        return frozenset()
    paths = paths_at(spec, [key.span for key in alone if key.span is not None])
    documents = [run.document for run in environments if run.document is not None]
    return frozenset(
        key
        for key in alone
        if key.span is not None
        and all(_is_unchanged(document, spec, path) for document in documents for path in paths[key.span])
    )


def _is_unchanged(document: Document, spec: Document, path: Path) -> bool:
    """Return whether a path has the same key and value as in the base.

    An environment may still add fields to the value.
    """
    is_same_key = document.key_span(path) == spec.key_span(path)
    return is_same_key and document.value_span(path) == spec.value_span(path)


def _placed(problem: Diagnostic, names: list[str]) -> Diagnostic:
    return replace(problem, message=f"{problem.message} (in {_listed(names)})")


def _listed(names: list[str]) -> str:
    if len(names) > _MOST_NAMES:
        names = [*names[: _MOST_NAMES - 1], f"{len(names) - _MOST_NAMES + 1} more"]
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
