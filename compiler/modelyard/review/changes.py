"""Find every value that differs between two versions of a system, along with its spec path and meaning.

Equal subtrees are skipped, so the running time depends on the size of the change rather than the system.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeAlias

from modelyard.checks.regions import regions
from modelyard.records import record, replace
from modelyard.review.calendars import starts_at_same_times
from modelyard.review.meaning import Absent, Meaning, below, parsed, rated, root
from modelyard.review.ranges import are_ranges, covers
from modelyard.review.values import ABSENT, Leaf, Steps, kind_of, leaf, parts, plain
from modelyard.review.words import spec_text
from modelyard.same import is_same
from modelyard.shape import Schema
from modelyard.spec import System

Raw: TypeAlias = Any
"""A value of the typed spec, or None."""


class Direction(StrEnum):
    """Whether a change makes something looser, stricter, or neither."""

    LOOSER = "looser"
    STRICTER = "stricter"
    OTHER = "other"


@record
class Change:
    """A changed value, with its path in the spec and how the spec would write it before and after.

    `entry` marks a named entry or optional section that was added or removed. `was` and `now` hold its values.
    """

    path: Steps
    before: Leaf
    after: Leaf
    meaning: Meaning
    entry: bool = False
    was: Raw = None
    now: Raw = None

    @property
    def added(self) -> bool:
        """Whether the path had no value before."""
        return not self.before.text

    @property
    def removed(self) -> bool:
        """Whether the path no longer has a value."""
        return not self.after.text

    @property
    def way(self) -> Direction:
        """The direction of the change, according to the order of the field's values."""
        return way_of(self)


_RESIDENCY: Final = ("governance", "residency")
_MISSING: Final = object()
_SECTIONS: Final = frozenset({"stores", "data", "models", "pipelines", "inference", "monitors", "channels"})
_MOVABLE: Final = frozenset({"stores", "pipelines", "inference", "monitors"})
_INLINE: Final = "compute"
_PRESENCE: Final[Mapping[Absent, tuple[Direction, Direction]]] = {
    Absent.LOOSEST: (Direction.LOOSER, Direction.STRICTER),
    Absent.STRICTEST: (Direction.STRICTER, Direction.LOOSER),
    Absent.NEITHER: (Direction.OTHER, Direction.OTHER),
}
"""The directions of removing a value and of adding one, by the meaning of having no value."""


def changes(before: System, after: System) -> Iterator[Change]:
    """Yield every difference. Entries renamed using `moved` are compared with the entries under their old names.

    Differences that merely follow from another change are omitted: references to a renamed entry, the compute class of
    an added or removed entry, and fields that don't exist for the new channel type, rollout strategy or login type.
    """
    aliases = renamed(before, after)
    targets = renamed_targets(before, after)
    entry_paths: set[Steps] = set()
    old, new = _renamed_sections(before, aliases), _renamed_sections(after, {})
    for change in _of_parts((), old, new, [root()]):
        if change.entry:
            if any(change.path[:length] in entry_paths for length in range(2, len(change.path))):
                continue
            entry_paths.add(change.path)
        follows = _follows(change, aliases) or _is_placed_again(change, targets)
        if not follows and not _is_of_another_kind(change, before, after):
            yield change


def renamed_targets(before: System, after: System) -> dict[str, str]:
    """Return targets that were only renamed, as a mapping from old to new names."""
    old, new = ({candidate.name: candidate for candidate in system.deployment.targets} for system in (before, after))
    fresh = [candidate for name, candidate in new.items() if name not in old]
    renames: dict[str, str] = {}
    for name, target in old.items():
        twin = next((candidate.name for candidate in fresh if candidate == replace(target, name=candidate.name)), "")
        if name not in new and twin and twin not in renames.values():
            renames[name] = twin
    return renames


def _is_placed_again(change: Change, targets: Mapping[str, str]) -> bool:
    """Return whether an entry's placement changed only because its target was renamed."""
    return not change.entry and bool(change.before.text) and targets.get(change.before.text) == change.after.text


def _is_of_another_kind(change: Change, before: System, after: System) -> bool:
    """Return whether a field differs only because the type of its channel, registry, rollout or login changed."""
    section, name, field = change.path[0], "".join(change.path[1:2]), "".join(change.path[2:3])
    if section == "channels" and change.removed and field and field != "type":
        old, new = (system.channels.get(name) for system in (before, after))
        return old is not None and new is not None and old.type != new.type
    if section == "registry" and name not in {"adopt", "credentials"}:
        registries = (before.registry, after.registry)
        return None not in registries and len({bool(side and side.adopt) for side in registries}) > 1
    if section == "inference" and field == "rollout" and change.path[-1] != "strategy":
        was, now = (system.inference.get(name) for system in (before, after))
        if was is None or now is None or was.rollout.strategy == now.rollout.strategy:
            return False
        return "in-place" in {was.rollout.strategy, now.rollout.strategy}
    if section == "inference" and change.path[2:4] == ("endpoint", "auth") and change.path[4:] != ("type",):
        endpoints = (before.inference.get(name), after.inference.get(name))
        return len({side.endpoint.auth.type for side in endpoints if side is not None}) > 1
    return False


