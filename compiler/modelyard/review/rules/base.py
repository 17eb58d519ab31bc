"""The structure of rules: a pattern for paths, a code and level for each direction of a change, and the wording."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from modelyard.patterns import pattern
from modelyard.records import record
from modelyard.review.changes import Change, Direction, way_of
from modelyard.review.findings import Level
from modelyard.review.meaning import Absent, Meaning
from modelyard.review.sides import Sides
from modelyard.review.values import Leaf, Steps

Verdict: TypeAlias = tuple[str, Level]
"""A finding's code, and its level before it is adjusted to the system and the environment."""

Wording: TypeAlias = Callable[[Change, Sides], str]
Judges: TypeAlias = Callable[[Change, Sides], Verdict]

QUIET: Final = Level.QUIET
NOTE: Final = Level.NOTE
REVIEW: Final = Level.REVIEW
DANGER: Final = Level.DANGER

_LONGEST: Final = 120
_INDEX: Final = pattern(r"\.([0-9]+)(?=\.|$)")


@record
class Rule:
    """How changes at paths that match a pattern are judged and described.

    A `*` in the pattern matches any single step, and a pattern matches all paths that begin with it. `says` describes
    the change, and `why` describes its consequences. `irreversible` means that reverting the spec does not undo the
    change.
    """

    pattern: Steps
    verdict: Judges
    says: Wording
    why: str | Wording = ""
    irreversible: bool = False

    def reason(self, change: Change, sides: Sides) -> str:
        """Return the description of the change's consequence, or "" if there is none."""
        return self.why if isinstance(self.why, str) else self.why(change, sides)


def by_way(looser: Verdict, stricter: Verdict, other: Verdict, way: Callable[[Change], Direction] = way_of) -> Judges:
    """Return a function that judges a change by its direction (looser, stricter or neither).

    `way` overrides how the direction is determined, for fields whose values have an order that no rating can express.
    """
    verdicts: Mapping[Direction, Verdict] = {
        Direction.LOOSER: looser,
        Direction.STRICTER: stricter,
        Direction.OTHER: other,
    }
    return lambda change, _: verdicts[way(change)]


def always(code: str, level: Level) -> Judges:
    """Return a function that gives every change the same code and level."""
    return lambda _, __: (code, level)


def matches(pattern: Steps, path: Steps) -> bool:
    """Return whether a path begins with a pattern."""
    if len(path) < len(pattern):
        return False
    return all(step in ("*", other) for step, other in zip(pattern, path, strict=False))


