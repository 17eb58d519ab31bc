"""Findings about the effects of `pulumi up`, one per target and effect, naming the affected resources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from modelyard.diagnostics.base import joined
from modelyard.plan import Plan
from modelyard.review.effect_words import enumerated_resources, is_of_workload, owners, reasons, texts_of
from modelyard.review.effects import PROTECTED, Consequence, Effect, consequences
from modelyard.review.findings import Finding, Level, facts
from modelyard.review.lowered import lowered
from modelyard.review.on_targets import OnTarget, on_targets
from modelyard.review.reach import reached_by
from modelyard.review.sides import Sides
from modelyard.target import Targets


def effects_of_up(
    sides: Sides, before: Plan, after: Plan, targets: Targets, is_chosen: Callable[[str], bool] = lambda _: True
) -> Iterator[Finding]:
    """Yield findings about what `pulumi up` does, one per chosen target and effect type."""
    for target in on_targets(before, after, targets, is_chosen):
        yield from _refused(target, sides)
        yield from _lost(target, sides)
        yield from _rolling(target, sides)
        yield from _left(target, sides)
        yield from _given(target, sides)
        yield from _harmless(target, sides)


def created_by_up(sides: Sides, after: Plan, targets: Targets) -> Iterator[Finding]:
    """Report what `pulumi up` creates in a new environment."""
    for target in after.system.deployment.targets:
        tables = targets[target.provider].effects()
        affected = consequences({}, lowered(after, target.name, targets), tables)
        yield from _harmless(OnTarget(target.name, affected, tables), sides)


def _refused(target: OnTarget, sides: Sides) -> Iterator[Finding]:
    """Report the refused changes that stop `pulumi up`, grouped by reason."""
    by_reason: dict[str, list[Consequence]] = {}
    for consequence in target.of(Effect.REFUSED):
        by_reason.setdefault(consequence.why, []).append(consequence)
    for reason, affected in by_reason.items():
        names = enumerated_resources(affected, target.effects)
        if reason == PROTECTED:
            what = f"it would have to delete {names}, which {'is' if len(affected) == 1 else 'are'} protected"
            why = "nothing changes until this is undone, or someone lifts the protection and deletes the resources"
        else:
            what = f"{reason}: {names}"
            why = "nothing changes until this is undone"
        yield _finding("R519", Level.DANGER, f"`pulumi up` stops: {what}", why, affected, target, sides)


def _lost(target: OnTarget, sides: Sides) -> Iterator[Finding]:
    """Report the resources that are replaced or destroyed."""
    replaced = [consequence for consequence in target.of(Effect.REPLACED) if target.is_noticed(consequence)]
    names = _replaced(replaced, target)
    if names:
        message = f"{target.up('replaces')} {names}"
        yield _finding("R502", _level(replaced, target), message, _loss(replaced, target), replaced, target, sides)
    destroyed = target.of(Effect.DESTROYED)
    names = _most(destroyed, target)
    if names:
        message = f"{target.up('destroys')} {names}"
        why = "; ".join(filter(None, (_loss(destroyed, target), *target.use.destroyed(destroyed))))
        yield _finding("R520", _level(destroyed, target), message, why, destroyed, target, sides)


def _replaced(noticed: Sequence[Consequence], target: OnTarget) -> str:
    """Name the resources whose replacement is noticeable, and the other workloads that move to another cluster.

    A namespace that moves stands for its workloads.
    """
    whole = [consequence for consequence in noticed if target.holds(consequence) == "everything"]
    moves = bool(whole) and not enumerated_resources(whole, target.effects)
    covered = {consequence.item.workload for consequence in noticed}
    others = [
        consequence
        for consequence in target.of(Effect.REPLACED)
        if moves and is_of_workload(consequence) and consequence.item.workload not in covered
    ]
    more = owners(others, target.effects, "objects of ")
    return joined([*texts_of(noticed, target.effects), *([more] if more else [])])


def _most(affected: Sequence[Consequence], target: OnTarget) -> str:
    """Name the resources whose loss is noticeable, followed by the workloads that lose only minor objects.

    If no loss is noticeable, name the owners of all affected resources.
    """
    noticed = [consequence for consequence in affected if target.is_noticed(consequence)]
    if not noticed:
        return owners(affected, target.effects, "objects of ")
    with_all = any(target.holds(consequence) == "everything" for consequence in noticed)
    covered = {consequence.item.workload for consequence in noticed}
    remaining = [
        consequence
        for consequence in affected
        if is_of_workload(consequence) and not with_all and consequence.item.workload not in covered
    ]
    more = owners(remaining, target.effects, "objects of ")
    return joined([*texts_of(noticed, target.effects), *([more] if more else [])])


def _level(affected: Sequence[Consequence], target: OnTarget) -> Level:
    """Return the level for lost resources. Removing an endpoint from the spec is reported separately."""
    losses = {target.holds(consequence) for consequence in affected}
    is_replaced = any(consequence.effect is Effect.REPLACED for consequence in affected)
    if losses & {"data", "everything"} or ("requests" in losses and is_replaced):
        return Level.DANGER
    return Level.REVIEW if any(target.is_noticed(consequence) for consequence in affected) else Level.NOTE


_LOSSES: Final = {
    "data": "what they hold is lost",
    "everything": "everything in them stops and is lost",
    "requests": "requests fail until they are back",
    "machines": "Pods on these machines stop and wait for other machines",
    "access": "access ends until it is granted again",
}
_ENDS: Final = {**_LOSSES, "requests": "they no longer serve requests", "access": "access ends"}


def _loss(affected: Sequence[Consequence], target: OnTarget) -> str:
    losses = {target.holds(consequence) for consequence in affected}
    texts = _ENDS if affected[0].effect is Effect.DESTROYED else _LOSSES
    return "; ".join(text for kind, text in texts.items() if kind in losses)


def _rolling(target: OnTarget, sides: Sides) -> Iterator[Finding]:
    """Report the workloads that are rolled out. For a platform server, such as the registry, this is only a note."""
    affected = target.of(Effect.ROLLING)
    if affected:
        level = Level.REVIEW if any(target.is_noticed(consequence) for consequence in affected) else Level.NOTE
        message = f"{target.up('rolls out')} {_once(affected, target)}"
        yield _finding("R518", level, message, reasons(affected, target.effects), affected, target, sides)


def _once(affected: Sequence[Consequence], target: OnTarget) -> str:
    """Name the resources. Node groups that replace each other are listed once, by their pool's compute class."""
    pools = {
        f"the {part.words} of {consequence.item.values[part.pool]}" if part.named else f"the {part.words}": None
        for consequence in affected
        if (part := target.effects.part(consequence.item.kind)).pool
    }
    remaining = [consequence for consequence in affected if not target.effects.part(consequence.item.kind).pool]
    return joined([*sorted(pools), *texts_of(remaining, target.effects)])


