"""The Page-Hinkley test: whether the mean of a sequence has risen, over all looks that a monitor has at it.

Sources: E. S. Page, Continuous Inspection Schemes, Biometrika 1954; with the forgetting factor and the fewest values of
river's `drift.PageHinkley` in mode "up", whose first finding it has on the same sequence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from modelyard_runtime.workload.description import Json, Section, integer, number, text

FEWEST = 30

_TOLERANCE = 0.005  # how much a value may lie above the mean so far without counting
_KEEP = 1 - 0.0001  # the part of the sum that is left after a value


@dataclass(slots=True)
class PageHinkley:
    """The test so far. It begins anew with another version of the model, and not because it has found a change."""

    version: str = ""
    count: int = 0
    mean: float = 0.0
    total: float = 0.0
    least: float = inf

    @classmethod
    def from_json(cls, kept: Section) -> PageHinkley:
        """The test that a look has left."""
        least = number(kept, "least", inf)
        return cls(text(kept, "version"), integer(kept, "count"), number(kept, "mean"), number(kept, "total"), least)

    def to_json(self) -> dict[str, Json]:
        """The test for the next look."""
        kept: dict[str, Json] = {"version": self.version, "count": self.count, "mean": self.mean, "total": self.total}
        return kept if self.least == inf else {**kept, "least": self.least}

    def take(self, values: Iterable[float], weight: float = 1.0) -> float | None:
        """The greatest excess of the sum over its least value since these values; None before there are enough.

        Each of the values stands for `weight` of them where only a part is at hand.
        """
        keep, greatest = _KEEP**weight, -inf
        for value in values:
            self.count += 1
            self.mean += (float(value) - self.mean) / self.count
            self.total = keep * self.total + weight * (float(value) - self.mean - _TOLERANCE)
            self.least = min(self.least, self.total)
            if self.count >= FEWEST:
                greatest = max(greatest, self.total - self.least)
        return None if greatest == -inf else greatest
