"""Findings about effects in a Pulumi preview that the change to the spec doesn't explain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics import previews as problems
from modelyard.diagnostics.base import joined
from modelyard.diagnostics.sites import of_sites
from modelyard.effects import Effects
from modelyard.fleets.stacks import stack_name
from modelyard.plan import Plan
from modelyard.records import record, replace
from modelyard.review.effect_words import enumerated_resources
from modelyard.review.effects import Consequence, Effect, consequences
from modelyard.review.findings import Finding, Level, facts
from modelyard.review.lowered import Item, Items, Key, lowered
from modelyard.review.previews import Preview, Step
from modelyard.review.sides import Sides
from modelyard.review.site_plans import plan_at_site
from modelyard.stages import Outcome
from modelyard.target import Targets

_VERBS: Final = {
    Effect.DESTROYED: "destroys",
    Effect.REPLACED: "replaces",
    Effect.CREATED: "creates",
    Effect.IN_PLACE: "changes",
}
_BY_HARM: Final = (Effect.IN_PLACE, Effect.CREATED, Effect.REPLACED, Effect.DESTROYED)
_EXPLAINS: Final = {
    Effect.CREATED: {Effect.CREATED, Effect.IN_PLACE},
    Effect.IN_PLACE: {Effect.IN_PLACE, Effect.CREATED},
    Effect.ROLLING: {Effect.IN_PLACE, Effect.CREATED, Effect.REPLACED, Effect.DESTROYED},
    Effect.REPLACED: set(Effect),
    Effect.REFUSED: set(Effect),
    Effect.DESTROYED: {Effect.DESTROYED, Effect.IN_PLACE},
}
"""The effects that a preview may show for each effect of a change."""

_ANEW: Final = frozenset({Effect.REPLACED, Effect.REFUSED})
_KUBERNETES: Final = "kubernetes:"
_CHART: Final = "kubernetes:helm.sh/v4:Chart"
_OURS: Final = "modelyard:"
_LONGEST: Final = 200


@record
class ProjectChange:
    """A Pulumi project in either version: its target, its resources, and what is expected to happen to them.

    If the project has a stack for each site, these are the resources of one `site`.
    """

    target: str
    effects: Effects
    items: Items
    expected: Mapping[Key, Consequence]
    site: str = ""


@record
class StackOfTarget:
    """A stack of a Pulumi project, with its target and, if this has sites, its site."""

    stack: str
    project: str
    target: str
    site: str = ""


def foreign(previews: Iterable[Preview], outcomes: Iterable[Outcome], targets: Targets) -> Iterator[Diagnostic]:
    """Report previews of stacks that do not belong to any of the outcomes."""
    known = {(each.stack, each.project) for outcome in outcomes for each in _stacks(outcome, targets)}
    for preview in previews:
        if (preview.stack, preview.project) not in known:
            texts = [f"{project} with stack {stack}" for stack, project in sorted(known)]
            more = [f"{len(texts) - 4} more"] if len(texts) > 4 else []
            yield problems.foreign_preview(preview.span, preview.stack, preview.project, joined([*texts[:4], *more]))


def _stacks(outcome: Outcome, targets: Targets) -> Iterator[StackOfTarget]:
    """Yield the stacks of an environment's projects. A target for many sites has a stack for each site."""
    if outcome.plan is None or outcome.failed:
        return
    system = outcome.plan.system
    for target in system.deployment.targets:
        sites = target.sites.names if target.sites is not None else ("",)
        for project in targets[target.provider].lower(outcome.plan, target.name).projects:
            for site in sites:
                stack = stack_name(system.environment, site) if site else system.environment
                yield StackOfTarget(stack, project.name, target.name, site)


