"""After a breach, finds the features that changed predictions most, and the slices where a model is worst.

A sample of the window is read again. When a slice's share of a feature's values changes, the mean prediction changes by
that difference times the distance of the slice's predictions from the mean. This is the composition effect of Oaxaca
and Blinder (International Economic Review and Journal of Human Resources 1973). It shows association, not causation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from modelyard_runtime.captures.capture import PREDICTION, SCORE
from modelyard_runtime.monitoring.windows import Rows
from modelyard_runtime.statistics.profiles import Profile, numbers_in, profile, texts_in

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Numbers = npt.NDArray[np.float64]
    Places = npt.NDArray[np.int64]

MOST_CAUSES = 3

_MOST_ROWS = 100_000
_BINS = 10
_MOST_NAMES = 20
_FEWEST = 30
"""With fewer rows in a slice, random variation outweighs the model's behaviour."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A feature, its effect on the mean prediction or the errors, and the slice with the largest effect."""

    feature: str
    effect: float
    part: str


def sample(rows: Rows) -> pd.DataFrame:
    """Sample at most 100,000 rows from all files of a window."""
    import pandas as pd

    files = rows.files()
    samples: list[pd.DataFrame] = []
    for file in files:
        frames = list(rows.frames([file]))
        content = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
        samples.append(content.sample(min(len(content), max(_MOST_ROWS // len(files), 1)), random_state=0))
        if sum(map(len, samples)) >= _MOST_ROWS:
            break
    return pd.concat(samples, ignore_index=True) if samples else pd.DataFrame()


def movers(frame: pd.DataFrame, references: Mapping[str, Profile]) -> list[Cause]:
    """Return the features that changed the mean prediction, largest effect first. Requires numeric predictions."""
    answers = _answers(frame)
    if answers is None:
        return []
    return _ordered(_moved_by(name, frame[name], reference, answers) for name, reference in _within(frame, references))


def worst(frame: pd.DataFrame, errors: Numbers, features: Mapping[str, Profile] | None = None) -> list[Cause]:
    """For each feature, return the slice whose total error is furthest above the mean, in descending order."""
    profiles = {str(name): profile(frame[name]) for name in frame.columns} if features is None else features
    return _ordered(_worst_part(name, frame[name], reference, errors) for name, reference in _within(frame, profiles))


def _within(frame: pd.DataFrame, references: Mapping[str, Profile]) -> Iterator[tuple[str, Profile]]:
    for name, reference in references.items():
        if name in frame.columns and name not in (PREDICTION, SCORE):
            yield name, reference


def _ordered(causes: Iterator[Cause | None]) -> list[Cause]:
    effective = [cause for cause in causes if cause is not None and cause.effect]
    return sorted(effective, key=lambda cause: -abs(cause.effect))


def _moved_by(name: str, column: pd.Series, reference: Profile, answers: Numbers) -> Cause | None:
    import numpy as np

    parts = _parts(column, reference)
    finite = np.isfinite(answers)
    if parts is None or not finite.any():
        return None
    places, labels, shares = parts
    rows = np.bincount(places[finite], minlength=len(labels)).astype(np.float64)
    means = np.bincount(places[finite], answers[finite], len(labels)) / np.maximum(rows, 1)
    effects = np.where(rows > 0, (rows / rows.sum() - shares) * (means - answers[finite].mean()), 0.0)
    return Cause(name, float(effects.sum()), labels[int(np.argmax(np.abs(effects)))])


def _worst_part(name: str, column: pd.Series, reference: Profile, errors: Numbers) -> Cause | None:
    import numpy as np

    parts = _parts(column, reference)
    finite = np.isfinite(errors)
    if parts is None or not finite.any():
        return None
    places, labels, _ = parts
    rows = np.bincount(places[finite], minlength=len(labels))
    excess = np.bincount(places[finite], errors[finite] - errors[finite].mean(), len(labels)) / finite.sum()
    excess = np.where(rows >= _FEWEST, excess, 0.0)
    index = int(np.argmax(excess))
    return Cause(name, float(excess[index]), labels[index])


def _parts(column: pd.Series, reference: Profile) -> tuple[Places, list[str], Numbers] | None:
    """Return the slice index of each row, and the name and reference share of each slice."""
    return (
        _ranges(column, reference)
        if reference.quantiles is not None and len(reference.quantiles)
        else _names(column, reference)
    )


def _ranges(column: pd.Series, reference: Profile) -> tuple[Places, list[str], Numbers] | None:
    import numpy as np

    points = reference.quantiles
    present = column.notna().to_numpy()
    values = numbers_in(column)
    if points is None or values is None or len(values) != present.sum():
        return None
    edges = np.unique(points[np.linspace(0, len(points) - 1, _BINS + 1).astype(int)[1:-1]])
    places = np.full(len(column), len(edges) + 1, dtype=np.int64)  # missing values form the last slice
    places[present] = np.searchsorted(edges, values, side="right")
    present_rows = reference.rows - reference.missing
    shares = np.bincount(np.searchsorted(edges, points, side="right"), minlength=len(edges) + 2) / len(points)
    shares *= present_rows / reference.rows
    shares[-1] = reference.missing_share
    ends = [f"below {edges[0]:g}", *(f"{low:g} to {high:g}" for low, high in pairwise(edges))]
    return places, [*ends, f"{edges[-1]:g} and above", "no value"], shares


def _names(column: pd.Series, reference: Profile) -> tuple[Places, list[str], Numbers] | None:
    import numpy as np

    if not reference.shares:
        return None
    texts = texts_in(column)
    frequent = texts.value_counts().index[:_MOST_NAMES]
    names = list(dict.fromkeys([*map(str, frequent), *list(reference.shares)[:_MOST_NAMES]]))
    positions = {name: place for place, name in enumerate(names)}
    places = np.full(len(column), len(names) + 1, dtype=np.int64)
    places[column.notna().to_numpy()] = texts.map(positions).fillna(len(names)).to_numpy(dtype=np.int64)
    shares = np.array([reference.shares.get(name, 0.0) for name in names])
    shares = np.array([*shares, max(1.0 - float(shares.sum()), 0.0)]) * (1 - reference.missing_share)
    return places, [*names, "other values", "no value"], np.array([*shares, reference.missing_share])


def _answers(frame: pd.DataFrame) -> Numbers | None:
    """Return each row's score or prediction, or None if it isn't numeric.

    If there are several scores, that of the last class is used.
    """
    import numpy as np

    if SCORE in frame.columns and frame[SCORE].notna().any():
        lists = (np.full(1, np.nan) if value is None else np.asarray(value, dtype=np.float64) for value in frame[SCORE])
        return np.array([value.ravel()[-1] for value in lists], dtype=np.float64)
    if PREDICTION not in frame.columns or numbers_in(frame[PREDICTION]) is None:
        return None
    answers: Numbers = frame[PREDICTION].astype(float).to_numpy()
    return answers
