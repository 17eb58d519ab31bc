"""Rules for the adapters of a language model endpoint, which requests select by name."""

from __future__ import annotations

from typing import Final

from modelyard.review.changes import Change
from modelyard.review.rules.base import DANGER, NOTE, REVIEW, Rule, Verdict, is_other_model, is_pinned, moves
from modelyard.review.sides import Sides
from modelyard.spec import System


def _adapter(change: Change, _: Sides) -> Verdict:
    if change.added:
        return "R102", REVIEW if is_pinned(change.after) else NOTE
    return ("R103", DANGER) if change.removed else ("R104", DANGER)


def _says(change: Change, sides: Sides) -> str:
    endpoint, name = change.path[1], change.path[-1]
    if change.added:
        return f"adapter {name} of {endpoint} is new: {change.after.text}"
    if change.removed:
        heir = _heir(change, sides)
        return f"adapter {name} of {endpoint} is {f'renamed to {heir}' if heir else 'removed'} ({change.before.text})"
    return f"adapter {name} of {endpoint} serves {moves(change)}"


def _heir(change: Change, sides: Sides) -> str:
    """Return the name of a new adapter that serves the same model as a removed adapter, or "" if there is none."""
    old, new = (_adapters(system, change.path[1]) for system in (sides.before, sides.after))
    return next((name for name, model in new.items() if name not in old and model == change.before.text), "")


def _adapters(system: System, endpoint: str) -> dict[str, str]:
    """Return the model version of each adapter of an endpoint, as written in the spec."""
    inference = system.inference.get(endpoint)
    adapters = inference.adapters if inference is not None else ()
    return {adapter.name: f"{adapter.model.model}@{adapter.model.alias}" for adapter in adapters}


def _why(change: Change, _: Sides) -> str:
    name = change.path[-1]
    if change.removed:
        return f"requests for model {name} get a 404"
    if is_pinned(change.after):
        return "a pinned version is served even without passing its gate and approvals, and does not follow promotions"
    if change.added:
        return ""
    if is_other_model(change):
        return f"clients that request model {name} get answers from a different model"
    if is_pinned(change.before):
        return "the version was pinned; from now on, it follows each promotion"
    return "different gates and approvals decide what this alias points to"


RULES: Final[tuple[Rule, ...]] = (Rule(("inference", "*", "adapters", "*"), _adapter, _says, _why),)
