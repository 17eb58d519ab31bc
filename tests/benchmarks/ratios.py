"""Ratios against budgets: each is measured in pairs within one run, and compared with the one that is stored.

`ratios.json` has for each the `budget`, the ratio that was `stored` when the machine did little else, and the `band` by
which a run may differ from it before the table says so. Where a budget is not kept yet, `bound` is what is held
instead, with `why`; a ratio above its bound, or else above its budget, fails.
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
    """What is expected of a ratio; `stored` is None before its first run with `--accept`."""

    budget: float
    stored: float | None = None
    band: float = 0.2
    bound: float | None = None
    why: str = ""

    @property
    def held(self) -> float:
        """The ratio above which a run fails on a machine that does little else."""
        return self.budget if self.bound is None else self.bound

    def limit(self, margin: float) -> float:
        """The ratio above which a run fails that allows `margin` times what was stored, or else times the budget."""
        usual = self.held if self.stored is None else self.stored
        return max(self.held, usual * margin) if margin > 1 else self.held

    def verdict(self, measured: float) -> str:
        """What the table says of a ratio; empty where it is as before and within its budget."""
        if measured > self.held:
            return "exceeded"
        if self.stored is not None and measured > self.stored * (1 + self.band):
            return "worse than stored"
        if self.stored is not None and measured < self.stored * (1 - self.band):
            return "better than stored"
        return "" if measured <= self.budget else "budget not kept yet"


@dataclass
class Ratios:
    """The ratios of one run, which fails where a ratio exceeds its bound and `margin` times what was stored."""

    expected: Mapping[str, Expected]
    measured: dict[str, float] = field(default_factory=dict[str, float])
    margin: float = 1.0

    @classmethod
    def read(cls, text: str, margin: float = 1.0) -> Ratios:
        """The expectations in a text."""
        entries: dict[str, dict[str, Any]] = json.loads(text)
        return cls({what: Expected(**entry) for what, entry in entries.items()}, margin=margin)

    def check(self, what: str, measure: Measure) -> None:
        """Measures a ratio, and once more where it is too large, since a machine may be busy; fails if it still is."""
        expected = self.expected[what]
        limit = expected.limit(self.margin)
        ratio = measure()
        if ratio > limit:
            ratio = min(ratio, measure())
        self.measured[what] = ratio
        name = "the budget" if expected.bound is None else "the bound of a budget that is not kept yet"
        assert ratio <= limit, f"{what}: {ratio:.2f}, {name} is {expected.held:g}, and {limit:.2f} is allowed here"

    def table(self) -> Iterator[str]:
        """A line a ratio, in the order in which they were measured."""
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
        """The stored text with what this run measured."""
        entries: dict[str, dict[str, Any]] = json.loads(text)
        for what, ratio in self.measured.items():
            entries[what]["stored"] = round(ratio, 2)
        return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"
