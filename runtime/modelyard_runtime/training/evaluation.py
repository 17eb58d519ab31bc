"""Evaluates a model on the gate's rows, which are either held-out rows or another dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from modelyard_runtime.capabilities import TEXT, computes, known_metrics
from modelyard_runtime.metrics.paired import interval
from modelyard_runtime.metrics.scores import Predictions, better, score
from modelyard_runtime.models.answers import answer, plain, predictions
from modelyard_runtime.models.loading import load
from modelyard_runtime.promotion.gate import Comparison, Incomparable, Slice, sureness
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.storage.datasets import feature_columns, read_frame
from modelyard_runtime.training import seen as seen_rows
from modelyard_runtime.training.data import TrainingData, group_numbers, numeric
from modelyard_runtime.training.seen import Seen
from modelyard_runtime.training.splits import KEY
from modelyard_runtime.workload.records import Check, Model, PipelineWorkload

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Numbers = npt.NDArray[np.float64]
    Groups = npt.NDArray[np.int64] | None
    Mask = npt.NDArray[np.bool_]

ROWS_TAG = "modelyard.rows"
"""Tag with the run that stores the rows on which a version was trained."""

_FEWEST_ROWS = 30
"""The minimum number of rows for a comparison if the spec does not set `minRows`."""

_MOST_SLICES = 1000


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one dataset, with all columns and the labels."""

    frame: pd.DataFrame
    truth: Numbers
    groups: Groups
    units: npt.NDArray[np.int64]  # equal for rows with the same split key or query

    def measure(self, metric: str, predictions: Predictions, mask: Mask | None = None) -> float:
        """Compute a metric for predictions on all or some of these rows."""
        if mask is None:
            return score(metric, self.truth, predictions, self.groups)
        groups = None if self.groups is None else self.groups[mask]
        return score(metric, self.truth[mask], predictions.some(mask), groups)

    def gain_between(
        self, metric: str, predictions: tuple[Predictions, Predictions], mask: Mask, confidence: float
    ) -> tuple[float, float] | None:
        """Return confidence bounds for the first model's gain over the second, using paired resamples of these rows."""
        import numpy as np

        truth, groups = self.truth[mask], None if self.groups is None else self.groups[mask]
        first, second = (prediction.some(mask) for prediction in predictions)

        def gain(places: npt.NDArray[np.int64], draws: npt.NDArray[np.int64]) -> float:
            resampled_groups = None if groups is None else draws * (groups.max() + 1) + groups[places]
            try:
                value, other = (
                    score(metric, truth[places], prediction.some(places), resampled_groups)
                    for prediction in (first, second)
                )
            except Refusal:  # no query in this resample has a relevant row
                return float("nan")
            return better(metric, value, other)

        return interval(gain, np.asarray(self.units[mask]), confidence)


_NOTHING, _REST = "(no value)", "(others)"


