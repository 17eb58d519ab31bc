"""Review a change to a spec: compare the two versions in every environment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from modelyard.diagnostics import Diagnostic, Severity
from modelyard.inputs import BASE_FOLDER
from modelyard.plan import Plan
from modelyard.records import record, replace
from modelyard.review import further
from modelyard.review.cost_findings import UsageOf, assumed, cost_changes, costs_of_new
from modelyard.review.effect_findings import created_by_up, effects_of_up
from modelyard.review.enforced import with_enforcement
from modelyard.review.findings import Finding, Level, facts, folded
from modelyard.review.issuers import with_opened_stores
from modelyard.review.judging import judged
from modelyard.review.pins import Locks, upgraded
from modelyard.review.previews import Preview
from modelyard.review.renames import renames
from modelyard.review.rows import for_rows, repeats_of
from modelyard.review.shared_places import on_shared_places
from modelyard.review.sides import Sides
from modelyard.review.warnings import warnings
from modelyard.source import Span
from modelyard.spec import Dataset, System
from modelyard.stages import Outcome, Stage
from modelyard.target import Targets

if TYPE_CHECKING:
    from modelyard.review.site_pairs import SitePair

NO_LOCKS: Final = Locks()


@record
class Unjudged:
    """An environment that can't be judged because one version (`side`) doesn't compile there."""

    environment: str
    side: str  # before after
    diagnostics: tuple[Diagnostic, ...]


@record
class Review:
    """The findings for all environments, and the environments that couldn't be judged.

    `environments` lists the environments that were compared. `is_first` is set if the spec didn't exist before.
    `agreement` says who must agree, if the review contains anything significant.
    """

    system: str
    findings: tuple[Finding, ...]
    environments: tuple[str, ...]
    unjudged: tuple[Unjudged, ...] = ()
    is_first: bool = False
    agreement: str = ""

    def count(self, level: Level) -> int:
        """Return the number of findings at a level."""
        return sum(finding.level is level for finding in self.findings)

    @property
    def worst(self) -> Level:
        """The highest level among the findings that have not been accepted."""
        return max((finding.level for finding in self.findings if not finding.accepted), default=Level.QUIET)

    def count_accepted(self, level: Level) -> int:
        """Return the number of accepted findings at a level."""
        return sum(finding.level is level and bool(finding.accepted) for finding in self.findings)


_SECTIONS: Final = ("stores", "compute", "data", "models", "pipelines", "inference", "monitors", "channels")

Outcomes: TypeAlias = Mapping[str, Outcome]
"""The outcome of compiling each environment, by name; the base is `default`."""


def compared(
    before: Outcomes,
    after: Outcomes,
    targets: Targets,
    locks: Locks = NO_LOCKS,
    previews: tuple[Preview, ...] = (),
    usage_of: UsageOf = assumed,
) -> Review:
    """Compare two versions of a spec in every environment of either version, using the given Pulumi previews."""
    findings: list[Finding] = []
    unjudged: list[Unjudged] = []
    names = tuple(dict.fromkeys((*after, *before)))
    for name in names:
        old, new = before.get(name), after.get(name)
        if new is None:
            findings += _gone(name, old)
            continue
        if old is None:
            base = before.get(BASE_FOLDER)
            findings += _written(_fresh(name, new, base, targets, usage_of), base, new)
            unjudged += _failures(name, None, new)
            continue
        unjudged += _failures(name, old, new)
        old = _in_terms_of(new, old)
        findings += _written(_findings(old, new, targets, usage_of), old, new)
        findings += _written(_previewed(old, new, targets, previews), old, new)
        findings += upgraded(locks, name, old, targets)
    findings = list(on_shared_places(findings, after))
    common = tuple(name for name in names if name in before and name in after)
    outcomes = (*after.values(), *before.values())
    joined = for_rows(folded(findings), repeats_of(outcomes))
    return Review(_system_name(outcomes), folded(joined), common, tuple(unjudged))


def introduced(after: Outcomes, targets: Targets, usage_of: UsageOf = assumed) -> Review:
    """Review a spec that did not exist before, in which everything is new."""
    findings: list[Finding] = []
    unjudged: list[Unjudged] = []
    for name, outcome in after.items():
        unjudged += _failures(name, None, outcome)
        system = _at_every_site(outcome)
        if system is not None:
            findings += _written(judged(Sides(_emptied(system), system)), None, outcome)
            findings += _written(_begins(outcome, system, targets, usage_of), None, outcome)
    joined = for_rows(folded(findings), repeats_of(after.values()))
    return Review(_system_name(tuple(after.values())), folded(joined), tuple(after), tuple(unjudged), is_first=True)


def _written(findings: Iterable[Finding], old: Outcome | None, new: Outcome) -> Iterable[Finding]:
    """Replace site markers in the findings with references to site values."""
    if all(outcome is None or outcome.bound is None for outcome in (old, new)):
        return findings
    from modelyard.review.site_markers import without_markers  # only a few specs have sites

    return without_markers(findings, old, new)


def _emptied(system: System) -> System:
    """Return a copy of the system without workloads or data, keeping its targets, rules and registry."""
    nothing: dict[str, Any] = {name: {} for name in _SECTIONS}
    return replace(system, **nothing, overrides=(), moved=None)


def _gone(name: str, old: Outcome | None) -> Iterator[Finding]:
    path = ("environments", name)
    if old is not None:
        why = "its stacks keep running and costing money until `pulumi destroy`"
        was = _key(old, path)
        message = f"environment {name} is removed"
        if name == BASE_FOLDER:
            message = "the base no longer compiles without an environment"
            why = f"if it is deployed by itself, {why}"
        yield Finding("R912", Level.DANGER, path, message, why, before=name, environments=(name,), was_at=was)


def _fresh(name: str, new: Outcome, base: Outcome | None, targets: Targets, usage_of: UsageOf) -> Iterator[Finding]:
    """Report a new environment, comparing it with both an empty system and the old base.

    The comparison with an empty system shows what runs in the environment. The comparison with the base shows changes
    to gates, approvals and everything else the base already has. Only significant findings are included. Since nothing
    moves into a new environment, a location or name that isn't in the base doesn't count as a change.
    """
    path = ("environments", name)
    yield Finding(
        "R911",
        Level.REVIEW,
        path,
        f"environment {name} is new",
        after=name,
        environments=(name,),
        now_at=_key(new, path),
    )
    system = _at_every_site(new)
    if system is None:
        return
    known: Mapping[str, Dataset] = {} if base is None or base.system is None else base.system.data
    introduced = [
        item
        for item in judged(Sides(_emptied(system), system))
        if item.code != "R300" or known.get(item.path[1]) != system.data[item.path[1]]  # the base has the same data
    ]
    if base is not None and base.system is not None:
        unlike = judged(Sides(_at_every_site(base) or base.system, system))
        introduced += [_unlike_the_base(item) for item in unlike if item.code not in _OF_WHAT_RUNS]
    for finding in {(item.code, item.path): item for item in introduced if item.level >= Level.REVIEW}.values():
        message = f"environment {name} introduces: {finding.message}"
        yield replace(finding, message=message, facts=facts("introduced", finding.facts), was_at=None)
    yield from _begins(new, system, targets, usage_of)


_OF_WHAT_RUNS: Final = frozenset(
    {
        *("R103", "R120", "R122", "R126", "R302", "R412"),  # removals
        *("R310", "R312", "R317", "R408", "R501", "R502", "R504", "R505", "R506", "R507", "R508", "R511", "R513"),
        *("R518", "R519", "R520", "R521", "R523"),
    }
)
"""Codes for changes to resources that already run or hold data, which do not exist in a new environment."""


def _unlike_the_base(finding: Finding) -> Finding:
    """Reword a finding for a new environment, which is compared with the base instead of an earlier version."""
    return replace(
        finding,
        message=finding.message.replace("(was ", "(in the base: "),
        why="" if finding.irreversible else finding.why,
    )


def _begins(new: Outcome, system: System, targets: Targets, usage_of: UsageOf) -> Iterator[Finding]:
    """Report what a new system would create and what it would cost."""
    if new.plan is not None and not new.failed:
        sides = Sides(_emptied(system), system)
        yield from created_by_up(sides, new.plan, targets)
        yield from costs_of_new(sides, new, targets, usage_of)


def _key(outcome: Outcome, path: tuple[str, ...]) -> Span | None:
    return outcome.document.key_span(path) if outcome.document is not None else None


def _failures(name: str, old: Outcome | None, new: Outcome | None) -> Iterator[Unjudged]:
    for side, outcome in (("before", old), ("after", new)):
        if outcome is not None and outcome.failed:
            yield Unjudged(name, side, _errors(outcome))


def _errors(outcome: Outcome) -> tuple[Diagnostic, ...]:
    return tuple(diagnostic for diagnostic in outcome.diagnostics if diagnostic.severity is Severity.ERROR)


def _findings(old: Outcome, new: Outcome, targets: Targets, usage_of: UsageOf) -> Iterator[Finding]:
    """Yield the findings from comparing two outcomes. If either failed, rights, effects and costs are left out."""
    pairs = _site_pairs(old, new)
    if pairs:  # the same site represents all sites of a group in both versions
        old, new = (_planned(outcome, plan) for outcome, plan in ((old, pairs[0].before), (new, pairs[0].after)))
    before, after = _systems(old, new)
    if before is None or after is None:
        return
    sides = Sides(before, after)
    plan = None if old.failed or new.failed else new.plan

    def by_rules(sides: Sides) -> Iterable[Finding]:
        if plan is None:
            return judged(sides)
        return with_opened_stores(with_enforcement(judged(sides), sides, plan, targets), old.plan, plan)

    findings, at_some_sites = _judged(pairs, sides, by_rules)
    yield from findings
    yield from further.coverage(sides)
    yield from further.switched_rules(sides, tuple(targets.rules(after)))
    yield from renames(sides)
    yield from further.signatures(sides)
    if old.bound is not None and new.bound is not None:
        from modelyard.review.site_values import site_changes  # only a few specs have sites

        of_sites = tuple(site_changes(old, new, after.environment, pairs, by_rules, findings))
        yield from of_sites
        known = {(finding.code, finding.path) for finding in of_sites}
        yield from (finding for finding in at_some_sites if (finding.code, finding.path) not in known)
    if old.failed or new.failed:
        return
    yield from warnings(sides, old, new)
    if old.plan is not None and new.plan is not None:
        yield from further.rights(sides, old.plan, new.plan)
        yield from _effects(sides, old, new, targets, pairs)
        yield from cost_changes(sides, old, new, targets, usage_of)


def _systems(old: Outcome, new: Outcome) -> tuple[System | None, System | None]:
    """Return the systems of both outcomes. If only one version has errors, both use values of the same sites."""
    before, after = _complete_system(old), _complete_system(new)
    if before is None or after is None or old.failed is new.failed or not (old.fleets or new.fleets):
        return before, after
    from modelyard.review.site_systems import as_at_sites_of  # only a few specs have sites

    return as_at_sites_of(new, old) or before, as_at_sites_of(old, new) or after


def _site_pairs(old: Outcome, new: Outcome) -> tuple[SitePair, ...]:
    if not (old.fleets and new.fleets):
        return ()
    from modelyard.review.site_pairs import site_pairs  # only a few specs have sites

    return site_pairs(old, new)


def _in_terms_of(new: Outcome, old: Outcome) -> Outcome:
    """Return the old version's outcome with the same markers for site values as the new version's."""
    if not (old.fleets and new.fleets):
        return old
    from modelyard.review.site_terms import in_terms_of  # only a few specs have sites

    return in_terms_of(new, old)


def _judged(
    pairs: tuple[SitePair, ...], sides: Sides, by_rules: Callable[[Sides], Iterable[Finding]]
) -> tuple[list[Finding], list[Finding]]:
    """Return the findings about two systems, and those that apply only to some sites."""
    if not pairs:
        return list(by_rules(sides)), []
    from modelyard.review.site_overrides import judged_at_sites  # only a few specs have sites

    return judged_at_sites(pairs, sides, by_rules)


def _planned(outcome: Outcome, plan: Plan) -> Outcome:
    return replace(outcome, plan=plan, system=plan.system)


def _effects(
    sides: Sides, old: Outcome, new: Outcome, targets: Targets, pairs: tuple[SitePair, ...]
) -> Iterator[Finding]:
    """Yield findings about what `pulumi up` does on each target.

    For targets with sites, each pair of an old and a new site kind is compared.
    """
    if old.plan is None or new.plan is None:
        return
    if not pairs:
        yield from effects_of_up(sides, old.plan, new.plan, targets)
        return
    from modelyard.review.site_pairs import effects_at_sites  # only a few specs have sites

    grouped = {pair.target for pair in pairs}
    yield from effects_of_up(sides, old.plan, new.plan, targets, lambda target: target not in grouped)
    yield from effects_at_sites(pairs, old.fleets, new.fleets, targets)


def _previewed(old: Outcome, new: Outcome, targets: Targets, previews: tuple[Preview, ...]) -> Iterator[Finding]:
    """Yield findings about Pulumi previews, provided that both versions of the spec compile."""
    before, after = _complete_system(old), _complete_system(new)
    if previews and before is not None and after is not None and not (old.failed or new.failed):
        from modelyard.review.preview_findings import preview_findings  # only a few reviews have previews

        yield from preview_findings(Sides(before, after), old, new, targets, previews)


def _complete_system(outcome: Outcome) -> System | None:
    """Return an outcome's system, or None if it is incomplete because entries with errors were set aside."""
    system = outcome.system
    if system is None or outcome.reached < Stage.RESOLVE or (outcome.document is not None and outcome.document.aside):
        return None
    return system


def _at_every_site(outcome: Outcome) -> System | None:
    """Return an outcome's complete system with the overrides of all sites, not only those of the first."""
    system = _complete_system(outcome)
    if system is None or not outcome.fleets:
        return system
    from modelyard.review.site_overrides import with_every_override  # only a few specs have sites

    return with_every_override(system, outcome.fleets)


def _system_name(outcomes: tuple[Outcome, ...]) -> str:
    return next((outcome.system.metadata.name for outcome in outcomes if outcome.system is not None), "")
