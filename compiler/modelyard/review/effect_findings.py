"""Findings about the effects of `pulumi up`: one for each target and effect, naming the affected resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from modelyard.effects import Effects
from modelyard.plan import Plan
from modelyard.records import record
from modelyard.review.effect_words import enumerated, is_of_workload, named, owners, reasons, texts_of
from modelyard.review.effects import PROTECTED, Consequence, Effect, consequences
from modelyard.review.findings import Finding, Level, facts
from modelyard.review.lowered import lowered
from modelyard.review.reach import reached_by
from modelyard.review.sides import Sides
from modelyard.review.touched import touched
from modelyard.spec import System
from modelyard.target import Targets

_PROVIDERS_OF_PULUMI: Final = "pulumi:providers:"
_STOPPED: Final = {
    "replaces": "would replace",
    "destroys": "would destroy",
    "rolls out": "would roll out",
    "creates": "would create",
    "changes": "would change",
}
"""What `pulumi up` does, and how to word it if `pulumi up` stops before that."""


@record
class OnTarget:
    """The effects on a target, determined with its provider's tables.

    `place` is the target's previous region, and `kept` are the spec entries that both versions contain.
    """

    name: str
    found: tuple[Consequence, ...]
    effects: Effects
    place: str = ""
    kept: frozenset[str] = frozenset()

    def of(self, *wanted: Effect) -> tuple[Consequence, ...]:
        """Return the resources with one of these effects, except those that contain only settings."""
        return tuple(
            one
            for one in self.found
            if one.effect in wanted and not self._is_setting(one) and not self.is_part_of_a_change(one)
        )

    def is_part_of_a_change(self, one: Consequence) -> bool:
        """Return whether a dispensable object is created or destroyed while its workload remains."""
        comes_or_goes = one.effect in {Effect.CREATED, Effect.DESTROYED}
        return comes_or_goes and is_of_workload(one) and one.item.workload in self.kept and not self.holds(one)

    def holds(self, one: Consequence) -> str:
        """Return what is lost with a resource: data, everything, requests, machines, access, or nothing."""
        return self.effects.part(one.item.kind).holds

    def up(self, verb: str) -> str:
        """Describe what `pulumi up` does on this target, or would do if protected resources did not stop it."""
        return f"`pulumi up` {_STOPPED[verb] if self.of(Effect.REFUSED) else verb}"

    def _is_setting(self, one: Consequence) -> bool:
        is_provider = self.effects.part(one.item.kind).type.startswith(_PROVIDERS_OF_PULUMI)
        return is_provider and one.effect is not Effect.IN_PLACE


def on_targets(before: Plan, after: Plan, targets: Targets) -> Iterator[OnTarget]:
    """Yield the effects on each target of either plan."""
    scope = touched(before, after)
    if scope is not None and not scope:
        return  # both versions mean the same
    old = {target.name: target for target in before.system.deployment.targets}
    new = {target.name: target for target in after.system.deployment.targets}
    entries = _entries(before.system) & _entries(after.system)
    for name in {**new, **old}:
        target = new.get(name) or old[name]
        tables = targets[target.provider].effects()
        found = consequences(lowered(before, name, targets, scope), lowered(after, name, targets, scope), tables)
        kept = entries if name in old and name in new and _is_same_namespace(before, after, name) else frozenset[str]()
        yield OnTarget(name, found, tables, old[name].region if name in old else "", kept)


def _is_same_namespace(before: Plan, after: Plan, target: str) -> bool:
    """Return whether a target has the same namespace in both versions. The default is the system's name."""
    old, new = ((plan.system.target(target).namespace or plan.system.metadata.name) for plan in (before, after))
    return old == new


def _entries(system: System) -> frozenset[str]:
    """Return the addresses of all workloads."""
    placed = {"pipelines": system.pipelines, "inference": system.inference, "monitors": system.monitors}
    return frozenset(f"{section}.{name}" for section, entries in placed.items() for name in entries)


def effects_of_up(sides: Sides, before: Plan, after: Plan, targets: Targets) -> Iterator[Finding]:
    """Yield one finding for each target and effect."""
    for target in on_targets(before, after, targets):
        yield from _refused(target, sides)
        yield from _lost(target, sides)
        yield from _rolling(target, sides)
        yield from _left(target, sides)
        yield from _harmless(target, sides)


def created_by_up(sides: Sides, after: Plan, targets: Targets) -> Iterator[Finding]:
    """Report what `pulumi up` creates in a new environment."""
    for one in after.system.deployment.targets:
        tables = targets[one.provider].effects()
        found = consequences({}, lowered(after, one.name, targets), tables)
        yield from _harmless(OnTarget(one.name, found, tables), sides)