class Evaluation:
    """Evaluates a new version and compares it with others, predicting each dataset only once per model."""

    def __init__(
        self, workload: PipelineWorkload, data: TrainingData, reported: Mapping[str, float], model: Any
    ) -> None:
        pipeline = workload.pipeline
        self._workload = workload
        self._name = pipeline.trained_model.registered_name
        self._task = pipeline.task
        self._datasets = pipeline.data
        self._data = data
        self._reported = reported
        self._model = model
        self._rows: dict[str, Rows] = {}
        self._predictions: dict[tuple[str, str], Predictions] = {}
        self._seen: dict[str, Seen | None] = {}

    def metrics(self) -> dict[str, float]:
        """Return the task's metrics on the held-out rows, and the metrics reported by user code.

        Metrics that need scores are omitted if the model doesn't provide any.
        """
        values = dict(self._reported)
        rows, predicted = self._rows_of(""), self._predict("", self._model, "")
        for name in known_metrics(self._task):
            try:
                values[name] = rows.measure(name, predicted)
            except (Refusal, ValueError):
                continue
        return values

    def value(self, line: Check) -> float:
        """Return the new version's value for a gate rule."""
        metric, data = line.metric, line.data
        if not computes(metric, self._task):
            if metric in self._reported and not data:
                return self._reported[metric]
            raise Refusal(f"the gate needs {metric!r}, which was neither computed nor reported by the code")
        rows, minimum = self._rows_of(data), line.min_rows or 0
        if len(rows.frame) < minimum:
            raise Incomparable(f"{len(rows.frame)} rows are too few for an evaluation: at least {minimum} are needed")
        return rows.measure(metric, self._predict("", self._model, data))

    def against(self, line: Check) -> Comparison | None:
        """Compare the new version with that of an alias on rows new to both.

        Returns None if the alias has no version.
        """
        from mlflow.exceptions import MlflowException

        alias, metric, data = line.versus, line.metric, line.data
        version = registry.version_at(self._name, alias)
        if version is None:
            return None
        title = f"{alias} (version {version.version})"
        rows = self._rows_of(data)
        mask = self._new_to_both(version, title, rows, data)
        minimum = max(_FEWEST_ROWS if line.min_rows is None else line.min_rows, 1)
        if mask.sum() < minimum:
            raise Incomparable(_too_few(title, int(mask.sum()), len(mask), minimum, self._data.seen))
        other_version = Model(name=self._name, registered_name=self._name, task=self._task)
        try:
            other_predictions = self._predict(version.uri, self._load(other_version, version), data)
        except Incomparable as problem:
            raise Incomparable(f"{title} cannot predict these rows: {problem}") from None
        except (Refusal, KeyError, ValueError, TypeError, MlflowException) as problem:
            raise Incomparable(f"{title} cannot predict these rows: {problem}") from problem
        own_predictions = self._predict("", self._model, data)
        self._check_comparable(own_predictions, other_predictions, title)
        value, other = (rows.measure(metric, predicted, mask) for predicted in (own_predictions, other_predictions))
        bounds = rows.gain_between(metric, (own_predictions, other_predictions), mask, sureness(line))
        if bounds is None:
            raise Incomparable(f"{int(mask.sum())} rows are too few to tell how certain the difference is")
        gained = better(metric, value, other)
        return Comparison(version.version, value, other, int(mask.sum()), int((~mask).sum()), gained, *bounds)

    def slices(self, line: Check) -> dict[str, Slice]:
        """Compute the metric for each value of a column, merging values with few rows into one slice."""
        import numpy as np
        import pandas as pd

        metric, data, by = line.metric, line.data, line.by
        rows, predicted = self._rows_of(data), self._predict("", self._model, data)
        if by not in rows.frame.columns:
            raise Refusal(f"the gate compares slices by {by!r}, which the data does not have")
        column = rows.frame[by]
        values = column.map(lambda value: str(plain(value))).where(column.notna(), _NOTHING).to_numpy(dtype=object)
        minimum = max(_FEWEST_ROWS if line.min_rows is None else line.min_rows, 1)
        counts = pd.Series(values).value_counts()
        large = counts.index[counts >= minimum]
        if len(large) > _MOST_SLICES:
            raise Refusal(
                f"the gate compares slices by {by!r}, which has more than {_MOST_SLICES} values; use a coarser column"
            )
        masks = {str(value): np.asarray(values == value, dtype=bool) for value in large}
        rest = ~np.isin(values.astype(str), list(masks))
        if rest.any():
            masks[_REST] = rest

        def measured(mask: Mask) -> float | None:
            if mask.sum() < minimum:
                return None
            try:
                return rows.measure(metric, predicted, mask)
            except Refusal:  # none of these queries has a relevant row
                return float("nan")

        return {name: Slice(int(mask.sum()), measured(mask)) for name, mask in masks.items()}

    def _new_to_both(self, version: registry.Version, title: str, rows: Rows, data: str) -> Mask:
        """Return a mask of the rows neither version was trained on.

        A dataset named in the rule counts as held out, but rows known to be training rows are still excluded.
        """
        other_seen = self._seen_by(version)
        mask = _all(rows)
        for title_of_version, seen in ((title, other_seen), ("the new version", self._data.seen if data else None)):
            if seen is None:
                continue
            try:
                mask &= seen.unseen(rows.frame)
            except Refusal as problem:
                if not data:
                    raise Incomparable(
                        f"the training rows of {title_of_version} cannot be determined: {problem}"
                    ) from problem
        if other_seen is None and not data:
            raise Incomparable(
                f"nothing was stored about the training rows of {title}; compare on a separate dataset (`data`)"
            )
        if other_seen is not None and not other_seen.identity.declared and not data:
            _same_rows(other_seen, self._data, title)
        return mask

    def _seen_by(self, version: registry.Version) -> Seen | None:
        if version.uri not in self._seen:
            self._seen[version.uri] = seen_rows.stored(version.tags.get(ROWS_TAG) or version.run_id)
        return self._seen[version.uri]

    def _rows_of(self, data: str) -> Rows:
        """Return the held-out rows, or the labelled rows of a dataset."""
        if data not in self._rows:
            self._rows[data] = self._read(data) if data else self._held_out()
        return self._rows[data]

    def _held_out(self) -> Rows:
        frame, groups = self._data.held_out, self._data.groups(self._data.held_out)
        keyed = self._data.seen is not None and self._data.seen.identity.declared
        return Rows(frame, self._truth(frame), groups, _units(frame, KEY if keyed else "", groups))

    def _read(self, data: str) -> Rows:
        dataset = self._datasets[data]
        frame = read_frame(self._workload, dataset)
        if self._data.label not in frame.columns:
            raise Refusal(f"the gate evaluates on {data!r}, which lacks the label {self._data.label!r}")
        feature_columns(replace(dataset, features=self._data.features), list(frame.columns))
        group = dataset.group
        prompts = self._data.features if self._task == TEXT else ()
        required = [self._data.label, *prompts, *([group] if group else [])]
        rows = numeric(frame.dropna(subset=required).reset_index(drop=True), self._data.features)
        groups = group_numbers(rows[group]) if group else None
        return Rows(rows, self._truth(rows), groups, _units(rows, "", groups))

    def _truth(self, frame: pd.DataFrame) -> Numbers:
        return self._data.truth(frame)

    def _load(self, model: Model, version: registry.Version) -> Any:
        return load(self._workload, model, version)

    def _check_comparable(self, own: Predictions, other: Predictions, title: str) -> None:
        """Do nothing, since row-based models are comparable. Other evaluations may raise Incomparable."""

    def _predict(self, uri: str, model: Any, data: str) -> Predictions:
        if (uri, data) not in self._predictions:
            answers = answer(model, self._task, self._model_inputs(model, self._rows_of(data).frame))
            self._predictions[uri, data] = predictions(
                answers, self._task, list(self._data.classes), self._data.naive_error()
            )
        return self._predictions[uri, data]

    def _model_inputs(self, model: registry.Model, rows: pd.DataFrame) -> pd.DataFrame:
        """Select the columns a model was trained on, which may differ from those of the new version."""
        columns = [column.name for column in model.columns()] or list(self._data.features)
        missing = [name for name in columns if name not in rows.columns]
        if missing:
            raise Incomparable(
                f"it needs the column {missing[0]!r}, which the data no longer has; "
                "keep it next to the new one until a version without it is promoted"
            )
        return numeric(rows[columns], columns)


