"""Determine what `pulumi up` does to each target resource that differs between two versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import chain
from typing import Any, Final, cast

from modelyard.effects import Effects, Fate, Part, entry_at
from modelyard.records import field, record
from modelyard.review.lowered import Item, Items, Key
from modelyard.same import is_same_for_platforms


class Effect(StrEnum):
    """What `pulumi up` does to a resource."""

    CREATED = "created"
    IN_PLACE = "in place"
    ROLLING = "rolling"
    REPLACED = "replaced"
    DESTROYED = "destroyed"
    REFUSED = "refused"
    LEFT = "left"


@record
class Consequence:
    """What happens to a resource, which of its arguments differ, and why the change is refused, if it is.

    If there are no paths, the resource is created or destroyed, or is only affected through another resource. `in_turn`
    marks a resource that is created while others in its group are destroyed, or vice versa.
    """

    key: Key
    item: Item
    effect: Effect
    paths: tuple[str, ...] = ()
    why: str = ""
    in_turn: bool = False


PROTECTED: Final = "it is protected"
_OF_FATES: Final = {Fate.ROLLING: Effect.ROLLING, Fate.REPLACED: Effect.REPLACED, Fate.IN_PLACE: Effect.IN_PLACE}


def consequences(before: Items, after: Items, effects: Effects) -> tuple[Consequence, ...]:
    """Return what happens to each resource that differs, or that depends on a recreated resource."""
    kept = {key[0] for key in after}
    gone = [_gone(key, item, effects, kept) for key, item in before.items() if key not in after]
    return tuple(_taking_turns([*gone, *_remaining(before, after, effects)], effects))


def _gone(key: Key, item: Item, effects: Effects, projects: set[str]) -> Consequence:
    if key[0] not in projects:
        return Consequence(key, item, Effect.LEFT)
    refused = effects.part(item.kind).protected or item.protected
    return Consequence(key, item, Effect.REFUSED if refused else Effect.DESTROYED, why=PROTECTED if refused else "")


@record
class _Known:
    """Each item's fate and changed arguments, as determined so far."""

    fates: dict[Key, Fate] = field(default_factory=dict[Key, Fate])
    paths: dict[Key, tuple[str, ...]] = field(default_factory=dict[Key, tuple[str, ...]])


def _remaining(before: Items, after: Items, effects: Effects) -> Iterator[Consequence]:
    known = _Known()
    for key, item in after.items():
        was = before.get(key)
        if was is None:
            yield Consequence(key, item, Effect.CREATED)
            continue
        paths = tuple(dict.fromkeys((*differing(was.values, item.values), *_other_kinds(was, item))))
        fate = _fate(key[0], item, paths, after, known, effects)
        if fate is None:
            continue
        known.fates[key], known.paths[key] = fate, paths
        yield _outcome(key, item, was, fate, paths, effects)


def _other_kinds(was: Item, now: Item) -> Iterator[str]:
    """Yield the arguments that now refer to resources of other kinds, as after a change of the provider."""
    for argument in {**was.needs, **now.needs}:
        old, new = ({kind for _, kind, _ in item.needs.get(argument, ())} for item in (was, now))
        if old and new and old != new:
            yield argument


def _fate(project: str, item: Item, paths: Sequence[str], after: Items, known: _Known, effects: Effects) -> Fate | None:
    """Return an item's worst fate, from its own differences and those of items it needs, or None without any.

    A protected item of another project stops `pulumi up` there, so nothing follows from it in this project.
    """
    fates = [effects.fate(item.kind, path) for path in paths]
    for argument, key in ((argument, key) for argument, keys in item.needs.items() for key in keys):
        if key[0] != project and effects.part(after[key].kind).protected:
            continue
        if known.fates.get(key) is Fate.REPLACED:
            fates.append(_fate_with(item, argument, effects))
        spreads = effects.part(after[key].kind).spreads
        spread = [entry_at(spreads, path) or {} for path in known.paths.get(key, ())]
        fates += [fates_of[item.kind] for fates_of in spread if item.kind in fates_of]
    fates += [effects.fate(item.kind, path) for path in _distant(item, after, known, effects)]
    return max(fates, key=lambda fate: fate.rank, default=None)


def _distant(item: Item, after: Items, known: _Known, effects: Effects) -> Iterator[str]:
    """Yield the changed arguments of other items that this item uses, such as `cluster.project.project_id`."""
    for path in effects.part(item.kind).arguments:
        *references, argument = path.split(".")
        keys = [key for reference in references[:1] for key in item.needs.get(reference, ())]
        for reference in references[1:]:
            keys = [other for key in keys for other in after[key].needs.get(reference, ())]
        if any(argument in known.paths.get(key, ()) for key in keys):
            yield path


def _fate_with(item: Item, argument: str, effects: Effects) -> Fate:
    """Return an item's fate when the resource in one of its arguments is recreated.

    Kubernetes objects are recreated along with it.
    """
    return Fate.REPLACED if "/" in item.kind else effects.fate(item.kind, argument)


