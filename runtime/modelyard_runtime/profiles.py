"""What a column looked like: a profile small enough to keep with a model, from which drift is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelyard_runtime.description import Json, Section, integer, number, section

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Numbers = npt.NDArray[np.float64]

QUANTILES = 1001
"""Points of a numeric column's distribution that are kept: KS stays within 0.001 of exact, at 8 kB a column."""

_MOST_CATEGORIES = 1000
_OTHER = "…"


@dataclass(frozen=True, slots=True)
class Profile:
    """One column: how many rows, how many without a value, and its distribution.

    `quantiles` are values at equal steps of probability (numbers); `shares` are the parts of each category (others).
    """

    rows: int
    missing: int
    quantiles: Numbers | None = None
    shares: dict[str, float] | None = None

    @property
    def missing_share(self) -> float:
        """The part of the rows without a value, 0 to 1."""
        return self.missing / self.rows if self.rows else 0.0

    def to_json(self) -> dict[str, Json]:
        """The profile as plain data."""
        kept: dict[str, Json] = {"rows": self.rows, "missing": self.missing}
        if self.quantiles is not None:
            kept["quantiles"] = [float(value) for value in self.quantiles]
        if self.shares is not None:
            kept["shares"] = dict(self.shares)
        return kept

    @classmethod
    def from_json(cls, kept: Section) -> Profile:
        """The profile that was kept."""
        import numpy as np

        points = kept.get("quantiles")
        shares = section(kept, "shares") if "shares" in kept else None
        return cls(
            integer(kept, "rows"),
            integer(kept, "missing"),
            np.array(points, dtype=np.float64) if isinstance(points, list) else None,
            None if shares is None else {name: number(shares, name) for name in shares},
        )


def profile(column: pd.Series) -> Profile:
    """The profile of a column; booleans count as categories, times as seconds."""
    import numpy as np
    import pandas as pd

    missing = int(column.isna().sum())
    present = column.dropna()
    if pd.api.types.is_datetime64_any_dtype(present):
        present = present.astype("int64") / 1e9
    if pd.api.types.is_numeric_dtype(present) and not pd.api.types.is_bool_dtype(present):
        values = present.to_numpy(dtype=np.float64)
        points = np.quantile(values, np.linspace(0, 1, QUANTILES)) if len(values) else np.empty(0)
        return Profile(len(column), missing, quantiles=points)
    counts = present.astype(str).value_counts(normalize=True)
    shares = {str(name): float(share) for name, share in counts.iloc[:_MOST_CATEGORIES].items()}
    rest = float(counts.iloc[_MOST_CATEGORIES:].sum())
    return Profile(len(column), missing, shares={**shares, **({_OTHER: rest} if rest else {})})


def profiles(frame: pd.DataFrame, columns: list[str]) -> dict[str, Profile]:
    """The profile of each column, by name."""
    return {name: profile(frame[name]) for name in columns}