def _left(target: OnTarget, sides: Sides) -> Iterator[Finding]:
    """Report resources that remain but are no longer managed, and data that doesn't move to the new region."""
    affected = target.of(Effect.LEFT)
    shown = [consequence for consequence in affected if target.holds(consequence)] or affected
    names = enumerated_resources(shown, target.effects)
    if names:
        level = Level.DANGER if any(target.holds(consequence) == "data" for consequence in affected) else Level.REVIEW
        yield _finding("R521", level, f"{names} {_stay(shown)}", _why_left(target, sides), affected, target, sides)
    stuck = [consequence for consequence in target.of(Effect.REFUSED) if _is_store(target, consequence)]
    if stuck and _moves_to(target, sides):
        what = f"the data in {enumerated_resources(stuck, target.effects)} stays in {target.place}"
        yield _finding("R521", Level.DANGER, what, "nothing copies it to the new place", stuck, target, sides)


def _given(target: OnTarget, sides: Sides) -> Iterator[Finding]:
    """Report the resources that move between projects, where one may delete what the other has just created."""
    given = [consequence for consequence in target.consequences if consequence.key[1:] in target.moving]
    created = [consequence for consequence in given if consequence.effect is Effect.CREATED]
    names = _most(created, target)
    if names:
        new = {consequence.key[0] for consequence in created}
        old = {consequence.key[0] for consequence in given if consequence.effect is not Effect.CREATED}
        message = (
            f"{names} {'moves' if len(created) == 1 else 'move'} from {joined(sorted(old))} to {joined(sorted(new))}"
        )
        why = (
            "the old project has to delete them, by `pulumi up` or `pulumi destroy`, before the new one creates them; "
            "in the other order, it deletes what was just created"
        )
        yield _finding("R502", Level.DANGER, message, why, given, target, sides)


