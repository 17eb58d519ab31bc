"""Measures prediction quality by joining predictions with labels that arrive later.

Both are read in batches. If there are more than a million predictions, they are sampled by the hash of the join key.
For ranking, whole queries are sampled.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelyard_runtime.captures.capture import MODEL_VERSION, PREDICTION, SCORE
from modelyard_runtime.models.answers import Answer
from modelyard_runtime.monitoring.joining import Key
from modelyard_runtime.monitoring.tallies import Sample
from modelyard_runtime.monitoring.windows import FRESH, VARIANT
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.statistics.hashes import hashes
from modelyard_runtime.storage.datasets import times

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Hashes = npt.NDArray[np.uint64]

KEY, TIME, LABEL, GROUP = "key", "time", "label", "group"

_MOST_JUDGED = 1_000_000


@dataclass(slots=True)
class KeyedPredictions:
    """Predictions, each with a hash of its join key."""

    key: Key
    timestamp: str
    group: str = ""
    label: str = ""  # the label column if the rows contain their own labels
    sample: Sample = field(default_factory=lambda: Sample(_MOST_JUDGED))
    parts: list[pd.DataFrame] = field(default_factory=list)
    count: int = 0
    unanswered: int = 0  # rows without a prediction, which are excluded from metrics
    predicted: Counter[str] = field(default_factory=Counter[str])  # predicted rows by variant
    findable: Counter[str] = field(default_factory=Counter[str])  # predicted rows that have a join key, by variant

    def add(self, frame: pd.DataFrame) -> None:
        import pandas as pd

        if PREDICTION not in frame.columns:
            raise Refusal(f"the monitored data has no column {PREDICTION!r} to compare with labels")
        if self.label and self.label not in frame.columns:
            raise Refusal(f"the monitored data has no column {self.label!r}, which should contain the true value")
        self.unanswered += int(frame[PREDICTION].isna().sum())
        frame = frame.dropna(subset=[PREDICTION])
        self.predicted.update(_by_variant(frame))
        required = [*self.key.columns, *([self.label] if self.label else [])]
        if any(name not in frame.columns for name in required):
            return  # the rows were captured without the join key
        frame = frame.dropna(subset=required)
        self.findable.update(_by_variant(frame))
        columns: dict[str, Any] = {
            KEY: hashes(frame, self.key.columns, self.key.numbers),
            PREDICTION: frame[PREDICTION].to_numpy(),
        }
        columns[TIME] = times(frame[self.timestamp]).dt.tz_localize(None).to_numpy()
        for name, column in ((SCORE, SCORE), (VARIANT, VARIANT), (LABEL, self.label), (MODEL_VERSION, MODEL_VERSION)):
            columns[name] = frame[column].to_numpy() if column in frame.columns else None
        columns[FRESH] = frame[FRESH].to_numpy() if FRESH in frame.columns else True
        columns[GROUP] = hashes(frame, [self.group]) if self.group in frame.columns else columns[KEY]
        self._keep(pd.DataFrame(columns))

    def merge(self, other: KeyedPredictions) -> None:
        self.unanswered += other.unanswered
        self.predicted.update(other.predicted)
        self.findable.update(other.findable)
        self.sample.narrow(other.sample)
        for part in other.parts:
            self._keep(part)

    def rows(self) -> pd.DataFrame:
        """Return all sampled rows."""
        import pandas as pd

        self._compact()
        columns = (KEY, PREDICTION, TIME, SCORE, VARIANT, LABEL, GROUP, MODEL_VERSION, FRESH)
        empty = pd.DataFrame({name: [] for name in columns})
        return self.parts[0] if self.parts else empty.astype({KEY: "uint64", GROUP: "uint64"})

    def _keep(self, part: pd.DataFrame) -> None:
        sampled = part[self.sample.holds(part[GROUP].to_numpy())]
        if len(sampled):
            self.parts.append(sampled)
            self.count += len(sampled)
        if self.count > 2 * self.sample.most:
            self._compact()

    def _compact(self) -> None:
        import pandas as pd

        if not self.parts:
            return
        combined = pd.concat(self.parts, ignore_index=True)
        combined = combined[self.sample.holds(combined[GROUP].to_numpy())]
        while len(combined) > self.sample.most and combined[GROUP].nunique() > 1:
            self.sample.halve()
            combined = combined[self.sample.holds(combined[GROUP].to_numpy())]
        self.parts, self.count = [combined.reset_index(drop=True)], 0


@dataclass(slots=True)
class Truths:
    """Labels for the wanted keys. If a key has several, the newest is used or, without timestamps, the last."""

    key: Key
    label: str
    wanted_keys: Hashes  # sorted
    timestamp: str = ""
    group: str = ""
    parts: list[pd.DataFrame] = field(default_factory=list)
    count: int = 0

    def add(self, frame: pd.DataFrame) -> None:
        import numpy as np
        import pandas as pd

        frame = frame.dropna(subset=[self.label, *self.key.columns])
        row_keys = hashes(frame, self.key.columns, self.key.numbers)
        if not len(row_keys) or not len(self.wanted_keys):
            return
        positions = np.minimum(np.searchsorted(self.wanted_keys, row_keys), len(self.wanted_keys) - 1)
        matching = self.wanted_keys[positions] == row_keys
        frame = frame[matching]
        columns: dict[str, Any] = {KEY: row_keys[matching], LABEL: frame[self.label].to_numpy()}
        stamps = times(frame[self.timestamp]).dt.tz_localize(None).to_numpy() if self.timestamp else None
        columns[TIME] = stamps
        columns[GROUP] = hashes(frame, [self.group]) if self.group in frame.columns else None
        self._keep(pd.DataFrame(columns))

    def merge(self, other: Truths) -> None:
        for part in other.parts:
            self._keep(part)

    def rows(self) -> pd.DataFrame:
        """Return one label for each key that has labels."""
        import pandas as pd

        self._compact()
        empty = pd.DataFrame({name: [] for name in (KEY, LABEL, TIME, GROUP)}).astype({KEY: "uint64"})
        return self.parts[0] if self.parts else empty

    def _keep(self, part: pd.DataFrame) -> None:
        self.parts.append(part)
        self.count += len(part)
        if self.count > 2 * len(self.wanted_keys):
            self._compact()

    def _compact(self) -> None:
        import pandas as pd

        if not self.parts:
            return
        combined = pd.concat(self.parts, ignore_index=True)
        if self.timestamp:
            combined = combined.sort_values(TIME, kind="stable")
        self.parts = [combined.drop_duplicates(KEY, keep="last").reset_index(drop=True)]
        self.count = 0


def coverage(predictions: KeyedPredictions, judged: pd.DataFrame) -> dict[str, float]:
    """Return the share of labelled predictions, overall (under an empty name) and by variant if there are several.

    If predictions were sampled, the share is estimated from the sample.
    """
    sampled, labelled = _by_variant(predictions.rows()), _by_variant(judged)
    shares = {
        variant: predictions.findable[variant]
        / count
        * (labelled[variant] / sampled[variant] if sampled[variant] else 0.0)
        for variant, count in predictions.predicted.items()
    }
    total = predictions.predicted.total()
    overall = (
        {"": sum(shares[variant] * count for variant, count in predictions.predicted.items()) / total} if total else {}
    )
    return {**overall, **(shares if len(shares) > 1 else {})}


def _by_variant(frame: pd.DataFrame) -> Counter[str]:
    """Count the rows of each variant, using an empty name for rows without a variant."""
    if VARIANT not in frame.columns or not frame[VARIANT].notna().any():
        return Counter({"": len(frame)} if len(frame) else {})
    return Counter({str(name): int(count) for name, count in frame[VARIANT].value_counts().items()})


def joined(predictions: pd.DataFrame, truths: pd.DataFrame) -> pd.DataFrame:
    """Join predictions with their labels, in the order of prediction."""
    labels = truths[[KEY, LABEL, GROUP]]
    rows = predictions.drop(columns=[LABEL]).merge(labels, on=KEY, how="inner", suffixes=("", "_of_label"))
    return rows.sort_values(TIME, kind="stable", ignore_index=True)


def answer_of(part: pd.DataFrame) -> Answer:
    """Return the model's predictions for the given rows, including any scores."""
    import numpy as np

    scores: Any = None
    if SCORE in part.columns and part[SCORE].notna().all():
        arrays = [np.asarray(row_scores, dtype=np.float64) for row_scores in part[SCORE]]
        scores = np.stack(arrays) if len({row_scores.shape for row_scores in arrays}) == 1 else None
    return Answer(part[PREDICTION].to_numpy(), scores)