def preview_findings(
    sides: Sides, before: Outcome, after: Outcome, targets: Targets, previews: Sequence[Preview]
) -> Iterator[Finding]:
    """Yield findings about unexplained or missing effects in an environment's previews."""
    stacks = {(each.stack, each.project): each for outcome in (before, after) for each in _stacks(outcome, targets)}
    here = [preview for preview in previews if (preview.stack, preview.project) in stacks]
    if not here:
        return
    projects = project_changes(before, after, targets)
    at_sites: dict[tuple[str, str], dict[str, ProjectChange]] = {}
    for preview in here:
        stack = stacks[preview.stack, preview.project]
        if stack.site and (stack.target, stack.site) not in at_sites:
            at_sites[stack.target, stack.site] = _changes_at_site(before, after, targets, stack)
        changes = at_sites[stack.target, stack.site] if stack.site else projects
        yield from _joined(preview, changes[preview.project], sides)
    seen = {(preview.stack, preview.project) for preview in here}
    missing = _without_preview(stacks[key] for key in stacks.keys() - seen)
    if missing:
        message = f"no preview was given for {joined(missing)}"
        exact = facts(sorted(stacks.keys() - seen))
        yield _finding("R527", Level.NOTE, message, "what is deployed there is unknown", "", sides, exact)


def _without_preview(stacks: Iterable[StackOfTarget]) -> list[str]:
    """Name the projects and, for a target with sites, the sites whose stacks have no preview."""
    sites: dict[str, list[str]] = {}
    for stack in stacks:
        sites.setdefault(stack.project, []).extend([stack.site] if stack.site else [])
    return [f"{project}{of_sites(sorted(names)) if names else ''}" for project, names in sorted(sites.items())]


def project_changes(before: Outcome, after: Outcome, targets: Targets) -> dict[str, ProjectChange]:
    """Return how a change affects each Pulumi project in either version, keyed by project name."""
    assert before.plan is not None
    assert after.plan is not None
    plans = (before.plan, after.plan)
    providers = {target.name: target.provider for plan in plans for target in plan.system.deployment.targets}
    changes: dict[str, ProjectChange] = {}
    for target, provider in providers.items():
        changes |= _changes_of(target, plans, targets, targets[provider].effects())
    return changes


def _changes_at_site(
    before: Outcome, after: Outcome, targets: Targets, stack: StackOfTarget
) -> dict[str, ProjectChange]:
    """Return the effects of a change on the projects of a target at one of its sites, with this site's values."""
    plans = (plan_at_site(before, stack.target, stack.site), plan_at_site(after, stack.target, stack.site))
    provider = next(plan.system.target(stack.target).provider for plan in reversed(plans) if plan is not None)
    changes = _changes_of(stack.target, plans, targets, targets[provider].effects())
    return {name: replace(change, site=stack.site) for name, change in changes.items()}


def _changes_of(
    target: str, plans: tuple[Plan | None, Plan | None], targets: Targets, effects: Effects
) -> dict[str, ProjectChange]:
    """Return the effects on the projects of one target. Without a plan, a version does not have the target's stack."""
    old, new = (_items(plan, target, targets) for plan in plans)
    expected = {consequence.key: consequence for consequence in consequences(old, new, effects)}
    changes: dict[str, ProjectChange] = {}
    for name in dict.fromkeys(key[0] for key in {**old, **new}):
        items = {key: item for key, item in {**old, **new}.items() if key[0] == name}
        own = {key: consequence for key, consequence in expected.items() if key[0] == name}
        changes[name] = ProjectChange(target, effects, items, own)
    return changes


def _items(plan: Plan | None, target: str, targets: Targets) -> Items:
    return {} if plan is None else lowered(plan, target, targets)


