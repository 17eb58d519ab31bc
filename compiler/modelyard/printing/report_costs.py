"""Print how a change affects each environment's cost: as a sentence, a table for a comment, and data for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from modelyard.costs import total
from modelyard.printing.cost_changes import changed_lines, changes_data
from modelyard.printing.costs import Estimate, data_of
from modelyard.printing.markdown import escaped
from modelyard.printing.review_words import listed
from modelyard.records import record
from modelyard.stack import Value

AMOUNTS: Final = ("floor", "expected", "ceiling")
NOTHING: Final = Estimate("", "", {})
"""The estimate for an environment that does not exist."""


@record
class CostChange:
    """An environment's cost estimates before and after a change, each of which is None if unknown."""

    environment: str
    before: Estimate | None
    after: Estimate | None

    @property
    def is_known(self) -> bool:
        """Whether the estimates for both versions are known and use the same currency."""
        return self.before is not None and self.after is not None and len(self.currencies) < 2

    @property
    def currencies(self) -> frozenset[str]:
        """The currencies used by either version."""
        return frozenset(
            name for estimate in (self.before, self.after) if estimate is not None for name in estimate.currencies
        )

    @property
    def currency(self) -> str:
        """The currency of both versions, or US dollars if there are no prices."""
        return min(self.currencies, default="USD")

    @property
    def steps(self) -> tuple[tuple[float, float], ...]:
        """Floor, expected cost and ceiling, each before and after, rounded to cents."""
        sides = [total(estimate.all) if estimate is not None else total(()) for estimate in (self.before, self.after)]
        return tuple((round(getattr(sides[0], name), 2), round(getattr(sides[1], name), 2)) for name in AMOUNTS)

    @property
    def differs(self) -> bool:
        """Whether any amount changes."""
        return any(old != new for old, new in self.steps)

    @property
    def is_lower_bound(self) -> bool:
        """Whether any line has no price, in which case the totals are lower bounds."""
        return any(total(estimate.all).unpriced for estimate in (self.before, self.after) if estimate is not None)

    def lines(self) -> Iterator[tuple[str, tuple[tuple[float, float], ...]]]:
        """Yield the lines that differ, with their amounts before and after."""
        yield from changed_lines(self.before or NOTHING, self.after or NOTHING)


def sentence(costs: Sequence[CostChange]) -> str:
    """Summarize in one line which environments change, by how much, and which don't."""
    known = [cost for cost in costs if cost.is_known]
    parts = [_of_one(cost) for cost in known if cost.differs]
    same = [cost.environment for cost in known if not cost.differs]
    unknown = [cost.environment for cost in costs if not cost.is_known]
    if same:
        parts.append(f"unchanged in {listed(same)}")
    if unknown:
        parts.append(f"not compared in {listed(unknown)}")
    files = {estimate.usage for cost in costs for estimate in (cost.before, cost.after) if estimate and estimate.usage}
    usage_note = f", used as in {listed(sorted(files))}" if files else ""
    return f"Cost a month{usage_note}: {'; '.join(parts)}" if parts else ""


def _of_one(change: CostChange) -> str:
    deltas = {name: new - old for name, (old, new) in zip(AMOUNTS, change.steps, strict=True)}
    texts = {name: f"{_rounded(delta)} {change.currency}" for name, delta in deltas.items()}
    if len(set(texts.values())) == 1:
        amounts = texts["floor"]
    else:
        amounts = ", ".join(f"{amount} {name}" for name, amount in texts.items() if deltas[name])
    return f"{amounts} in {change.environment}{', at least' if change.is_lower_bound else ''}"


def _rounded(delta: float) -> str:
    return f"{delta:+,.0f}" if abs(delta) >= 10 else f"{delta:+,.2f}"


def costs_data(costs: Sequence[CostChange], system: str) -> Mapping[str, Value]:
    """Return each environment's comparison, or its only known estimate, as plain data."""
    return {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "CostReport",
        "system": system,
        "environments": {cost.environment: _data(cost) for cost in costs},
    }


def _data(change: CostChange) -> Value:
    if change.is_known and change.before is not None and change.after is not None:
        return changes_data(change.before, change.after)
    estimate = change.after or change.before
    return data_of(estimate) if estimate is not None else None


def costs_markdown(costs: Sequence[CostChange]) -> Iterator[str]:
    """Yield the rows of a table with each environment's totals and the lines that differ."""
    yield "| environment | what | floor | expected | ceiling |"
    yield "|---|---|---:|---:|---:|"
    for change in costs:
        if change.is_known and change.differs:
            label = "total, at least" if change.is_lower_bound else "total"
            yield _row(change.environment, f"**{label} in {change.currency}**", change.steps)
            yield from (_row(change.environment, escaped(what), steps) for what, steps in change.lines())


def _row(environment: str, what: str, steps: Sequence[tuple[float, float]]) -> str:
    return f"| {' | '.join((escaped(environment), what, *(step_text(*step) for step in steps)))} |"


def step_text(old: float, new: float) -> str:
    """Return the amount or, if it changes, both amounts and their difference."""
    return f"{new:,.2f}" if old == new else f"{old:,.2f} → {new:,.2f} ({new - old:+,.2f})"