def renamed(before: System, after: System) -> dict[str, str]:
    """Return entries renamed between the two versions, as a mapping from old to new addresses."""
    new = {old: address for address, old in (after.moved or {}).items()}
    return {old: address for old, address in new.items() if _has(before, old) and not _has(after, old)}


def _has(system: System, address: str) -> bool:
    section, _, name = address.partition(".")
    return section in _MOVABLE and name in getattr(system, section)


def _renamed_sections(system: System, aliases: Mapping[str, str]) -> dict[Steps, Raw]:
    """Return a system's sections, with renamed entries under their new names."""
    sections = parts(system) or {}
    for section in _MOVABLE if aliases else ():
        entries: Mapping[str, Raw] = sections[(section,)]
        new = {name: aliases.get(f"{section}.{name}", f"{section}.{name}").partition(".")[2] for name in entries}
        sections[(section,)] = {new[name]: entry for name, entry in entries.items()}
    classes: dict[Steps, Raw] = {}
    for compute in system.compute.values():
        if len(compute.path) > 1:  # the class of monitors without a class of their own is constant and has no place
            path = tuple(map(str, compute.path))
            address = ".".join(path[:2])
            classes[(*aliases.get(address, address).split(".", 1), *path[2:])] = compute
    del sections[(_INLINE,)]
    sections[("moved",)] = system.moved or {}
    return sections | classes


def _follows(change: Change, aliases: Mapping[str, str]) -> bool:
    """Return whether a reference changed only because the entry that it names was renamed."""
    if change.entry or not aliases:
        return False
    old, new = change.before.text, change.after.text
    return aliases.get(old) == new or any(aliases.get(f"{section}.{old}") == f"{section}.{new}" for section in _MOVABLE)


def _compared(path: Steps, was: Raw, now: Raw, schemas: Sequence[Schema]) -> Iterator[Change]:
    """Yield the differences below a path."""
    if is_same(was, now):
        return
    if kind_of(was) == kind_of(now) == "Schedule" and was.kind != now.kind:
        yield Change(path, Leaf(start_of(was)), Leaf(start_of(now)), parsed(rated(schemas) or "schedule"))
        return
    old, new = _taken_apart(was), _taken_apart(now)
    if old is None or new is None:
        yield from _whole_change(path, was, now, schemas)
    else:
        yield from _of_parts(path, old, new, schemas)


def _of_parts(
    path: Steps, old: Mapping[Steps, Raw], new: Mapping[Steps, Raw], schemas: Sequence[Schema]
) -> Iterator[Change]:
    for steps in {**old, **new}:
        old_value, new_value = old.get(steps, _MISSING), new.get(steps, _MISSING)
        if is_same(old_value, new_value):
            continue
        here = list(schemas)
        for step in steps:
            here = below(here, step)
        if old_value is _MISSING or new_value is _MISSING:
            rating = rated(here) or rated(schemas) or rating_of(path)
            yield _entry((*path, *steps), old_value, new_value, rating)
        else:
            yield from _compared((*path, *steps), old_value, new_value, here)


def start_of(schedule: Raw) -> str:
    """Return a short description of when a schedule starts runs."""
    when = {"cron": f" {schedule.cron} {schedule.time_zone}", "after": f" pipelines.{schedule.after}"}
    return f"{schedule.kind}{when.get(schedule.kind, '')}"


def _taken_apart(value: Raw) -> Mapping[Steps, Raw] | None:
    if value == () or value == {}:
        return {}
    return parts(value)


def _whole_change(path: Steps, was: Raw, now: Raw, schemas: Sequence[Schema]) -> Iterator[Change]:
    rating = rated(schemas) or rating_of(path)
    absent = was is None or now is None
    if absent and (parts(was) is not None or parts(now) is not None):
        yield _entry(path, _MISSING if was is None else was, _MISSING if now is None else now, rating)
        return
    old, new = leaf(was, path[-1]), leaf(now, path[-1])
    same = _is_same_ranges(old, new) or _is_same_schedule(path, old, new) or _is_same_places(path, old, new)
    if old != new and not same:
        if old.text == new.text:
            old, new = (replace(side, text=side.exact or side.text, items=None) for side in (old, new))
        yield Change(path, old, new, parsed(rating), was=was, now=now)


