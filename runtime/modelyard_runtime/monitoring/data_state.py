"""Measures the data quality of a window: missing values, duplicates, columns, ranges, age and row count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from modelyard_runtime.monitoring.tallies import Watched
from modelyard_runtime.workload.records import Check


@dataclass(frozen=True, slots=True)
class DataState:
    """The data in a window. `declared` returns the columns required by a check, and `newest` the newest row's time."""

    watched: Watched
    declared: Callable[[Check], Sequence[str]]
    newest: Callable[[], datetime | None]
    now: datetime

    def measure(self, check: Check, columns: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Yield the check's values by column, using an empty column name for values that concern all rows."""
        return STATES[check.metric](self, check, columns)

    def missing(self, check: Check, columns: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Yield the share of rows without a value."""
        for name in columns:
            yield name, 1 - self.watched.present[name] / self.watched.rows

    def duplicates(self, check: Check, columns: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Yield the share of rows that duplicate an earlier row."""
        yield "", self.watched.distinct[check.name].share()

    def schema(self, check: Check, columns: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Yield the number of missing declared columns. Those with the wrong type are refused when read."""
        if self.watched.rows:
            yield "", float(len([name for name in self.declared(check) if name not in self.watched.present]))

    def out_of_range(self, check: Check, columns: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Yield the share of values outside the reference, i.e. out of range or in an unknown category."""
        for name, moved in self.watched.variants.get("", {}).items():
            value = moved.beyond() if name in columns else None
            if value is not None:
                yield name, value

    def freshness_s(self, check: Check, columns: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Yield the age of the newest row in seconds, even if that row is older than the window."""
        newest = self.newest()
        yield "", self.now.timestamp() - (newest.timestamp() if newest is not None else 0.0)

    def rows(self, check: Check, columns: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Yield the number of rows in the window."""
        yield "", float(self.watched.rows)


STATES: Mapping[str, Callable[[DataState, Check, Sequence[str]], Iterator[tuple[str, float]]]] = {
    "missing": DataState.missing,
    "duplicates": DataState.duplicates,
    "schema": DataState.schema,
    "out_of_range": DataState.out_of_range,
    "freshness_s": DataState.freshness_s,
    "rows": DataState.rows,
}
"""The method that measures each metric."""
