"""What a change to a field means, as declared by the field's `x-review` in the schema.

A rating is `ABOUT` or `ABOUT: ORDER`. The order specifies which change of the field's value loosens it:

- `less`, `more`: a smaller number, or a larger one, is looser;
- `added`, `removed`: one more item, or one item fewer, is looser;
- `strict<loose`: the field's values from the strictest to the loosest;
- `absent`, by itself or after one of these: having no value is the loosest of all;
- `absent strictest`, `absent empty`, `absent neither`: having no value is the strictest of all, means an empty list, or
  means a default that is not part of the order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final, cast

import modelyard_schemas
from modelyard.records import record
from modelyard.shape import Schema, schema_of

ABOUT: Final = frozenset(
    {
        *("access", "address", "alarm", "approval", "budget", "capacity", "code", "cost", "data", "escape"),
        *("evidence", "gate", "hardware", "isolation", "latency", "model", "oneway", "opening", "owner", "place"),
        *("platform", "privacy", "promotion", "prose", "quiet", "residency", "resilience", "retention", "rules"),
        *("schedule", "schema", "secret", "slo", "state", "supply", "traffic", "trigger"),
    }
)
"""The topics that a field can be about."""

_ENTRIES: Final = ("additionalProperties", "items")
_DIRECTIONS: Final = frozenset({"less", "more", "added", "removed"})


class Absent(StrEnum):
    """The meaning of a field without a value."""

    UNKNOWN = ""  # not declared, because the field always has a value or is an entry
    LOOSEST = "absent"
    STRICTEST = "absent strictest"
    EMPTY = "absent empty"
    NEITHER = "absent neither"


@record
class Meaning:
    """What a field is about and which changes loosen it, given by a direction, an order of values, or neither."""

    about: str
    direction: str = ""
    values: tuple[str, ...] = ()
    absent: Absent = Absent.UNKNOWN

    @property
    def ordered(self) -> bool:
        """Whether some change to the field is looser than its reverse."""
        return bool(self.direction or self.values or self.absent)


@lru_cache(maxsize=512)
def parsed(rating: str) -> Meaning:
    """Parse a rating. Raises ValueError for an invalid rating, which is an error in the schema."""
    about, colon, order = rating.partition(": ")
    words = order.split(", ") if colon else []
    orderings = [word for word in words if not word.startswith("absent")]
    absent = [word for word in words if word.startswith("absent")]
    is_known = about in ABOUT and len(orderings) <= 1 and len(absent) <= 1 and set(absent) <= set(Absent)
    if not is_known or any(word not in _DIRECTIONS and "<" not in word for word in orderings):
        raise ValueError(f"x-review {rating!r}")
    order = orderings[0] if orderings else ""
    values = tuple(order.split("<")) if "<" in order else ()
    return Meaning(about, "" if values else order, values, Absent("".join(absent)))


def below(schemas: Sequence[Schema], step: str) -> list[Schema]:
    """Return the schemas that apply to a field or entry, across all branches of its parent's schemas."""
    children: list[Schema] = []
    for schema in _expanded(schemas):
        known = schema_of(schema.get("properties"))
        if step in known:
            children.append(schema_of(known[step]))
        else:
            children += [schema_of(schema[word]) for word in _ENTRIES if isinstance(schema.get(word), dict)]
    return children


def rated(schemas: Sequence[Schema]) -> str | None:
    """Return the rating of a field with the given schemas, or None if it has none. Mapping entries never have one."""
    ratings = (schema.get("x-review") for schema in schemas)
    return next((rating for rating in ratings if isinstance(rating, str)), None)


def _expanded(schemas: Sequence[Schema]) -> Iterator[Schema]:
    waiting = list(schemas)
    while waiting:
        schema = waiting.pop(0)
        yield schema
        reference = schema.get("$ref")
        if isinstance(reference, str):
            waiting.append(schema_of(schema_of(root()["$defs"])[reference.rpartition("/")[2]]))
        waiting += [schema_of(schema[word]) for word in ("then", "else") if isinstance(schema.get(word), dict)]


@lru_cache(maxsize=1)
def root() -> Schema:
    """Return the schema of the spec."""
    return cast("Schema", modelyard_schemas.load("system"))
