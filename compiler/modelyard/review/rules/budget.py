"""Rules about the budget: its amount, and whether it blocks."""

from __future__ import annotations

from typing import Final

from modelyard.review.changes import Change, Direction
from modelyard.review.rules.base import DANGER, NOTE, REVIEW, Rule, Verdict, moves
from modelyard.review.sides import Sides
from modelyard.units import money_text


def _budget(change: Change, sides: Sides) -> Verdict:
    if change.way is Direction.STRICTER:
        return "R612", NOTE
    return "R602", DANGER if _is_disarmed(sides) else REVIEW


def _is_disarmed(sides: Sides) -> bool:
    """Return whether the old version has a budget that blocks but the new version does not."""
    old, new = (system.governance.budget for system in (sides.before, sides.after))
    return old is not None and old.on_exceed == "block" and (new is None or new.on_exceed != "block")


def _budget_says(change: Change, sides: Sides) -> str:
    if change.entry:
        return f"the system {'now' if change.added else 'no longer'} has a budget{_amount(sides)}"
    return f"the budget: {change.path[-1]} is {moves(change)}"


def _amount(sides: Sides) -> str:
    old, new = (system.governance.budget for system in (sides.before, sides.after))
    if new is not None:
        return f": {money_text(new.monthly, new.currency)} a month"
    return "" if old is None else f" (was {money_text(old.monthly, old.currency)} a month)"


def _budget_why(_: Change, sides: Sides) -> str:
    return "changes that exceed the budget are no longer blocked" if _is_disarmed(sides) else ""


RULES: Final[tuple[Rule, ...]] = (Rule(("governance", "budget"), _budget, _budget_says, _budget_why),)
