"""The finding about cost: a system's monthly cost before and after a change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from modelyard.costs import CostLine, Total, discounted, total
from modelyard.fleets.costs import lines_of
from modelyard.plan import Plan
from modelyard.review.findings import Finding, Level, facts
from modelyard.review.sides import Sides
from modelyard.spec import Budget
from modelyard.stages import Outcome
from modelyard.target import Targets
from modelyard.units import money_text
from modelyard.usage import NO_USAGE, Usage

_SMALL: Final = 0.05
_LARGE: Final = 0.25
_MOST: Final = 3
_CENT: Final = 0.005
_NOTICED: Final = 0.001
_NAMES: Final = ("if nothing is used", "expected", "at most")


UsageOf: TypeAlias = Callable[[Plan], Usage]
"""Returns the usage on which the costs of a plan's system are based."""


def assumed(_: Plan) -> Usage:
    """Return no usage, so that expected costs rely on assumptions."""
    return NO_USAGE


def cost_changes(
    sides: Sides, before: Outcome, after: Outcome, targets: Targets, usage_of: UsageOf = assumed
) -> Iterator[Finding]:
    """Report how the monthly cost changes, unless it changes by less than a cent."""
    old, new = (_by_component(outcome, targets, usage_of) for outcome in (before, after))
    currencies = sorted({line.price.currency for side in (old, new) for line in _all(side) if line.price is not None})
    if len(currencies) > 1:
        message = f"the costs cannot be compared, because they are in {' and '.join(currencies)}"
        yield _finding(Level.REVIEW, message, "", sides, currencies)
        return
    was, now = total(_all(old)), total(_all(new))
    if any(abs(old_sum - new_sum) >= _CENT for old_sum, new_sum in zip(_sums(was), _sums(now), strict=True)):
        currency = currencies[0] if currencies else "USD"
        level, reasons = _level(was, now, sides)
        message = f"the monthly cost is {_amounts(was, now, currency)}"
        yield _finding(level, message, _mostly(old, new, was, now, currency), sides, [currency], reasons, was, now)


def costs_of_new(sides: Sides, after: Outcome, targets: Targets, usage_of: UsageOf) -> Iterator[Finding]:
    """Report the monthly cost of an environment that did not exist before."""
    lines = tuple(_all(_by_component(after, targets, usage_of)))
    now, currencies = total(lines), {line.price.currency for line in lines if line.price is not None}
    if len(currencies) != 1 or not any(amount >= _CENT for amount in _sums(now)):
        return
    (currency,) = currencies
    budget = sides.after.governance.budget
    too_much = budget is not None and budget.on_exceed == "block" and now.expected > budget.monthly
    reasons = (_beyond(budget),) if budget is not None and too_much else ()
    amounts = dict.fromkeys(_sums(now))
    texts = [now.text(money_text(amount, currency)) for amount in _sums(now)]
    text = texts[0] if len(amounts) == 1 else "; ".join(map(" ".join, zip(texts, _NAMES, strict=True)))
    message = f"the monthly cost will be {text}"
    yield _finding(Level.DANGER if too_much else Level.REVIEW, message, "", sides, [currency], reasons, now=now)


def _beyond(budget: Budget) -> str:
    return f"more than the budget of {money_text(budget.monthly, budget.currency)}, which blocks"


def _by_component(outcome: Outcome, targets: Targets, usage_of: UsageOf) -> Mapping[str, tuple[CostLine, ...]]:
    """Return the cost lines of all targets by component."""
    assert outcome.plan is not None
    groups: dict[str, list[CostLine]] = {}
    usage = usage_of(outcome.plan)
    for _, lines in lines_of(outcome.plan, outcome.fleets, targets, usage):
        for line in discounted(lines, usage.discounts):
            groups.setdefault(line.component, []).append(line)
    return {component: tuple(lines) for component, lines in groups.items()}


def _all(components: Mapping[str, tuple[CostLine, ...]]) -> Iterator[CostLine]:
    return (line for lines in components.values() for line in lines)


