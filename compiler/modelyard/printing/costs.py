"""Print cost lines by component as text, Markdown or JSON, with quantity × price and the price's source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from modelyard.costs import CATEGORIES, HOURS_OF_A_MONTH, CostLine, Rate, Total, total
from modelyard.printing.markdown import escaped, table_row
from modelyard.printing.terminal import visible
from modelyard.records import record
from modelyard.stack import Value

_COLUMNS: Final = ("floor", "expected", "ceiling")
_WIDTH: Final = 12


@record
class Estimate:
    """A system's cost lines by target."""

    system: str
    environment: str
    lines: Mapping[str, tuple[CostLine, ...]]  # by target
    usage: str = ""  # the usage file, if any

    @property
    def all(self) -> tuple[CostLine, ...]:
        """Return the lines of all targets."""
        return tuple(line for lines in self.lines.values() for line in lines)

    @property
    def currency(self) -> str:
        """Return the currency of all lines, or US dollars if there are no prices."""
        return next(iter(self.currencies), "USD")

    @property
    def currencies(self) -> tuple[str, ...]:
        """Return the currencies of all prices. Lines in several currencies cannot be added up."""
        return tuple(sorted({line.price.currency for line in self.all if line.price is not None}))

    def components(self) -> Mapping[tuple[str, str], tuple[CostLine, ...]]:
        """Group the lines by target and component. On each target, the platform's lines come last."""
        groups: dict[tuple[str, str], list[CostLine]] = {}
        for target, lines in self.lines.items():
            for line in sorted(lines, key=lambda cost_line: (cost_line.component == "platform", cost_line.component)):
                groups.setdefault((target, line.component), []).append(line)
        return {key: tuple(lines) for key, lines in groups.items()}


def title_of(estimate: Estimate) -> str:
    """Return a title that states what is estimated and in what unit."""
    usage = f", used as in {estimate.usage}" if estimate.usage else ""
    return f"{estimate.system}, environment {estimate.environment}{usage}: {estimate.currency} a month"


def text_of(estimate: Estimate) -> str:
    """Return the estimate for a terminal."""
    sources = _Sources()
    rows = [_row(title_of(estimate), _COLUMNS), ""]
    for (target, component), lines in estimate.components().items():
        rows.append(_row(_component(estimate, target, component), _amounts(lines)))
        for line in lines:
            rows += _text_line(line, sources)
        rows.append("")
    rows.append(_row(total_label(estimate), _amounts(estimate.all)))
    rows += ["", *notes_of(estimate)]
    if sources.listed:
        rows += ["", "prices", *(f"  [{at}] {visible(text)}" for at, text in enumerate(sources.listed, 1))]
    return "\n".join(row.rstrip() for row in rows) + "\n"


def total_label(estimate: Estimate) -> str:
    """Return the label for the sum, which is a lower bound if any line has no price."""
    return "total, at least" if total(estimate.all).unpriced else "total"


def notes_of(estimate: Estimate) -> Iterator[str]:
    """Yield notes about the totals: what they mean, and what they exclude."""
    costs = total(estimate.all)
    yield "floor: paid even if nothing is used; ceiling: bounded by replicas, timeouts, retries and cooldowns"
    open_ended = dict.fromkeys(line.what for line in estimate.all if line.open_ended)
    if open_ended:
        yield f"the spec sets no limit for: {', '.join(open_ended)}; the ceiling includes their expected cost"
    if not estimate.usage:
        yield "expected: based on assumptions; pass --usage FILE to say how much the system is used"
    if costs.estimated:
        yield f"~ {costs.estimated} of {costs.lines} prices are estimated from another region or machine"
    for line in estimate.all:
        if line.is_unpriced:
            yield f"no price is known for: {visible(line.what)}; the totals are lower bounds"


def markdown_of(estimate: Estimate) -> str:
    """Return the estimate for a comment on a change: totals by component, with all lines in a collapsed section."""
    sources = _Sources()
    rows = [
        f"**{escaped(title_of(estimate))}**",
        "",
        "| component | floor | expected | ceiling |",
        "|---|---:|---:|---:|",
    ]
    for (target, component), lines in estimate.components().items():
        rows.append(table_row((_component(estimate, target, component), *_amounts(lines))))
    sums = (f"**{amount}**" for amount in _amounts(estimate.all))
    rows.append(f"| {' | '.join((f'**{escaped(total_label(estimate))}**', *sums))} |")
    rows += ["", *(f"- {escaped(note)}" for note in notes_of(estimate))]
    rows += ["", "<details><summary>All lines</summary>", ""]
    rows += ["| component | what | quantity × price | floor | expected | ceiling |", "|---|---|---|---:|---:|---:|"]
    for (target, component), lines in estimate.components().items():
        for line in lines:
            formula = f"{_quantity(line)} {line.unit} × {_price(line, sources)}"
            where = _component(estimate, target, component)
            rows.append(table_row((where, line.what, formula, *_amounts((line,)))))
    rows += ["", *(f"{at}. {escaped(text)}" for at, text in enumerate(sources.listed, 1)), "", "</details>"]
    return "\n".join(rows) + "\n"