def cut(text: str) -> str:
    """Shorten a value so that it fits into a sentence."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def moves(change: Change) -> str:
    """Format a change as in `0.72 (was 0.82)`, or list the items that were added or removed."""
    if items := _moved_items(change):
        return items
    if change.entry:
        return "new" if change.added else "removed"
    return was(cut(change.after.text) or "not set", cut(change.before.text) or "not set")


def was(now: str, before: str) -> str:
    """Return a new and an old value, as in `0.72 (was 0.82)`."""
    return f"{now} (was {before})"


def _moved_items(change: Change) -> str:
    """Return the list items that a change adds or removes, or "" for other values."""
    before, after = (_items_of(side, change.meaning) for side in (change.before, change.after))
    return _items(before, after) if before is not None and after is not None and (before or after) else ""


def _items_of(side: Leaf, meaning: Meaning) -> tuple[str, ...] | None:
    """Return a list's items, or None for other values.

    If the field's rating treats an absent list as empty, an absent list has no items.
    """
    return side.items if side.text else () if meaning.absent is Absent.EMPTY else None


def _items(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    gained = [item for item in after if item not in before]
    lost = [item for item in before if item not in after]
    parts = [f"added {cut(', '.join(gained))}"] if gained else []
    parts += [f"removed {cut(', '.join(lost))}"] if lost else []
    return ", ".join(parts) if parts else f"reordered to {cut(', '.join(after))}"


def stated(subject: str, change: Change) -> str:
    """Describe a change to a subject, e.g. `the budget is 90 USD (was 80 USD)` or `the windows: added mon 09-16`."""
    return f"{subject}{':' if _moved_items(change) else ' is'} {moves(change)}"


def plainly(change: Change, _: Sides) -> str:
    """Describe a change by its address, e.g. `inference.scorer.pool is shared (was not set)`."""
    return stated(_INDEX.sub(r"[\1]", ".".join(change.path)), change)


_WITHOUT_IS: Final = pattern(r"(?<!\bis )\{moves\}")


def described_by(template: str, gone: str = "") -> Wording:
    """Return a function that describes a change using a template with placeholders.

    {name} is the entry and {owner} its address, {target} is a target, and {moves} stands for both values. `gone` is the
    template for removed values. Without it, a removed value is described by its address if the template's verb needs a
    value.
    """
    needs_value = bool(_WITHOUT_IS.search(template))

    def says(change: Change, sides: Sides) -> str:
        if not change.after.text and not change.entry and (gone or needs_value):
            return filled(gone, change) if gone else plainly(change, sides)
        return filled(template, change)

    return says


def filled(template: str, change: Change) -> str:
    """Fill in the placeholders of a `described_by` template for a change."""
    words = {"name": "".join(change.path[1:2]), "last": "".join(change.path[-1:])}
    words |= {"owner": ".".join(change.path[:2]), "moves": moves(change)}
    words |= {"before": cut(change.before.text) or "nothing", "after": cut(change.after.text) or "nothing"}
    words |= {"parent": change.path[-2] if len(change.path) > 1 else ""}
    words["target"] = "".join(change.path[2:3])
    return _filled(template, words)


def _filled(template: str, words: Mapping[str, str]) -> str:
    """Fill in a template without interpreting placeholders in the inserted strings."""
    result: list[str] = []
    for part in template.split("{"):
        key, brace, rest = part.partition("}")
        result += [words[key], rest] if brace else [part]
    return "".join(result)


RUNTIME: Final = "the system's runtime image"
"""The image that runs if `source.image` is not set."""

_PUBLIC: Final = "docker.io"
"""The container registry for image names without a host."""


def is_pinned(side: Leaf) -> bool:
    """Return whether a reference such as `churn@7` names a version by its number instead of an alias."""
    return side.text.rpartition("@")[2].isdecimal()


def is_other_model(change: Change) -> bool:
    """Return whether a reference such as `churn@champion` names another model than before."""
    return change.before.text.partition("@")[0] != change.after.text.partition("@")[0]


def code(change: Change, sides: Sides) -> Verdict:
    """Judge a change of user code. An image from another registry is a danger, because anyone may have built it."""
    return "R107", DANGER if is_foreign_code(change, sides) else REVIEW


def is_foreign_code(change: Change, sides: Sides) -> bool:
    """Return whether code now comes from a different container registry.

    An image that replaces the runtime image is compared with the target's own registry.
    """
    if change.before.text or not is_image(change):
        return is_from_elsewhere(change.before.text, change.after.text)
    entry = (sides.after.inference if change.path[0] == "inference" else sides.after.pipelines).get(change.path[1])
    own = sides.after.target(entry.target).images.registry if entry is not None else ""
    return bool(change.after.text) and (_registry(change.after.text) or _PUBLIC) != own.partition("/")[0]


def is_image(change: Change) -> bool:
    """Return whether a change to user code is a change of its image."""
    return change.path[-1] == "image"


def code_moves(change: Change) -> str:
    """Format the new and old code. If no image is set, the system's runtime image is used."""
    if not is_image(change):
        return moves(change)
    return was(*(cut(side.text) or RUNTIME for side in (change.after, change.before)))


def is_from_elsewhere(before: str, after: str) -> bool:
    """Return whether an image comes from a different container registry than before."""
    old, new = _registry(before), _registry(after)
    return bool(old and new) and old != new


def _registry(code: str) -> str:
    """Return an image's host, such as `ghcr.io` for `image ghcr.io/acme/train:1.8.2`, or "" for other code."""
    hosts = (word.partition("/")[0] for word in code.split() if "/" in word)
    return next((host for host in hosts if "." in host or ":" in host), "")
