"""Column profiles for measuring drift, small enough to be stored with a model.

Columns of any length are profiled in batches using constant memory. Profiles of different parts of a column can be
merged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.description import Json, Section, integer, number, section

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Numbers = npt.NDArray[np.float64]

QUANTILES = 1001
"""The number of stored quantiles of a numeric column. KS is exact within 0.002, and a column takes 8 kB."""

REST = "…"
"""The name under which all categories are counted that exceed the limit."""

_MOST_CATEGORIES = 1000
_MOST_COUNTED = 50_000
_BUFFER = 1 << 14


@dataclass(frozen=True, slots=True)
class Profile:
    """The number of rows and missing values in a column, and the distribution of its values.

    For numbers, `quantiles` are values at equal steps of probability. For other types, `shares` are the shares of
    categories.
    """

    rows: int
    missing: int
    quantiles: Numbers | None = None
    shares: dict[str, float] | None = None

    @property
    def missing_share(self) -> float:
        """Return the share of rows without a value, from 0 to 1."""
        return self.missing / self.rows if self.rows else 0.0

    def to_json(self) -> dict[str, Json]:
        """Serialize the profile."""
        document: dict[str, Json] = {"rows": self.rows, "missing": self.missing}
        if self.quantiles is not None:
            document["quantiles"] = [float(value) for value in self.quantiles]
        if self.shares is not None:
            document["shares"] = dict(self.shares)
        return document

    @classmethod
    def from_json(cls, document: Section) -> Profile:
        """Parse a profile."""
        import numpy as np

        points = document.get("quantiles")
        shares = section(document, "shares") if "shares" in document else None
        return cls(
            integer(document, "rows"),
            integer(document, "missing"),
            np.array(points, dtype=np.float64) if isinstance(points, list) else None,
            None if shares is None else {name: number(shares, name) for name in shares},
        )


def profile(column: pd.Series) -> Profile:
    """Profile a column. Booleans count as 0 and 1, times as seconds, and non-finite numbers as missing."""
    summary = Summary()
    summary.add(column)
    return summary.profile()


def profiles(frame: pd.DataFrame, columns: list[str]) -> dict[str, Profile]:
    """Profile each column, and return the profiles by name."""
    return {name: profile(frame[name]) for name in columns}


def numbers_in(column: pd.Series) -> Numbers | None:
    """Return the finite values of a number, boolean or time column, or None if it contains anything else."""
    import numpy as np
    import pandas as pd

    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        all_values: Numbers = column.to_numpy(dtype=np.float64)
        finite = np.isfinite(all_values)
        if finite.all() and len(all_values):
            return all_values
        return None if np.isnan(all_values).all() else all_values[finite]
    present = column.dropna()
    if present.dtype == object:
        present = present.infer_objects()
    if pd.api.types.is_datetime64_any_dtype(present.dtype):
        epoch = pd.Timestamp(0, tz=getattr(present.dtype, "tz", None))
        seconds: Numbers = (present - epoch).dt.total_seconds().to_numpy(dtype=np.float64)
        return seconds
    if not len(present) or not pd.api.types.is_numeric_dtype(present.dtype):
        return None
    values: Numbers = present.to_numpy(dtype=np.float64)
    return values[np.isfinite(values)]


def texts_in(column: pd.Series) -> pd.Series:
    """Convert a column to text. Integers are written without a fraction, regardless of their type."""
    import pandas as pd

    present = column.dropna()
    if pd.api.types.is_datetime64_any_dtype(present.dtype):  # with or without a time zone, in any resolution
        return pd.to_datetime(present, utc=True).dt.as_unit("us").astype("int64").astype(str)
    if pd.api.types.is_float_dtype(present.dtype):
        integral = (present % 1 == 0) & (present.abs() < 2**53)
        return present.astype(str).where(~integral, present.where(integral, 0).astype("int64").astype(str))
    return present.astype(str)


def number_texts_in(column: pd.Series) -> pd.Series:
    """Convert a column of numbers, which may be stored as text, to normalized text without leading zeros."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype):
        return texts_in(column)
    texts = texts_in(column).str.strip()
    return texts.str.replace(r"^\+?0+(?=[0-9])", "", regex=True).str.replace(r"^([0-9]+)\.0+$", r"\1", regex=True)