def _joined(preview: Preview, project: ProjectChange, sides: Sides) -> Iterator[Finding]:
    """Yield findings about differences between a preview and the effects expected for the same project."""
    shown = consequences_in(preview, project)
    in_order = sorted(shown.values(), key=lambda consequence: consequence.key)  # the engine's order varies
    for effect in reversed(_BY_HARM):
        beyond = [
            consequence
            for consequence in in_order
            if consequence.effect is effect and not _is_explained(consequence, project)
        ]
        names = enumerated_resources(beyond, project.effects)
        if names:
            message = (
                f"the preview of {_name(preview, project)} {_VERBS[effect]} {names}, which this change does not explain"
            )
            why = "what is deployed is not the old version: someone changed it by hand, or applied a different version"
            every = _every(preview, beyond)
            yield _finding("R524", _level(beyond, effect, project), message, why, project.target, sides, every)
    if preview.errors:
        yield from _failed(preview, project, sides)
        return
    missing = [
        consequence
        for key, consequence in project.expected.items()
        if key not in shown and _must_show(consequence, shown, project)
    ]
    names = enumerated_resources(missing, project.effects)
    if names:
        message = f"the preview of {_name(preview, project)} does not change {names}, although this change does"
        why = "the change may already be applied, or the preview is of a different version"
        yield _finding("R525", Level.REVIEW, message, why, project.target, sides, _every(preview, missing))


def _name(preview: Preview, project: ProjectChange) -> str:
    """Name the previewed project and, if it has a stack for each site, the stack."""
    return f"{preview.project} with stack {preview.stack}" if project.site else preview.project


def _failed(preview: Preview, project: ProjectChange, sides: Sides) -> Iterator[Finding]:
    """Yield a finding about a preview's first error. It is not a danger if the change is refused anyway."""
    known = any(consequence.effect is Effect.REFUSED for consequence in project.expected.values())
    message = f"the preview of {_name(preview, project)} fails: {preview.errors[0][:_LONGEST]}"
    more = len(preview.errors) - 1
    why = f"{more} more {'error' if more == 1 else 'errors'}" if more else ""
    level = Level.REVIEW if known else Level.DANGER
    every = facts(preview.stack, preview.project, preview.errors)
    yield _finding("R526", level, message, why, project.target, sides, every)


def _level(affected: Iterable[Consequence], effect: Effect, project: ProjectChange) -> Level:
    losses = {project.effects.part(consequence.item.kind).holds for consequence in affected}
    if effect in {Effect.DESTROYED, Effect.REPLACED} and losses & {"data", "everything", "requests"}:
        return Level.DANGER
    return Level.REVIEW


def _must_show(consequence: Consequence, shown: Mapping[Key, Consequence], project: ProjectChange) -> bool:
    """Return whether a preview must show an effect of a change.

    Previews don't show what the cloud does later, such as updating nodes to the cluster's version, or that objects
    disappear along with another project's cluster. A resource that only refers to a replaced resource may also turn out
    to be unchanged.
    """
    if (
        consequence.effect is Effect.LEFT
        or is_provider(consequence.item, project)
        or is_spared(consequence, shown, project)
    ):
        return False
    follows_in_place = consequence.effect in {Effect.IN_PLACE, Effect.ROLLING} and not consequence.in_turn
    return bool(consequence.paths) or not (
        follows_in_place or ("/" in consequence.item.kind and consequence.effect is Effect.REPLACED)
    )


def is_spared(consequence: Consequence, shown: Mapping[Key, Consequence], project: ProjectChange) -> bool:
    """Return whether the preview keeps every resource whose replacement would force this one to be replaced.

    Pulumi tries to move a cluster to another network in place, which no cloud can do, so its preview leaves dependent
    resources unchanged.
    """
    if consequence.paths or consequence.effect not in _ANEW:
        return False
    needs = (key for keys in consequence.item.needs.values() for key in keys)
    causes = [key for key in needs if key in project.expected and project.expected[key].effect in _ANEW]
    return bool(causes) and all(key in shown and shown[key].effect is Effect.IN_PLACE for key in causes)


def is_provider(item: Item, project: ProjectChange) -> bool:
    """Return whether an item is a Pulumi provider, whose steps in a preview are not compared."""
    return project.effects.part(item.kind).type.startswith("pulumi:providers:")


def _is_explained(consequence: Consequence, project: ProjectChange) -> bool:
    expected = project.expected.get(consequence.key)
    if expected is not None and consequence.effect in _EXPLAINS.get(expected.effect, set()):
        return True
    return consequence.effect is Effect.IN_PLACE and follows(consequence.item, project)