def data_of(estimate: Estimate) -> dict[str, Value]:
    """Return the estimate as plain data, for use by programs."""
    return {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "CostEstimate",
        "system": estimate.system,
        "environment": estimate.environment,
        "usage": estimate.usage or None,
        "currency": estimate.currency,
        "hoursOfMonth": HOURS_OF_A_MONTH,
        "total": _totals(estimate.all),
        "categories": {
            category: _totals(category_lines)
            for category in CATEGORIES
            if (category_lines := tuple(line for line in estimate.all if line.category == category))
        },
        "components": [
            {
                "target": target,
                "component": component,
                **_totals(lines),
                "lines": [_line_data(cost_line) for cost_line in lines],
            }
            for (target, component), lines in estimate.components().items()
        ],
    }


def _totals(lines: Iterable[CostLine]) -> dict[str, Value]:
    costs: Total = total(lines)
    return {
        "floor": round(costs.floor, 2),
        "expected": round(costs.expected, 2),
        "ceiling": round(costs.ceiling, 2),
        "estimatedPrices": costs.estimated,
        "unpriced": costs.unpriced,
        "openEnded": costs.open_ended,
    }


def _line_data(line: CostLine) -> dict[str, Value]:
    return {
        "address": line.address,
        "what": line.what,
        "item": line.item,
        "category": line.category,
        "unit": line.unit,
        "quantity": {
            "floor": round(line.quantity.floor, 6),
            "expected": round(line.quantity.expected, 6),
            "ceiling": round(line.quantity.ceiling, 6),
        },
        "price": _rate_data(line.price),
        "ceilingPrice": _rate_data(line.ceiling_price if line.ceiling_price is not None else line.price),
        "floor": round(line.floor, 6),
        "expected": round(line.expected, 6),
        "ceiling": round(line.ceiling, 6),
        "assumption": line.assumptions or None,
        "openEnded": line.open_ended,
    }


def _rate_data(rate: Rate | None) -> dict[str, Value] | None:
    if rate is None:
        return None
    return {
        "amount": round(rate.amount, 9),
        "currency": rate.currency,
        "region": rate.region,
        "source": rate.source,
        "date": rate.date or None,
        "estimate": rate.estimate or None,
    }


class _Sources:
    """Numbers the sources of prices in the order in which they are first used."""

    def __init__(self) -> None:
        self.listed: list[str] = []

    def number(self, rate: Rate) -> int:
        """Return the number of a price's source."""
        parts = (rate.region, rate.date, rate.source, rate.estimate)
        text = "; ".join(part for part in parts if part)
        if text not in self.listed:
            self.listed.append(text)
        return self.listed.index(text) + 1


def _component(estimate: Estimate, target: str, component: str) -> str:
    return f"{component} on {target}" if len(estimate.lines) > 1 else component


def _text_line(line: CostLine, sources: _Sources) -> Iterator[str]:
    yield _row(f"  {visible(line.what)}", _amounts((line,)))
    yield f"      {_quantity(line)} {line.unit} × {_price(line, sources)}"
    if line.assumptions:
        yield f"      {visible(line.assumptions)}"


def _quantity(line: CostLine) -> str:
    """Format a line's floor, expected and ceiling quantities, as a single number if they are equal."""
    quantity = line.quantity
    amounts = (quantity.floor, quantity.expected, quantity.ceiling)
    return _number(amounts[0]) if len(set(amounts)) == 1 else " / ".join(_number(amount) for amount in amounts)


def _number(amount: float) -> str:
    return f"{amount:,.2f}".removesuffix(".00")


def _price(line: CostLine, sources: _Sources) -> str:
    if line.price is None:
        return "unknown"
    text = _rate(line.price, sources)
    if line.ceiling_price is not None:
        text += f" (ceiling: {_rate(line.ceiling_price, sources)})"
    return text


def _rate(rate: Rate, sources: _Sources) -> str:
    mark = "~" if rate.estimate else ""
    return f"{mark}{rate.amount:.6g} [{sources.number(rate)}]"


def _amounts(lines: Sequence[CostLine]) -> tuple[str, str, str]:
    costs = total(lines)
    return f"{costs.floor:,.2f}", f"{costs.expected:,.2f}", f"{costs.ceiling:,.2f}"


def _row(label: str, amounts: Iterable[str]) -> str:
    return f"{label:<60}" + "".join(f"{amount:>{_WIDTH}}" for amount in amounts)