def _is_store(target: OnTarget, consequence: Consequence) -> bool:
    part = target.effects.part(consequence.item.kind)
    return part.named and part.holds == "data" and consequence.why == PROTECTED


def _why_left(target: OnTarget, sides: Sides) -> str:
    """Explain why Pulumi no longer manages a target's remaining resources, and what this means for them."""
    names = [entry.name for entry in sides.after.deployment.targets]
    if target.name not in names:
        cause = f"no stack of {target.name} is written anymore"
    elif sides.before.metadata.name != sides.after.metadata.name:
        cause = "its stacks are named after the system, so they have different names now"
    else:
        cause = "its stacks are no longer written"
    return f"{cause}; what is deployed keeps running and costing money until `pulumi destroy`"


def _stay(affected: Sequence[Consequence]) -> str:
    return "stays behind" if len(affected) == 1 else "stay behind"


def _moves_to(target: OnTarget, sides: Sides) -> bool:
    """Return whether a target's region has changed."""
    regions = {entry.name: entry.region for entry in sides.after.deployment.targets}
    return bool(target.place) and regions.get(target.name, target.place) != target.place


def _harmless(target: OnTarget, sides: Sides) -> Iterator[Finding]:
    created = target.of(Effect.CREATED)
    names = _most(created, target)
    if names:
        level, why = target.use.created(created)
        yield _finding("R522", level, f"{target.up('creates')} {names}", why, created, target, sides)
    with_it = any(target.is_noticed(consequence) for consequence in target.of(Effect.REPLACED, Effect.REFUSED))
    changed = [
        consequence
        for consequence in target.consequences
        if consequence.effect is Effect.IN_PLACE
        or target.is_part_of_a_change(consequence)
        or (_unnoticed(target, consequence) and (consequence.paths or not with_it))
    ]
    names = owners(changed, target.effects)
    if names:
        yield _finding("R523", Level.NOTE, f"{target.up('changes')} in place: {names}", "", changed, target, sides)


def _unnoticed(target: OnTarget, consequence: Consequence) -> bool:
    return consequence.effect is Effect.REPLACED and not target.is_noticed(consequence)


def _finding(
    code: str,
    level: Level,
    message: str,
    why: str,
    items: Iterable[Consequence],
    target: OnTarget,
    sides: Sides,
) -> Finding:
    affected = tuple(items)
    is_data = any(target.holds(consequence) == "data" for consequence in affected)
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
        irreversible=is_data and level is Level.DANGER,
        facts="" if level is Level.NOTE else _every(affected, target),
    )


def _every(affected: Iterable[Consequence], target: OnTarget) -> str:
    """List all affected resources, including any the message only counts, so an acceptance covers exactly these.

    An acceptance also becomes invalid if `pulumi up` now has to stop early, no longer has to, or stops at other fields.
    """
    listed = sorted(
        (
            consequence.effect.name,
            consequence.item.kind,
            consequence.item.name,
            consequence.paths if consequence.effect is Effect.REFUSED else (),
        )
        for consequence in affected
    )
    return facts(bool(target.of(Effect.REFUSED)), listed)


def _reached(affected: Iterable[Consequence], sides: Sides) -> tuple[str, ...]:
    """Return the endpoints with affected resources, and everything that depends on them."""
    reached: dict[str, None] = {}
    for workload in dict.fromkeys(
        consequence.item.workload for consequence in affected if consequence.item.workload.startswith("inference.")
    ):
        section, _, name = workload.partition(".")
        system = sides.after if name in sides.after.inference else sides.before
        reached |= dict.fromkeys((*reached_by(system, (section, name)), workload))
    return tuple(reached)