def _refused(target: OnTarget, sides: Sides) -> Iterator[Finding]:
    """Report what stops `pulumi up`, grouped by reason."""
    by_reason: dict[str, list[Consequence]] = {}
    for one in target.of(Effect.REFUSED):
        by_reason.setdefault(one.why, []).append(one)
    for reason, found in by_reason.items():
        names = named(found, target.effects)
        if reason == PROTECTED:
            what = f"it would have to delete {names}, which {'is' if len(found) == 1 else 'are'} protected"
            why = "nothing changes until this is undone, or someone lifts the protection and deletes the resources"
        else:
            what = f"{reason}: {names}"
            why = "nothing changes until this is undone"
        yield _finding("R519", Level.DANGER, f"`pulumi up` stops: {what}", why, found, target, sides)


def _lost(target: OnTarget, sides: Sides) -> Iterator[Finding]:
    """Report what is replaced or destroyed."""
    replaced = [one for one in target.of(Effect.REPLACED) if _is_noticed(target, one)]
    if replaced:
        message = f"{target.up('replaces')} {named(replaced, target.effects)}"
        yield _finding("R502", _level(replaced, target), message, _loss(replaced, target), replaced, target, sides)
    destroyed = target.of(Effect.DESTROYED)
    names = _most(destroyed, target)
    if names:
        message = f"{target.up('destroys')} {names}"
        yield _finding("R520", _level(destroyed, target), message, _loss(destroyed, target), destroyed, target, sides)


def _is_noticed(target: OnTarget, one: Consequence) -> bool:
    """Return whether replacing a resource is noticeable, unlike replacing a ConfigMap or a finished Job."""
    return bool(target.holds(one))


def _most(found: Sequence[Consequence], target: OnTarget) -> str:
    """Name the resources that matter, and workloads that lose only other objects. If nothing matters, name all."""
    noticed = [one for one in found if _is_noticed(target, one)]
    if not noticed:
        return owners(found, target.effects, "objects of ")
    with_all = any(target.holds(one) == "everything" for one in noticed)
    covered = {one.item.workload for one in noticed}
    others = [one for one in found if is_of_workload(one) and not with_all and one.item.workload not in covered]
    more = owners(others, target.effects, "objects of ")
    return enumerated([*texts_of(noticed, target.effects), *([more] if more else [])])


def _level(found: Sequence[Consequence], target: OnTarget) -> Level:
    """Return the level of a loss. The deliberate removal of an endpoint has its own findings."""
    held = {target.holds(one) for one in found}
    is_replaced = any(one.effect is Effect.REPLACED for one in found)
    if held & {"data", "everything"} or ("requests" in held and is_replaced):
        return Level.DANGER
    return Level.REVIEW if any(_is_noticed(target, one) for one in found) else Level.NOTE


_LOSSES: Final = {
    "data": "what they hold is lost",
    "everything": "everything in them stops and is lost",
    "requests": "requests fail until they are back",
    "machines": "Pods on these machines stop and wait for other machines",
    "access": "access ends until it is granted again",
}
_ENDS: Final = {**_LOSSES, "requests": "they no longer serve requests", "access": "access ends"}


def _loss(found: Sequence[Consequence], target: OnTarget) -> str:
    held = {target.holds(one) for one in found}
    texts = _ENDS if found[0].effect is Effect.DESTROYED else _LOSSES
    return "; ".join(text for kind, text in texts.items() if kind in held)


def _rolling(target: OnTarget, sides: Sides) -> Iterator[Finding]:
    """Report what is rolled out. For a platform server, such as the registry, this is only a note."""
    found = target.of(Effect.ROLLING)
    if found:
        level = Level.REVIEW if any(_is_noticed(target, one) for one in found) else Level.NOTE
        message = f"{target.up('rolls out')} {_once(found, target)}"
        yield _finding("R518", level, message, reasons(found, target.effects), found, target, sides)


def _once(found: Sequence[Consequence], target: OnTarget) -> str:
    """Name the resources. Groups of machines that replace each other are named once, by their pool's class."""
    pools = {
        f"the {part.words} of {one.item.values[part.pool]}" if part.named else f"the {part.words}": None
        for one in found
        if (part := target.effects.part(one.item.kind)).pool
    }
    others = [one for one in found if not target.effects.part(one.item.kind).pool]
    return enumerated([*sorted(pools), *texts_of(others, target.effects)])


