"""Compare two cost estimates, by component and by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelyard.costs import CostLine, total
from modelyard.printing.costs import Estimate, data_of, title_of, total_label
from modelyard.printing.markdown import escaped
from modelyard.printing.terminal import visible
from modelyard.stack import Value

_Key = tuple[str, str, str]


def changes_text(before: Estimate, after: Estimate) -> str:
    """Return the lines that differ, with their amounts before and after."""
    rows = [title_of(after), ""]
    rows += [_changed(label, old, new) for label, old, new in _differences(before, after)] or ["no line differs"]
    rows += ["", _changed(total_label(after), before.all, after.all)]
    return "\n".join(rows) + "\n"


def changes_markdown(before: Estimate, after: Estimate) -> str:
    """Return the lines that differ as a table."""
    rows = ["| what | floor | expected | ceiling |", "|---|---:|---:|---:|"]
    differences = (*_differences(before, after), (f"**{total_label(after)}**", before.all, after.all))
    for label, old, new in differences:
        cells = " | ".join(_step(*pair) for pair in zip(_sums(old), _sums(new), strict=True))
        rows.append(f"| {escaped(label)} | {cells} |")
    return "\n".join(rows) + "\n"


def changes_data(before: Estimate, after: Estimate) -> dict[str, Value]:
    """Return both estimates and the lines that differ as plain data, for use by programs."""
    return {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "CostComparison",
        "before": data_of(before),
        "after": data_of(after),
        "changes": [
            {"what": label, "before": _data(old), "after": _data(new)}
            for label, old, new in _differences(before, after)
        ],
    }


def changed_lines(before: Estimate, after: Estimate) -> Iterator[tuple[str, tuple[tuple[float, float], ...]]]:
    """Yield each line that differs, with its floor, expected cost and ceiling before and after."""
    for label, old, new in _differences(before, after):
        yield label, tuple(zip(_sums(old), _sums(new), strict=True))


def _differences(before: Estimate, after: Estimate) -> Iterator[tuple[str, tuple[CostLine, ...], tuple[CostLine, ...]]]:
    """Yield lines with different amounts, matched by target, component and description, in order of appearance."""
    old, new = _by_key(before), _by_key(after)
    for key in dict.fromkeys((*old, *new)):
        was, becomes = old.get(key, ()), new.get(key, ())
        if _sums(was) != _sums(becomes):
            target, component, what = key
            yield f"{component} on {target}: {what}", was, becomes


def _by_key(estimate: Estimate) -> Mapping[_Key, tuple[CostLine, ...]]:
    groups: dict[_Key, list[CostLine]] = {}
    for target, lines in estimate.lines.items():
        for line in lines:
            groups.setdefault((target, line.component, line.what), []).append(line)
    return {key: tuple(lines) for key, lines in groups.items()}


def _sums(lines: tuple[CostLine, ...]) -> tuple[float, float, float]:
    costs = total(lines)
    return round(costs.floor, 2), round(costs.expected, 2), round(costs.ceiling, 2)


def _data(lines: tuple[CostLine, ...]) -> dict[str, Value]:
    floor, expected, ceiling = _sums(lines)
    return {"floor": floor, "expected": expected, "ceiling": ceiling}


def _changed(label: str, old: tuple[CostLine, ...], new: tuple[CostLine, ...]) -> str:
    names = ("floor", "expected", "ceiling")
    pairs = zip(_sums(old), _sums(new), strict=True)
    steps = (f"{name} {_step(*pair)}" for name, pair in zip(names, pairs, strict=True))
    return f"{visible(label)}\n    {', '.join(steps)}"


def _step(old: float, new: float) -> str:
    return f"{new:,.2f}" if old == new else f"{old:,.2f} → {new:,.2f} ({new - old:+,.2f})"