def _sums(costs: Total) -> tuple[float, float, float]:
    return costs.floor, costs.expected, costs.ceiling


def _amounts(was: Total, now: Total, currency: str) -> str:
    """Describe how floor, expected cost and ceiling change, in a single phrase if all three change alike."""
    steps = list(zip(_sums(was), _sums(now), strict=True))
    if len({(round(old, 2), round(new, 2)) for old, new in steps}) == 1:
        return _amount(was, now, steps[0], currency)
    changed = [(name, step) for name, step in zip(_NAMES, steps, strict=True) if abs(step[0] - step[1]) >= _CENT]
    return "; ".join(_amount(was, now, step, currency, f" {name}") for name, step in changed)


def _amount(was: Total, now: Total, step: tuple[float, float], currency: str, name: str = "") -> str:
    old, new = step
    return f"{now.text(money_text(new, currency))} (was {was.text(money_text(old, currency))}){name}"


def _level(was: Total, now: Total, sides: Sides) -> tuple[Level, tuple[str, ...]]:
    """Return the level of a cost change, along with reasons if it is a danger.

    A change is a danger if it exceeds a blocking budget or raises the floor considerably.
    """
    budget = sides.after.governance.budget
    if budget is not None and budget.on_exceed == "block" and now.expected > budget.monthly >= was.expected:
        return Level.DANGER, (_beyond(budget),)
    growth = _growth(was.floor, now.floor)
    if growth > _LARGE:
        return Level.DANGER, (f"more than {_LARGE:.0%} higher if nothing is used".replace("%", " %"),)
    largest = max(_growth(old_sum, new_sum) for old_sum, new_sum in zip(_sums(was), _sums(now), strict=True))
    return (Level.NOTE if largest < _SMALL else Level.REVIEW), ()


def _growth(was: float, now: float) -> float:
    """Return an amount's growth as a fraction. The growth from zero is infinite."""
    if was < _CENT:
        return float("inf") if now >= _CENT else 0.0
    return (now - was) / was


_Components: TypeAlias = Mapping[str, tuple[CostLine, ...]]


def _mostly(old: _Components, new: _Components, was: Total, now: Total, currency: str) -> str:
    """Name the components that contribute most to a cost change.

    Uses the floor, expected cost or ceiling, whichever total changes most.
    """
    before, after = _sums(was), _sums(now)
    column = max((1, 2, 0), key=lambda index: abs(_growth(before[index], after[index])))
    changed = {round(new - old, 2) for old, new in zip(before, after, strict=True)} - {0}
    which = f" ({_NAMES[column]})" if len(changed) > 1 else ""
    steps = {
        name: _sums(total(new.get(name, ())))[column] - _sums(total(old.get(name, ())))[column]
        for name in {**old, **new}
    }
    least = max(_CENT, _NOTICED * max(map(abs, steps.values()), default=0.0))
    largest = sorted((name for name, step in steps.items() if abs(step) >= least), key=lambda name: -abs(steps[name]))
    texts = [f"{name} {'+' if steps[name] > 0 else '-'}{money_text(abs(steps[name]), currency)}" for name in largest]
    more = len(texts) - _MOST
    return f"mostly {', '.join([*texts[:_MOST], *([f'{more} more'] if more > 0 else [])])}{which}" if texts else ""


def _finding(
    level: Level,
    message: str,
    why: str,
    sides: Sides,
    currencies: list[str],
    reasons: tuple[str, ...] = (),
    was: Total | None = None,
    now: Total | None = None,
) -> Finding:
    before, after = (
        f"{costs.floor:.2f} {costs.expected:.2f} {costs.ceiling:.2f}" if costs else "" for costs in (was, now)
    )
    return Finding(
        code="R620",
        level=level,
        path=("costs",),
        message=message,
        why=why,
        before=before,
        after=after,
        reasons=reasons,
        environments=(sides.after.environment,),
        facts=facts(currencies, [costs.unpriced if costs else 0 for costs in (was, now)]),
    )