def _units(frame: pd.DataFrame, key: str, groups: Groups) -> npt.NDArray[np.int64]:
    import numpy as np

    if key in frame.columns:
        return group_numbers(frame[key])
    return np.arange(len(frame)) if groups is None else groups


def _all(rows: Rows) -> Mask:
    import numpy as np

    return np.ones(len(rows.frame), dtype=bool)


def _same_rows(other_seen: Seen, data: TrainingData, title: str) -> None:
    """Refuse a comparison if every training row looks new because rows are identified by all their values.

    Recomputing a column changes all rows, so none would be recognized. Versions split by time are exempt, since newer
    rows are always new.
    """
    if not other_seen.until and data.sample is not None and other_seen.unseen(data.sample).all():
        raise Incomparable(
            f"no row that {title} was trained on is in the data: all rows are new, or one of the columns changed; "
            "set split.key to the column that identifies a row"
        )


def _too_few(title: str, remaining: int, total: int, minimum: int, seen: Seen | None) -> str:
    message = f"{title} was trained on all but {remaining} of the {total} rows, but {minimum} are needed"
    if seen is not None and not seen.identity.declared:
        return f"{message}; with split.key, the column that identifies a row, the same rows are held out each time"
    return f"{message}; changing split.seed, split.fraction or split.key holds out different rows than before"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A logged and evaluated model that is not registered yet.

    `tags` describe its files, and `register` registers it as a version with the given tags.
    """

    evaluation: Evaluation
    tags: Mapping[str, str]
    register: Callable[[Mapping[str, str]], registry.Version]
