"""Findings about what `pulumi up` does: one for each target and effect, with the names of what it affects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from modelyard.effects import Effects
from modelyard.plan import Plan
from modelyard.records import record
from modelyard.review.effect_words import enumerated, named, owners, reasons, texts_of
from modelyard.review.effects import PROTECTED, Consequence, Effect, consequences
from modelyard.review.findings import Finding, Level
from modelyard.review.lowered import lowered
from modelyard.review.reach import reached_by
from modelyard.review.sides import Sides
from modelyard.review.touched import touched
from modelyard.target import Targets

_PROVIDERS_OF_PULUMI: Final = "pulumi:providers:"


@record
class OnTarget:
    """What happens on a target, by the tables of its provider. `place` is the region in which it was before."""

    name: str
    found: tuple[Consequence, ...]
    effects: Effects
    place: str = ""

    def of(self, *wanted: Effect) -> tuple[Consequence, ...]:
        """Return the resources with one of these effects, without those that hold nothing but settings."""
        return tuple(one for one in self.found if one.effect in wanted and not self._is_setting(one))

    def holds(self, one: Consequence) -> str:
        """Return what is lost with a resource: data, everything, requests, machines, access or nothing."""
        return self.effects.part(one.item.kind).holds

    def _is_setting(self, one: Consequence) -> bool:
        is_provider = self.effects.part(one.item.kind).type.startswith(_PROVIDERS_OF_PULUMI)
        return is_provider and one.effect is not Effect.IN_PLACE


def on_targets(before: Plan, after: Plan, targets: Targets) -> Iterator[OnTarget]:
    """Yield what happens on each target of either plan."""
    scope = touched(before, after)
    if scope is not None and not scope:
        return  # both versions mean the same
    old = {target.name: target for target in before.system.deployment.targets}
    new = {target.name: target for target in after.system.deployment.targets}
    for name in {**new, **old}:
        target = new.get(name) or old[name]
        tables = targets[target.provider].effects()
        found = consequences(lowered(before, name, targets, scope), lowered(after, name, targets, scope), tables)
        yield OnTarget(name, found, tables, old[name].region if name in old else "")


def effects_of_up(sides: Sides, before: Plan, after: Plan, targets: Targets) -> Iterator[Finding]:
    """Yield one finding for each target and effect."""
    for target in on_targets(before, after, targets):
        yield from _refused(target, sides)
        yield from _lost(target, sides)
        yield from _rolling(target, sides)
        yield from _left(target, sides)
        yield from _harmless(target, sides)


def _refused(target: OnTarget, sides: Sides) -> Iterator[Finding]:
    """Yield what `pulumi up` stops at, by reason."""
    by_reason: dict[str, list[Consequence]] = {}
    for one in target.of(Effect.REFUSED):
        by_reason.setdefault(one.why, []).append(one)
    for reason, found in by_reason.items():
        names = named(found, target.effects)
        if reason == PROTECTED:
            what = f"it would have to delete {names}, which {'is' if len(found) == 1 else 'are'} protected"
            why = "nothing changes until this is undone, or somebody removes the protection and what it protects"
        else:
            what = f"{reason}: {names}"
            why = "nothing changes until this is undone"
        yield _finding("R519", Level.DANGER, f"`pulumi up` stops: {what}", why, found, target, sides)


def _lost(target: OnTarget, sides: Sides) -> Iterator[Finding]:
    """Yield what is replaced or destroyed."""
    replaced = [one for one in target.of(Effect.REPLACED) if _is_noticed(target, one)]
    if replaced:
        message = f"`pulumi up` replaces {named(replaced, target.effects)}"
        yield _finding("R502", _level(replaced, target), message, _loss(replaced, target), replaced, target, sides)
    destroyed = target.of(Effect.DESTROYED)
    names = _most(destroyed, target)
    if names:
        message = f"`pulumi up` destroys {names}"
        yield _finding("R520", _level(destroyed, target), message, _loss(destroyed, target), destroyed, target, sides)


def _is_noticed(target: OnTarget, one: Consequence) -> bool:
    """Return whether somebody notices a replacement. Nobody does of a ConfigMap, or of a Job that has ended."""
    return bool(target.holds(one))


def _most(found: Sequence[Consequence], target: OnTarget) -> str:
    """Return the names of what matters. If nothing does, return whose objects they are."""
    noticed = [one for one in found if _is_noticed(target, one)]
    if noticed:
        return named(noticed, target.effects)
    return owners(found, target.effects, "objects of ")


def _level(found: Sequence[Consequence], target: OnTarget) -> Level:
    """Return the level of a loss: an endpoint that is removed on purpose has findings of its own."""
    held = {target.holds(one) for one in found}
    is_replaced = any(one.effect is Effect.REPLACED for one in found)
    if held & {"data", "everything"} or ("requests" in held and is_replaced):
        return Level.DANGER
    return Level.REVIEW if any(_is_noticed(target, one) for one in found) else Level.NOTE


_LOSSES: Final = {
    "data": "what they hold is lost",
    "everything": "everything in them stops, and is gone with them",
    "requests": "requests fail until they are there again",
    "machines": "Pods on these machines stop and wait for others",
    "access": "access ends until it is granted again",
}
_ENDS: Final = {**_LOSSES, "requests": "they answer no requests any more", "access": "access ends"}


def _loss(found: Sequence[Consequence], target: OnTarget) -> str:
    held = {target.holds(one) for one in found}
    texts = _ENDS if found[0].effect is Effect.DESTROYED else _LOSSES
    return "; ".join(text for kind, text in texts.items() if kind in held)


def _rolling(target: OnTarget, sides: Sides) -> Iterator[Finding]:
    """Yield what is rolled out. That of a server of the platform, such as the registry, is a note."""
    found = target.of(Effect.ROLLING)
    if found:
        level = Level.REVIEW if any(_is_noticed(target, one) for one in found) else Level.NOTE
        message = f"`pulumi up` rolls out {_once(found, target)}"
        yield _finding("R518", level, message, reasons(found, target.effects), found, target, sides)


def _once(found: Sequence[Consequence], target: OnTarget) -> str:
    """Return the names. Groups of machines that take each other's place are one thing, the pool's class."""
    pools = {
        f"the {part.words} of {one.item.values[part.pool]}" if part.named else f"the {part.words}": None
        for one in found
        if (part := target.effects.part(one.item.kind)).pool
    }
    others = [one for one in found if not target.effects.part(one.item.kind).pool]
    return enumerated([*sorted(pools), *texts_of(others, target.effects)])


def _left(target: OnTarget, sides: Sides) -> Iterator[Finding]:
    """Yield what stays although nothing manages it any more, and data that does not follow to another place."""
    found = target.of(Effect.LEFT)
    shown = [one for one in found if target.holds(one)] or found
    names = named(shown, target.effects)
    if names:
        level = Level.DANGER if any(target.holds(one) == "data" for one in found) else Level.REVIEW
        why = "its stack has another name now; it runs and costs until `pulumi destroy`"
        yield _finding("R521", level, f"{names} {_stay(shown)}", why, found, target, sides)
    stuck = [one for one in target.of(Effect.REFUSED) if _is_store(target, one)]
    if stuck and _moves_to(target, sides):
        what = f"the data in {named(stuck, target.effects)} stays in {target.place}"
        yield _finding("R521", Level.DANGER, what, "nothing copies it to the new place", stuck, target, sides)


def _is_store(target: OnTarget, one: Consequence) -> bool:
    part = target.effects.part(one.item.kind)
    return part.named and part.holds == "data" and one.why == PROTECTED


def _stay(found: Sequence[Consequence]) -> str:
    return "stays behind" if len(found) == 1 else "stay behind"


def _moves_to(target: OnTarget, sides: Sides) -> bool:
    """Return whether a target has another region than before."""
    regions = {one.name: one.region for one in sides.after.deployment.targets}
    return bool(target.place) and regions.get(target.name, target.place) != target.place


def _harmless(target: OnTarget, sides: Sides) -> Iterator[Finding]:
    created = target.of(Effect.CREATED)
    names = _most(created, target)
    if names:
        yield _finding("R522", Level.NOTE, f"`pulumi up` creates {names}", "", created, target, sides)
    with_it = any(_is_noticed(target, one) for one in target.of(Effect.REPLACED, Effect.REFUSED))
    changed = [
        one for one in target.found if one.effect is Effect.IN_PLACE or (not with_it and _unnoticed(target, one))
    ]
    names = owners(changed, target.effects)
    if names:
        yield _finding("R523", Level.NOTE, f"`pulumi up` changes in place: {names}", "", changed, target, sides)


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
        details="" if level is Level.NOTE else _every(affected),
    )


def _every(found: Iterable[Consequence]) -> str:
    """Name all resources, of which a message counts some: what is accepted for some must not count for others."""
    return "\n".join(sorted(f"{one.effect.name} {one.item.kind} {one.item.name}" for one in found))


def _reached(found: Iterable[Consequence], sides: Sides) -> tuple[str, ...]:
    """Return the workloads whose own resources are affected, and whom these reach."""
    reached: dict[str, None] = {}
    for workload in dict.fromkeys(one.item.workload for one in found if one.item.workload.startswith("inference.")):
        section, _, name = workload.partition(".")
        system = sides.after if name in sides.after.inference else sides.before
        reached |= dict.fromkeys((*reached_by(system, (section, name)), workload))
    return tuple(reached)
