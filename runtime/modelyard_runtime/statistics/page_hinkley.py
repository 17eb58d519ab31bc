"""The Page-Hinkley test, which detects whether the mean of a sequence has risen across all runs of a monitor.

Sources: E. S. Page, Continuous Inspection Schemes, Biometrika 1954. The forgetting factor and minimum number of values
are those of river's `drift.PageHinkley` in mode "up", which has the same first detection on the same sequence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from modelyard_runtime.workload.description import Json, Section, integer, number, text

FEWEST = 30

_TOLERANCE = 0.005  # how far a value may exceed the current mean without counting
_KEEP = 1 - 0.0001  # the fraction of the sum that remains after each value


@dataclass(slots=True)
class PageHinkley:
    """The state of the test, which restarts for a new model version but not after a detection."""

    version: str = ""
    count: int = 0
    mean: float = 0.0
    total: float = 0.0
    least: float = inf

    @classmethod
    def from_json(cls, state: Section) -> PageHinkley:
        """Restore the state that an earlier run saved."""
        least = number(state, "least", inf)
        return cls(
            text(state, "version"), integer(state, "count"), number(state, "mean"), number(state, "total"), least
        )

    def to_json(self) -> dict[str, Json]:
        """Serialize the state for the next run."""
        state: dict[str, Json] = {"version": self.version, "count": self.count, "mean": self.mean, "total": self.total}
        return state if self.least == inf else {**state, "least": self.least}

    def take(self, values: Iterable[float], weight: float = 1.0) -> float | None:
        """Add values and return the sum's largest excess over its minimum, or None until there are enough values.

        If only a sample is available, each value represents `weight` values.
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
