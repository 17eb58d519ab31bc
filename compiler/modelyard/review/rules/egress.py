"""The rule for `egress`: the addresses outside the cluster to which workloads may connect."""

from __future__ import annotations

from typing import Final

from modelyard.review.changes import Change, Direction
from modelyard.review.ranges import are_ranges, covers
from modelyard.review.rules.base import DANGER, REVIEW, Rule, Verdict, stated
from modelyard.review.sides import Sides
from modelyard.review.values import Leaf


def _egress(change: Change, _: Sides) -> Verdict:
    if _lists_everything(change.after):
        return "R401", DANGER
    if change.way is Direction.STRICTER or (change.removed and _lists_everything(change.before)):
        return "R402", REVIEW
    return "R401", DANGER if change.way is Direction.LOOSER else REVIEW


def _lists_everything(side: Leaf) -> bool:
    """Return whether an `egress` list covers all addresses, including cloud endpoints for machine credentials."""
    items = side.items or ()
    return are_ranges(items) and covers(items, ("0.0.0.0/0",))


def _egress_says(change: Change, _: Sides) -> str:
    target = change.path[2]
    if _lists_everything(change.after):
        return f"workloads on {target} that call something outside may connect to any address (was {_ranges(change)})"
    if change.removed:
        return (
            f"workloads on {target} that call something outside may connect to any address (was {change.before.text})"
        )
    if change.added:
        return f"workloads on {target} may connect only to {change.after.text} outside (was any address)"
    return stated(f"addresses outside that workloads on {target} may connect to", change)


def _ranges(change: Change) -> str:
    return change.before.text or "any except those that serve machine credentials"


def _egress_why(change: Change, _: Sides) -> str:
    if change.way is Direction.LOOSER or _lists_everything(change.after):
        return "a compromised workload can send data there"
    return "other addresses can no longer be reached"


RULES: Final[tuple[Rule, ...]] = (Rule(("deployment", "targets", "*", "egress"), _egress, _egress_says, _egress_why),)