def _outcome(key: Key, item: Item, was: Item, fate: Fate, paths: tuple[str, ...], effects: Effects) -> Consequence:
    part = effects.part(item.kind)
    reason = _refusal(part, item, was, paths)
    if reason:
        return Consequence(key, item, Effect.REFUSED, paths, reason)
    own = max((effects.fate(item.kind, path).rank for path in paths), default=0)
    effect = _OF_FATES[fate]
    if effect is Effect.REPLACED and part.successor and own == fate.rank:
        effect = Effect.ROLLING
    if effect is Effect.ROLLING and _stops(part, item):
        effect = Effect.REPLACED
    if effect is Effect.IN_PLACE and _loses_items(part, was, item):
        effect = Effect.DESTROYED
    if effect in {Effect.REPLACED, Effect.DESTROYED} and (part.protected or item.protected):
        return Consequence(key, item, Effect.REFUSED, paths, PROTECTED)
    return Consequence(key, item, effect, paths)


def _refusal(part: Part, item: Item, was: Item, paths: Sequence[str]) -> str:
    """Return why a provider refuses a change, or "" if it doesn't."""
    shrunk = (reason for path, reason in part.grows.items() if path in paths and _is_less(was, item, path))
    refused = (
        refusal.because
        for refusal in part.refuses
        if refusal.path in paths
        and (not refusal.less or _is_less(was, item, refusal.path))
        and (not refusal.when or at(was.values, refusal.when[0]) == refusal.when[1])
    )
    return next(chain(shrunk, refused), "")


def _stops(part: Part, item: Item) -> bool:
    """Return whether an item is configured to stop before its replacement starts."""
    return bool(part.stops) and at(item.values, part.stops[0]) == part.stops[1]


def _loses_items(part: Part, was: Item, item: Item) -> bool:
    return bool(part.items) and bool(set(was.values.get(part.items) or ()) - set(item.values.get(part.items) or ()))


def _taking_turns(affected: Sequence[Consequence], effects: Effects) -> Iterator[Consequence]:
    """Yield the consequences, giving creations and destructions within the same group a common effect."""
    created, destroyed = (
        {
            _group(consequence, effects)
            for consequence in affected
            if consequence.effect is effect and _group(consequence, effects)
        }
        for effect in (Effect.CREATED, Effect.DESTROYED)
    )
    for consequence in affected:
        group = _group(consequence, effects) if consequence.effect in {Effect.CREATED, Effect.DESTROYED} else None
        if group not in created & destroyed:
            yield consequence
        else:
            effect = Effect.ROLLING if effects.part(consequence.item.kind).pool else Effect.IN_PLACE
            yield Consequence(consequence.key, consequence.item, effect, consequence.paths, in_turn=True)


def _group(consequence: Consequence, effects: Effects) -> tuple[str, str, str] | None:
    """Return the group in which resources replace each other, if any.

    A group is either a machine pool or a workload's disposable objects in a namespace, e.g. Jobs with a hash in their
    name.
    """
    part, item = effects.part(consequence.item.kind), consequence.item
    if part.pool:
        return (consequence.key[0], item.kind, str(item.values.get(part.pool)))
    if not item.workload or "/" not in item.kind or part.holds:
        return None
    namespace, _, _ = item.name.rpartition("/")
    return (f"{consequence.key[0]}/{namespace}", item.kind, item.workload)


def differing(was: Any, now: Any, path: str = "") -> Iterator[str]:
    """Yield the paths at which two values differ, such as `spec.ports[*].port`. Equal subtrees are skipped."""
    if is_same_for_platforms(was, now):
        return
    old, new = _entries(was), _entries(now)
    if old is not None and new is not None:
        for name in {**old, **new}:
            yield from differing(old.get(name), new.get(name), f"{path}.{name}" if path else name)
    elif len(_items(was)) == len(_items(now)) > 0:
        for old_item, new_item in zip(_items(was), _items(now), strict=True):
            yield from differing(old_item, new_item, f"{path}[*]")
    else:
        yield path


def at(values: Any, path: str) -> Any:
    """Return the value at a path without lists, or None."""
    for name in path.split("."):
        values = (_entries(values) or {}).get(name)
    return values


def _entries(value: Any) -> Mapping[str, Any] | None:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else None


def _items(value: Any) -> Sequence[Any]:
    """Return the items of a list, or an empty sequence for other values."""
    return cast("Sequence[Any]", value) if isinstance(value, list | tuple) else ()


def _is_less(was: Item, now: Item, path: str) -> bool:
    """Return whether the size or version at a path is smaller than before."""
    old, new = (_numbers(at(item.values, path)) for item in (was, now))
    return bool(old) and bool(new) and new < old


def _numbers(value: Any) -> tuple[float, ...]:
    """Convert a value such as 20, `1.36` or `20Gi` to comparable numbers."""
    if isinstance(value, int | float):
        return (float(value),)
    text = str(value or "")
    for unit, size in (("Ti", 1024.0), ("Gi", 1.0), ("Mi", 1 / 1024)):
        if text.endswith(unit):
            return (float(text.removesuffix(unit)) * size,)
    parts = text.removeprefix("v").split(".")
    return tuple(float(part) for part in parts) if all(part.isdecimal() for part in parts) else ()