def _left(target: OnTarget, sides: Sides) -> Iterator[Finding]:
    """Report resources that remain although nothing manages them now, and data that does not move to a new place."""
    found = target.of(Effect.LEFT)
    shown = [one for one in found if target.holds(one)] or found
    names = named(shown, target.effects)
    if names:
        level = Level.DANGER if any(target.holds(one) == "data" for one in found) else Level.REVIEW
        yield _finding("R521", level, f"{names} {_stay(shown)}", _why_left(target, sides), found, target, sides)
    stuck = [one for one in target.of(Effect.REFUSED) if _is_store(target, one)]
    if stuck and _moves_to(target, sides):
        what = f"the data in {named(stuck, target.effects)} stays in {target.place}"
        yield _finding("R521", Level.DANGER, what, "nothing copies it to the new place", stuck, target, sides)


def _is_store(target: OnTarget, one: Consequence) -> bool:
    part = target.effects.part(one.item.kind)
    return part.named and part.holds == "data" and one.why == PROTECTED


def _why_left(target: OnTarget, sides: Sides) -> str:
    """Explain why nothing manages the remaining resources on a target anymore, and what follows from that."""
    names = [one.name for one in sides.after.deployment.targets]
    if target.name not in names:
        cause = f"no stack of {target.name} is written anymore"
    elif sides.before.metadata.name != sides.after.metadata.name:
        cause = "its stacks are named after the system, so they have different names now"
    else:
        cause = "its stacks are no longer written"
    return f"{cause}; what is deployed keeps running and costing money until `pulumi destroy`"


def _stay(found: Sequence[Consequence]) -> str:
    return "stays behind" if len(found) == 1 else "stay behind"


def _moves_to(target: OnTarget, sides: Sides) -> bool:
    """Return whether a target's region has changed."""
    regions = {one.name: one.region for one in sides.after.deployment.targets}
    return bool(target.place) and regions.get(target.name, target.place) != target.place


def _harmless(target: OnTarget, sides: Sides) -> Iterator[Finding]:
    created = target.of(Effect.CREATED)
    names = _most(created, target)
    if names:
        yield _finding("R522", Level.NOTE, f"{target.up('creates')} {names}", "", created, target, sides)
    with_it = any(_is_noticed(target, one) for one in target.of(Effect.REPLACED, Effect.REFUSED))
    changed = [
        one
        for one in target.found
        if one.effect is Effect.IN_PLACE
        or target.is_part_of_a_change(one)
        or (_unnoticed(target, one) and (one.paths or not with_it))
    ]
    names = owners(changed, target.effects)
    if names:
        yield _finding("R523", Level.NOTE, f"{target.up('changes')} in place: {names}", "", changed, target, sides)


def _unnoticed(target: OnTarget, one: Consequence) -> bool:
    return one.effect is Effect.REPLACED and not _is_noticed(target, one)


def _finding(
    code: str,
    level: Level,
    message: str,
    why: str,
    found: Iterable[Consequence],
    target: OnTarget,
    sides: Sides,
) -> Finding:
    affected = tuple(found)
    is_data = any(target.holds(one) == "data" for one in affected)
    softened = sides.is_trial and level is Level.DANGER and not is_data
    return Finding(
        code=code,
        level=Level.REVIEW if softened else level,
        path=("deployment", "targets", target.name),
        message=f"{target.name}: {message}",
        why=why,
        reasons=(f"environment {sides.after.environment} is for trials",) if softened else (),
        reached=_reached(affected, sides) if level > Level.NOTE else (),
        environments=(sides.after.environment,),
        lasting=is_data and level is Level.DANGER,
        facts="" if level is Level.NOTE else _every(affected, target),
    )


def _every(found: Iterable[Consequence], target: OnTarget) -> str:
    """List all resources, even if the message only counts them, so that accepting the finding covers exactly these.

    It also covers only whether `pulumi up` stops before that, and the values at which it stops.
    """
    listed = sorted(
        (one.effect.name, one.item.kind, one.item.name, one.paths if one.effect is Effect.REFUSED else ())
        for one in found
    )
    return facts(bool(target.of(Effect.REFUSED)), listed)


def _reached(found: Iterable[Consequence], sides: Sides) -> tuple[str, ...]:
    """Return the endpoints whose resources are affected, and everything that they reach."""
    reached: dict[str, None] = {}
    for workload in dict.fromkeys(one.item.workload for one in found if one.item.workload.startswith("inference.")):
        section, _, name = workload.partition(".")
        system = sides.after if name in sides.after.inference else sides.before
        reached |= dict.fromkeys((*reached_by(system, (section, name)), workload))
    return tuple(reached)
