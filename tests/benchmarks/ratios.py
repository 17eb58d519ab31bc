"""Compare ratios measured within one run with their budgets and with stored ratios.

For each ratio, `ratios.json` has a `budget`, the `stored` ratio from an idle machine, and the `band` by which a run may
differ from the stored ratio before the table mentions it. If a budget isn't met yet, `bound` applies instead, and `why`
explains why. A ratio above its bound or, without a bound, above its budget fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

Measure: TypeAlias = Callable[[], float]

STORED: Final = Path(__file__).with_name("ratios.json")
_HEAD: Final = ("what", "budget", "held", "stored", "measured", "")


@dataclass(frozen=True)
class Expected:
    """The limits for one measured ratio. `stored` is None before the first run with `--accept`."""

    budget: float
    stored: float | None = None
    band: float = 0.2
    bound: float | None = None
    why: str = ""

    @property
    def held(self) -> float:
        """The ratio above which a run on an otherwise idle machine fails."""
        return self.budget if self.bound is None else self.bound

    def limit(self, margin: float) -> float:
        """The ratio above which a run fails, i.e. `margin` times the budget.

        A bound already has slack, so the margin then applies to the stored ratio instead.
        """
        if self.bound is None:
            return self.budget * margin
        return max(self.bound, margin * (self.stored or 0.0))

    def verdict(self, measured: float) -> str:
        """Return the table's remark on a measured ratio, or "" if it's unchanged and within budget."""
        if measured > self.held:
            return "exceeded"
        if self.stored is not None and measured > self.stored * (1 + self.band):
            return "worse than stored"
        if self.stored is not None and measured < self.stored * (1 - self.band):
            return "better than stored"
        return "" if measured <= self.budget else "budget not kept yet"


@dataclass
class Ratios:
    """The ratios measured in one run, which fails if any of them exceeds its limit for the given margin."""

    expected: Mapping[str, Expected]
    measured: dict[str, float] = field(default_factory=dict[str, float])
    margin: float = 1.0

    @classmethod
    def read(cls, text: str, margin: float = 1.0) -> Ratios:
        """Parse the text of `ratios.json`."""
        entries: dict[str, dict[str, Any]] = json.loads(text)
        return cls({what: Expected(**entry) for what, entry in entries.items()}, margin=margin)

    def check(self, what: str, measure: Measure) -> None:
        """Measure a ratio, failing only if it's too large twice, as the machine may be busy the first time."""
        expected = self.expected[what]
        limit = expected.limit(self.margin)
        ratio = measure()
        if ratio > limit:
            ratio = min(ratio, measure())
        self.measured[what] = ratio
        name = "the budget" if expected.bound is None else "the bound of a budget that is not kept yet"
        assert ratio <= limit, f"{what}: {ratio:.2f}, {name} is {expected.held:g}, and {limit:.2f} is allowed here"

    def table(self) -> Iterator[str]:
        """Yield a line of the table for each ratio, in the order of measurement."""
        rows = [_HEAD, *(self._row(what, ratio) for what, ratio in self.measured.items())]
        widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD))]
        for what, *figures, verdict in rows:
            cells = (figure.rjust(width) for figure, width in zip(figures, widths[1:-1], strict=True))
            yield "  ".join((what.ljust(widths[0]), *cells, verdict)).rstrip()

    def _row(self, what: str, ratio: float) -> tuple[str, ...]:
        expected = self.expected[what]
        stored = "-" if expected.stored is None else f"{expected.stored:.2f}"
        return what, f"{expected.budget:g}", f"{expected.held:g}", stored, f"{ratio:.2f}", expected.verdict(ratio)

    def accepted(self, text: str) -> str:
        """Return the new text of `ratios.json`, with this run's ratios."""
        entries: dict[str, dict[str, Any]] = json.loads(text)
        for what, ratio in self.measured.items():
            entries[what]["stored"] = round(ratio, 2)
        return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"
