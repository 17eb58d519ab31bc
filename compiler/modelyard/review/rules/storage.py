"""Rules about stores and the registry: where they are, their size, their keys, and what happens to their data."""

from __future__ import annotations

from typing import Final

from modelyard.review.changes import Change
from modelyard.review.rules.base import (
    DANGER,
    NOTE,
    REVIEW,
    Rule,
    Verdict,
    always,
    by_way,
    described_by,
    plainly,
    was,
)
from modelyard.review.rules.placement import region
from modelyard.review.sides import Sides


def _registry_says(change: Change, _: Sides) -> str:
    after, before = (side.text or "created by this system" for side in (change.after, change.before))
    return f"the registry is {was(after, before)}"


def _store(change: Change, sides: Sides) -> Verdict:
    if change.added:
        new = sides.after.stores.get(change.path[1])
        return ("R512", REVIEW) if new is None or not new.adopt else ("R514", REVIEW)
    store = sides.before.stores.get(change.path[1])
    return ("R501", DANGER) if store is None or not store.adopt else ("R513", REVIEW)


def _store_why(change: Change, sides: Sides) -> str:
    store = (sides.after if change.added else sides.before).stores.get(change.path[1])
    if change.added or store is None:
        return ""
    if store.adopt:
        return "it was adopted, so nothing is deleted"
    return "resources that hold data are protected: applying it stops until someone decides what happens to the data"


def _adopted(change: Change, _: Sides) -> Verdict:
    return "R506", DANGER


def _size(change: Change, _: Sides) -> Verdict:
    smaller = (change.after.number or 0) < (change.before.number or 0)
    return ("R505", DANGER) if smaller else ("R505", REVIEW)


def _size_why(change: Change, sides: Sides) -> str:
    return "a volume cannot shrink" if _size(change, sides)[1] is DANGER else "a volume cannot shrink again"


RULES: Final[tuple[Rule, ...]] = (
    Rule(("stores", "*", "region"), region, described_by("store {name} is in {moves}"), "its data is not moved"),
    Rule(
        ("stores", "*", "adopt"),
        _adopted,
        described_by("store {name} adopts {moves}"),
        "data in the old place is neither moved nor deleted",
    ),
    Rule(
        ("stores", "*", "endpoint"),
        always("R312", DANGER),
        described_by("the endpoint of store {name} is {moves}"),
        "data in the old place is neither moved nor deleted",
    ),
    Rule(("stores", "*", "type"), always("R506", DANGER), described_by("the type of store {name} is {moves}")),
    Rule(
        ("stores", "*", "size"),
        _size,
        described_by("the size of the volume of {name} is {moves}"),
        _size_why,
        irreversible=True,
    ),
    Rule(
        ("stores", "*", "replicas"),
        by_way(("R603", REVIEW), ("R604", NOTE), ("R603", REVIEW)),
        described_by("the number of instances of {name} is {moves}"),
    ),
    Rule(
        ("stores", "*", "encryptionKey"),
        always("R317", REVIEW),
        described_by("the encryption key of store {name} is {moves}"),
        "workloads need permission to use the new key",
    ),
    Rule(
        ("registry", "adopt"),
        _adopted,
        _registry_says,
        "versions, aliases and history in the old registry are not moved",
    ),
    Rule(
        ("registry", "credentials"),
        always("R405", REVIEW),
        plainly,
        lambda change, _: "" if change.removed else "it must exist before this is applied",
    ),
    Rule(
        ("registry",),
        always("R508", DANGER),
        plainly,
        "versions, aliases and history in the old place are not moved",
        irreversible=True,
    ),
)

ENTRIES: Final[tuple[Rule, ...]] = (Rule(("stores", "*"), _store, described_by("store {name} is {moves}"), _store_why),)
"""The rules for stores that are new or removed."""
