"""Counts that are made batch by batch in a single pass over rows, and can be merged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from modelyard_runtime.monitoring.windows import VARIANT, Rows
from modelyard_runtime.statistics.drift import Moved
from modelyard_runtime.statistics.hashes import hashes
from modelyard_runtime.statistics.profiles import Profile, Summary

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Numbers = npt.NDArray[np.float64]
    Hashes = npt.NDArray[np.uint64]

_MOST_HASHES = 1_000_000


class Tally(Protocol):
    """Counts that accept more rows and can be merged with others of the same type."""

    def add(self, frame: pd.DataFrame) -> None:
        """Count more rows."""
        ...

    def merge(self, other: Self) -> None:
        """Add the counts from other rows."""
        ...


T = TypeVar("T", bound=Tally)


def tallied(rows: Rows, make: Callable[[], T], threads: int) -> T:
    """Count all rows in one pass. Threads read different files, so most of the work needs no lock."""
    files = rows.files()
    count = max(min(len(files), threads), 1)
    if count == 1:
        return _tallied(rows, files, make)
    with ThreadPoolExecutor(count) as pool:
        tally, *others = pool.map(lambda start: _tallied(rows, files[start::count], make), range(count))
    for other in others:
        tally.merge(other)
    return tally


def _tallied(rows: Rows, files: Sequence[str], make: Callable[[], T]) -> T:
    tally = make()
    for frame in rows.frames(files):
        tally.add(frame)
    return tally


@dataclass(slots=True)
class Profiles:
    """Profiles of all columns that are not hidden."""

    hidden: frozenset[str]
    rows: int = 0
    columns: dict[str, Summary] = field(default_factory=dict)

    def add(self, frame: pd.DataFrame) -> None:
        self.rows += len(frame)
        for name in frame.columns:
            if name not in self.hidden:
                self.columns.setdefault(str(name), Summary()).add(frame[name])

    def merge(self, other: Profiles) -> None:
        self.rows += other.rows
        for name, summary in other.columns.items():
            self.columns.setdefault(name, Summary()).merge(summary, name)


@dataclass(slots=True)
class Distinct:
    """The share of duplicate rows, exact for up to a million distinct rows and otherwise estimated from a sample.

    Rows are sampled by hash, so equal rows are either all included or all excluded.
    """

    columns: tuple[str, ...]  # if empty, all visible columns
    hidden: frozenset[str] = frozenset()
    sample: Sample = field(default_factory=lambda: Sample(_MOST_HASHES))
    parts: list[tuple[Hashes, Numbers]] = field(default_factory=list)
    waiting: int = 0

    def add(self, frame: pd.DataFrame) -> None:
        import numpy as np

        columns = self.columns or [str(name) for name in frame.columns if name not in self.hidden]
        row_hashes = hashes(frame, [name for name in columns if name in frame.columns])
        self._keep(row_hashes, np.ones(len(row_hashes)))

    def merge(self, other: Distinct) -> None:
        self.sample.narrow(other.sample)
        for part in other.parts:
            self._keep(*part)

    def share(self) -> float:
        """Return the share of rows that duplicate another row, from 0 to 1."""
        self._compact()
        rows = sum(float(counts.sum()) for _, counts in self.parts)
        return 1 - sum(len(values) for values, _ in self.parts) / rows if rows else 0.0

    def _keep(self, row_hashes: Hashes, counts: Numbers) -> None:
        sampled = self.sample.holds(row_hashes)
        self.parts.append((row_hashes[sampled], counts[sampled]))
        self.waiting += int(sampled.sum())
        if self.waiting > 2 * self.sample.most:
            self._compact()

    def _compact(self) -> None:
        import numpy as np

        if not self.parts:
            return
        row_hashes, counts = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        sampled = self.sample.holds(row_hashes)
        distinct, places = np.unique(row_hashes[sampled], return_inverse=True)
        total: Numbers = np.bincount(places, weights=counts[sampled], minlength=len(distinct)).astype(np.float64)
        while len(distinct) > self.sample.most:
            self.sample.halve()
            sampled = self.sample.holds(distinct)
            distinct, total = distinct[sampled], total[sampled]
        self.parts, self.waiting = [(distinct, total)], 0


@dataclass(slots=True)
class Sample:
    """A sample of at most about `most` distinct hashes, starting with all hashes and halved when necessary."""

    most: int
    below: int = 2**64 - 1

    @property
    def fraction(self) -> float:
        """Return the sampled fraction, which is greater than 0 and at most 1."""
        return (self.below + 1) / 2**64

    def holds(self, row_hashes: Hashes) -> npt.NDArray[np.bool_]:
        """Return a mask of the hashes that are in the sample."""
        import numpy as np

        return row_hashes <= np.uint64(self.below)

    def halve(self) -> None:
        """Discard half of the sample."""
        self.below >>= 1

    def narrow(self, other: Sample) -> None:
        """Reduce the sample to the other sample's fraction if that is smaller."""
        self.below = min(self.below, other.below)


@dataclass(slots=True)
class Watched:
    """Counts for measuring drift and data quality.

    `references` maps variants to column profiles. The empty name applies to all rows, or to variants without profiles.
    """

    own: frozenset[str]
    references: Mapping[str, Mapping[str, Profile]]
    by_variant: bool  # whether to measure each variant separately
    distinct: dict[str, Distinct]  # by check
    rows: int = 0
    present: dict[str, int] = field(default_factory=dict)  # non-missing values, by column
    variants: dict[str, dict[str, Moved]] = field(default_factory=dict)

    def add(self, frame: pd.DataFrame) -> None:
        self.rows += len(frame)
        for name in frame.columns:
            self.present[str(name)] = self.present.get(str(name), 0) + int(frame[name].notna().sum())
        for distinct in self.distinct.values():
            distinct.add(frame)
        if self.by_variant and VARIANT in frame.columns and VARIANT in self.own:
            for variant, rows in frame.groupby(VARIANT):
                self._compare(str(variant), rows)
        else:
            self._compare("", frame)

    def merge(self, other: Watched) -> None:
        self.rows += other.rows
        for name, count in other.present.items():
            self.present[name] = self.present.get(name, 0) + count
        for check, distinct in other.distinct.items():
            self.distinct[check].merge(distinct)
        for variant, columns in other.variants.items():
            for name, moved in columns.items():
                self._moved(variant, name).merge(moved)

    def reference(self, variant: str) -> Mapping[str, Profile]:
        """Return the reference profiles for a variant's rows."""
        return self.references.get(variant, self.references.get("", {}))

    def _compare(self, variant: str, rows: pd.DataFrame) -> None:
        self.variants.setdefault(variant, {})
        for name in self.reference(variant):
            if name in rows.columns:
                self._moved(variant, name).add(rows[name])

    def _moved(self, variant: str, name: str) -> Moved:
        columns = self.variants.setdefault(variant, {})
        if name not in columns:
            columns[name] = Moved(self.reference(variant)[name])
        return columns[name]