class Quantiles:
    """The distribution of numbers in bounded memory, exact if there are only a few values.

    With more values, every second value in a sorted buffer represents two values, on several levels. With n values, a
    rank is off by at most n * log2(n / 16384) / 32768, which is less than the steps of a profile for any realistic n.
    """

    def __init__(self) -> None:
        self._levels: list[list[Numbers]] = [[]]
        self._odd = False
        self._least, self._greatest = float("inf"), float("-inf")

    def add(self, values: Numbers, level: int = 0) -> None:
        """Add values, each of which represents 2 ** level values."""
        import numpy as np

        if not len(values):
            return
        self._least, self._greatest = min(self._least, values.min()), max(self._greatest, values.max())
        while level >= len(self._levels):
            self._levels.append([])
        parts = self._levels[level]
        parts.append(values)
        if sum(len(part) for part in parts) < 2 * _BUFFER:
            return
        ordered = np.sort(np.concatenate(parts))
        even_count = len(ordered) // 2 * 2
        self._levels[level] = [ordered[even_count:]]
        self._odd = not self._odd
        self.add(ordered[int(self._odd) : even_count : 2], level + 1)

    def merge(self, other: Quantiles) -> None:
        """Add the values of another part of the column."""
        for level, parts in enumerate(other._levels):
            for part in parts:
                self.add(part, level)
        self._least, self._greatest = min(self._least, other._least), max(self._greatest, other._greatest)

    @property
    def value_count(self) -> int:
        """Return the number of values in memory."""
        return sum(len(part) for level in self._levels for part in level)

    def points(self) -> Numbers:
        """Return values at equal steps of probability like numpy's `inverted_cdf`, or an empty array if none exist."""
        import numpy as np

        parts = [(part, 2.0**level) for level, level_parts in enumerate(self._levels) for part in level_parts]
        values = np.concatenate([part for part, _ in parts] or [np.empty(0)])
        weights = np.concatenate([np.full(len(part), weight) for part, weight in parts] or [np.empty(0)])
        if not len(values):
            return values
        order = np.argsort(values, kind="stable")
        cumulative = np.cumsum(weights[order])
        steps = np.linspace(0, 1, QUANTILES) * cumulative[-1]
        points: Numbers = values[order][np.minimum(np.searchsorted(cumulative, steps - 1e-9), len(values) - 1)]
        points[0], points[-1] = self._least, self._greatest
        return points


class Summary:
    """A profile that is being created."""

    def __init__(self) -> None:
        self.rows = 0
        self.present = 0
        self._numbers: Quantiles | None = None
        self._counts: dict[str, int] | None = None
        self._rest = 0

    def add(self, column: pd.Series) -> None:
        """Add more rows of the column."""
        self.rows += len(column)
        numbers = numbers_in(column)
        if numbers is not None:
            self.present += len(numbers)
            self._add_numbers(column.name, numbers)
        elif column.notna().any():
            counts = texts_in(column).value_counts()
            self.present += int(counts.sum())
            self._add_counts(column.name, ((str(name), int(count)) for name, count in counts.items()))

    def merge(self, other: Summary, name: Any = "") -> None:
        """Add the summary of another part of the column."""
        self.rows += other.rows
        self.present += other.present
        if other._numbers is not None:
            self._add_numbers(name, ())
            assert self._numbers is not None
            self._numbers.merge(other._numbers)
        if other._counts is not None:
            self._rest += other._rest
            self._add_counts(name, iter(other._counts.items()))

    def profile(self) -> Profile:
        """Return the profile of all rows so far."""
        import numpy as np

        missing = self.rows - self.present
        if self._counts is None:
            points = np.empty(0) if self._numbers is None else self._numbers.points()
            return Profile(self.rows, missing, quantiles=points)
        ordered = sorted(self._counts.items(), key=lambda entry: (-entry[1], entry[0]))
        shares = {name: count / self.present for name, count in ordered[:_MOST_CATEGORIES]}
        rest = (self._rest + sum(count for _, count in ordered[_MOST_CATEGORIES:])) / self.present
        return Profile(self.rows, missing, shares={**shares, **({REST: rest} if rest else {})})

    def _add_numbers(self, name: Any, values: Any) -> None:
        if self._counts is not None:
            raise Refusal(f"column {name!r} contains numbers in some rows, and something else in others")
        if self._numbers is None:
            self._numbers = Quantiles()
        self._numbers.add(values)

    def _add_counts(self, name: Any, additions: Iterator[tuple[str, int]]) -> None:
        if self._numbers is not None:
            raise Refusal(f"column {name!r} contains numbers in some rows, and something else in others")
        counts = self._counts = {} if self._counts is None else self._counts
        for value, count in additions:
            counts[value] = counts.get(value, 0) + count
        if len(counts) > _MOST_COUNTED:  # the rarest values would not be stored anyway
            ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
            self._counts = dict(ordered[: _MOST_COUNTED // 2])
            self._rest += sum(count for _, count in ordered[_MOST_COUNTED // 2 :])