def _is_same_ranges(old: Leaf, new: Leaf) -> bool:
    """Return whether two lists of address ranges cover the same addresses, e.g. a range and its two halves."""
    before, after = old.items or (), new.items or ()
    is_comparable = bool(before) and bool(after) and are_ranges((*before, *after))
    return is_comparable and covers(before, after) and covers(after, before)


def _is_same_places(path: Steps, old: Leaf, new: Leaf) -> bool:
    """Return whether two lists allow the same countries, e.g. `[eu]` and `[eu, de]`."""
    before, after = set(old.items or ()), set(new.items or ())
    return path == _RESIDENCY and bool(before and after) and _are_within(before, after) and _are_within(after, before)


def _are_within(places: Iterable[str], allowed: Iterable[str]) -> bool:
    """Return whether all countries and jurisdictions are among the allowed ones or part of them."""
    known = tuple(allowed)
    return all(regions().within(place, known) for place in places)


def _is_same_schedule(path: Steps, old: Leaf, new: Leaf) -> bool:
    return path[-1] == "cron" and starts_at_same_times(old.text, new.text)


def _entry(path: Steps, was: Raw, now: Raw, rating: str) -> Change:
    before = ABSENT if was is _MISSING else _summary(was)
    after = ABSENT if now is _MISSING else _summary(now)
    is_entry = parts(was if now is _MISSING else now) is not None
    missing = (None if was is _MISSING else was, None if now is _MISSING else now)
    return Change(path, before, after, parsed(rating), is_entry, *missing)


def _summary(value: Raw) -> Leaf:
    summary = leaf(value) if parts(value) is None else Leaf(spec_text("", plain(value)))
    return summary if summary.text else Leaf("{}")


def rating_of(path: Steps) -> str:
    """Return the `x-review` rating of the field at a path, or of the nearest field above it that has a rating."""
    for length in range(len(path), 0, -1):
        schemas = [root()]
        for step in path[:length]:
            schemas = below(schemas, step)
        rating = rated(schemas)
        if rating is not None:
            return rating
    return "schema"


def way_of(change: Change) -> Direction:
    """Return the direction of a change, according to the meaning of its field."""
    meaning = change.meaning
    if change.added or change.removed:
        return _of_presence(change)
    old, new = change.before.text.partition(" ")[0], change.after.text.partition(" ")[0]
    if old in meaning.values and new in meaning.values:
        return Direction.LOOSER if meaning.values.index(new) > meaning.values.index(old) else Direction.STRICTER
    if change.before.number is not None and change.after.number is not None:
        return _of_numbers(meaning.direction, change.before.number, change.after.number)
    if change.before.items is not None and change.after.items is not None:
        sides = set(change.before.items), set(change.after.items)
        if change.path == _RESIDENCY and all(sides):
            return Direction.STRICTER if _are_within(sides[1], sides[0]) else Direction.LOOSER
        return _of_ranges(meaning.direction, *sides) or _of_items(meaning.direction, *sides)
    return Direction.OTHER


def _of_presence(change: Change) -> Direction:
    """Return the direction of adding or removing a value, based on how the field's rating treats absent values."""
    meaning = change.meaning
    if meaning.absent in _PRESENCE:
        return _PRESENCE[meaning.absent][change.added]
    if meaning.direction in {"added", "removed"}:
        return Direction.LOOSER if change.added is (meaning.direction == "added") else Direction.STRICTER
    if meaning.values:
        value = change.after.text or change.before.text
        strictest = value == meaning.values[0]
        return (
            Direction.OTHER
            if strictest or value not in meaning.values
            else (Direction.LOOSER if change.added else Direction.STRICTER)
        )
    return Direction.OTHER


def _of_numbers(direction: str, before: float, after: float) -> Direction:
    if direction not in {"less", "more"} or before == after:
        return Direction.OTHER
    return Direction.LOOSER if (after < before) is (direction == "less") else Direction.STRICTER


def _of_ranges(direction: str, before: set[str], after: set[str]) -> Direction | None:
    """Return the direction of a change to address ranges, or None for other lists.

    Ranges are compared by the addresses they cover.
    """
    if direction != "added" or not (before and after) or not are_ranges(before | after):
        return None
    return Direction.STRICTER if covers(before, after) else Direction.LOOSER


def _of_items(direction: str, before: set[str], after: set[str]) -> Direction:
    if direction not in {"added", "removed"} or before == after:
        return Direction.OTHER
    grown, shrunk = bool(after - before), bool(before - after)
    loosened = grown if direction == "added" else shrunk
    return Direction.LOOSER if loosened else Direction.STRICTER