def follows(item: Item, project: ProjectChange) -> bool:
    """Return whether an item depends, directly or indirectly, on another item that changes."""
    needs = [key for keys in item.needs.values() for key in keys]
    return any(key in project.expected or follows(project.items[key], project) for key in needs)


def consequences_in(preview: Preview, project: ProjectChange) -> dict[Key, Consequence]:
    """Return a preview's effect on each item. For a component, this is the worst effect on its main resource."""
    worst: dict[Key, Consequence] = {}
    for step in preview.steps:
        if step.urn.type.startswith(("pulumi:pulumi:", "pulumi:providers:")):
            continue
        key, item = item_of(step, project)
        effect = step.effect if _is_main(step, item, project) else Effect.IN_PLACE
        known = worst.get(key)
        if known is None or _BY_HARM.index(effect) > _BY_HARM.index(known.effect):
            worst[key] = Consequence(key, item, effect)
    return worst


def _is_main(step: Step, item: Item, project: ProjectChange) -> bool:
    """Return whether a step is about an object, a component or its main resource, as opposed to a detail.

    Details are resources such as grants or alarms. A component has several of them, and losing one loses nothing of
    value.
    """
    part = project.effects.part(item.kind)
    is_main = step.urn.type == part.type and (bool(part.holds) or step.urn.name == item.name)
    return "/" in item.kind or step.urn.type.startswith(_OURS) or is_main


def item_of(step: Step, project: ProjectChange) -> tuple[Key, Item]:
    """Return the item a step belongs to. If it isn't in either version, its name comes from the preview."""
    kind, name = _kind_and_name(step)
    key = (step.urn.project, kind, name)
    if key in project.items:
        return key, project.items[key]
    alike = [(known, item) for known, item in project.items.items() if _is_same(known, item, kind, name, project)]
    if alike:
        return alike[0]
    return key, Item(kind, name, {})


def _is_same(known: Key, item: Item, kind: str, name: str, project: ProjectChange) -> bool:
    """Return whether a step's kind and name refer to an item even though they aren't its own.

    Some components, such as resource groups, show up in the preview only as their main resource. A name may also differ
    if it starts with the item's name, or if the item is the only one of its kind.
    """
    if "/" not in item.kind and project.effects.part(item.kind).type == kind and name.rpartition("/")[2] == item.name:
        return True
    return "/" not in kind and item.kind == kind and (name.startswith(item.name) or _is_only(known, project))


def _is_only(known: Key, project: ProjectChange) -> bool:
    return sum(key[1] == known[1] for key in project.items) == 1


def _kind_and_name(step: Step) -> tuple[str, str]:
    """Return the kind and name of an object, or of the outermost component that contains a resource."""
    types, name = step.urn.types, step.urn.name
    parent = step.parent.name if step.parent is not None else name
    if _CHART in types:
        return "kubernetes.Chart", name if step.urn.type == _CHART else parent
    own = [kind for kind in types if kind.startswith(_OURS) and not kind.endswith(":Manifests")]
    if own:
        _, provider, component = own[0].split(":", 2)
        return f"{provider}.{component}", name if step.urn.type == own[0] else parent
    if step.urn.type.startswith(_KUBERNETES):
        version, _, kind = step.urn.type.removeprefix(_KUBERNETES).rpartition(":")
        return f"{version}/{kind}", name
    return step.urn.type, name


def _every(preview: Preview, consequences: Iterable[Consequence]) -> str:
    """List all affected resources, including any the message only counts, so an acceptance covers exactly these."""
    listed = sorted(
        (consequence.effect.name, consequence.item.kind, consequence.item.name) for consequence in consequences
    )
    return facts(preview.stack, preview.project, listed)


def _finding(
    code: str, level: Level, message: str, why: str, target: str, sides: Sides, distinguishing: str
) -> Finding:
    path = ("deployment", "targets", target) if target else ("deployment",)
    return Finding(code, level, path, message, why, environments=(sides.after.environment,), facts=distinguishing)
