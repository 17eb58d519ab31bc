"""Evaluates a model on the rows that the gate uses: the held-out rows, or another dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from modelyard_runtime.capabilities import computes, known_metrics
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
"""Tag of a version: the run that stores which rows it was trained on."""

_FEWEST_ROWS = 30
"""The minimum number of rows for a comparison, if the spec does not set `minRows`."""

_MOST_SLICES = 1000


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one dataset, with all columns, and their labels."""

    frame: pd.DataFrame
    truth: Numbers
    groups: Groups
    units: npt.NDArray[np.int64]  # which rows belong together, by the key of the split or the query

    def measure(self, metric: str, said: Predictions, chosen: Mask | None = None) -> float:
        """A metric of predictions for these rows, or for some of them."""
        if chosen is None:
            return score(metric, self.truth, said, self.groups)
        groups = None if self.groups is None else self.groups[chosen]
        return score(metric, self.truth[chosen], said.some(chosen), groups)

    def gain_between(
        self, metric: str, said: tuple[Predictions, Predictions], chosen: Mask, confidence: float
    ) -> tuple[float, float] | None:
        """Confidence bounds of the first model's gain over the second, from paired resamples of the chosen rows."""
        import numpy as np

        truth, groups = self.truth[chosen], None if self.groups is None else self.groups[chosen]
        ours, theirs = (one.some(chosen) for one in said)

        def gain(places: npt.NDArray[np.int64], draws: npt.NDArray[np.int64]) -> float:
            apart = None if groups is None else draws * (groups.max() + 1) + groups[places]
            try:
                value, other = (score(metric, truth[places], one.some(places), apart) for one in (ours, theirs))
            except Refusal:  # no query in this resample has a relevant row
                return float("nan")
            return better(metric, value, other)

        return interval(gain, np.asarray(self.units[chosen]), confidence)


_NOTHING, _REST = "(no value)", "(others)"


class Evaluation:
    """Evaluates a new version and others for comparison. Each model predicts each dataset once."""

    def __init__(
        self, workload: PipelineWorkload, data: TrainingData, reported: Mapping[str, float], model: registry.Model
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
        self._said: dict[tuple[str, str], Predictions] = {}
        self._seen: dict[str, Seen | None] = {}

    def metrics(self) -> dict[str, float]:
        """The task's metrics on the held-out rows, as far as the model's scores allow, and those that user code
        reported.
        """
        found = dict(self._reported)
        rows, said = self._rows_of(""), self._ask("", self._model, "")
        for name in known_metrics(self._task):
            try:
                found[name] = rows.measure(name, said)
            except (Refusal, ValueError):
                continue
        return found

    def value(self, line: Check) -> float:
        """The new version's value for a rule of the gate."""
        metric, data = line.metric, line.data
        if not computes(metric, self._task):
            if metric in self._reported and not data:
                return self._reported[metric]
            raise Refusal(f"the gate asks for {metric!r}, which was neither computed nor reported by the code")
        rows, least = self._rows_of(data), line.min_rows or 0
        if len(rows.frame) < least:
            raise Incomparable(f"{len(rows.frame)} rows are too few to judge by, and {least} are needed")
        return rows.measure(metric, self._ask("", self._model, data))

    def against(self, line: Check) -> Comparison | None:
        """Compare the new version with the one an alias points to, on rows new to both; None if there is none."""
        from mlflow.exceptions import MlflowException

        alias, metric, data = line.versus, line.metric, line.data
        version = registry.version_at(self._name, alias)
        if version is None:
            return None
        called = f"{alias} (version {version.version})"
        rows = self._rows_of(data)
        chosen = self._new_to_both(version, called, rows, data)
        least = max(_FEWEST_ROWS if line.min_rows is None else line.min_rows, 1)
        if chosen.sum() < least:
            raise Incomparable(_too_few(called, int(chosen.sum()), len(chosen), least, self._data.seen))
        other_version = Model(name=self._name, registered_name=self._name, task=self._task)
        try:
            theirs = self._ask(version.uri, load(self._workload, other_version, version), data)
        except Incomparable as problem:
            raise Incomparable(f"{called} cannot answer on these rows: {problem}") from None
        except (Refusal, KeyError, ValueError, TypeError, MlflowException) as problem:
            raise Incomparable(f"{called} cannot answer on these rows: {problem}") from problem
        ours = self._ask("", self._model, data)
        value, other = (rows.measure(metric, said, chosen) for said in (ours, theirs))
        bounds = rows.gain_between(metric, (ours, theirs), chosen, sureness(line))
        if bounds is None:
            raise Incomparable(f"{int(chosen.sum())} rows are too few to say how sure the difference is")
        gained = better(metric, value, other)
        return Comparison(version.version, value, other, int(chosen.sum()), int((~chosen).sum()), gained, *bounds)

    def slices(self, line: Check) -> dict[str, Slice]:
        """The metric for each value of a column; values with few rows are merged, and measured if enough together."""
        import numpy as np
        import pandas as pd

        metric, data, by = line.metric, line.data, line.by
        rows, said = self._rows_of(data), self._ask("", self._model, data)
        if by not in rows.frame.columns:
            raise Refusal(f"the gate judges by {by!r}, which the data do not have")
        column = rows.frame[by]
        values = column.map(lambda value: str(plain(value))).where(column.notna(), _NOTHING).to_numpy(dtype=object)
        least = max(_FEWEST_ROWS if line.min_rows is None else line.min_rows, 1)
        counts = pd.Series(values).value_counts()
        large = counts.index[counts >= least]
        if len(large) > _MOST_SLICES:
            raise Refusal(
                f"the gate judges by {by!r}, which has more than {_MOST_SLICES} values; take a coarser column"
            )
        masks = {str(value): np.asarray(values == value, dtype=bool) for value in large}
        rest = ~np.isin(values.astype(str), list(masks))
        if rest.any():
            masks[_REST] = rest

        def measured(mask: Mask) -> float | None:
            if mask.sum() < least:
                return None
            try:
                return rows.measure(metric, said, mask)
            except Refusal:  # no query of these has a relevant row
                return float("nan")

        return {name: Slice(int(mask.sum()), measured(mask)) for name, mask in masks.items()}

    def _new_to_both(self, version: registry.Version, called: str, rows: Rows, data: str) -> Mask:
        """Which rows neither version was trained on.

        A dataset named by the rule counts as held out by declaration; where training rows are known, they are excluded
        as well.
        """
        theirs = self._seen_by(version)
        chosen = _all(rows)
        for who, seen in ((called, theirs), ("the new version", self._data.seen if data else None)):
            if seen is None:
                continue
            try:
                chosen &= seen.unseen(rows.frame)
            except Refusal as problem:
                if not data:
                    raise Incomparable(f"which rows {who} has learned from cannot be said: {problem}") from problem
        if theirs is None and not data:
            raise Incomparable(
                f"nothing was kept of the rows that {called} has learned from; compare on a dataset of its own (`data`)"
            )
        if theirs is not None and not theirs.identity.declared and not data:
            _same_rows(theirs, self._data, called)
        return chosen

    def _seen_by(self, version: registry.Version) -> Seen | None:
        if version.uri not in self._seen:
            self._seen[version.uri] = seen_rows.kept(version.tags.get(ROWS_TAG) or version.run_id)
        return self._seen[version.uri]

    def _rows_of(self, data: str) -> Rows:
        """The held-out rows, or the labelled rows of a dataset."""
        if data not in self._rows:
            self._rows[data] = self._read(data) if data else self._held_out()
        return self._rows[data]

    def _held_out(self) -> Rows:
        held, groups = self._data.held_out, self._data.groups(self._data.held_out)
        keyed = self._data.seen is not None and self._data.seen.identity.declared
        return Rows(held, self._data.truth(held), groups, _units(held, KEY if keyed else "", groups))

    def _read(self, data: str) -> Rows:
        dataset = self._datasets[data]
        frame = read_frame(self._workload, dataset)
        if self._data.label not in frame.columns:
            raise Refusal(f"the gate evaluates on {data!r}, which lacks the label {self._data.label!r}")
        feature_columns(replace(dataset, features=self._data.features), list(frame.columns))
        group = dataset.group
        needed = [self._data.label, *([group] if group else [])]
        rows = numeric(frame.dropna(subset=needed).reset_index(drop=True), self._data.features)
        groups = group_numbers(rows[group]) if group else None
        return Rows(rows, self._data.truth(rows), groups, _units(rows, "", groups))

    def _ask(self, uri: str, model: registry.Model, data: str) -> Predictions:
        if (uri, data) not in self._said:
            said = answer(model, self._task, self._asked(model, self._rows_of(data).frame))
            self._said[uri, data] = predictions(said, self._task, list(self._data.classes), self._data.naive_error())
        return self._said[uri, data]

    def _asked(self, model: registry.Model, rows: pd.DataFrame) -> pd.DataFrame:
        """The columns that a model was trained on, which may differ from those of the new version."""
        columns = [one.name for one in model.columns()] or list(self._data.features)
        missing = [name for name in columns if name not in rows.columns]
        if missing:
            raise Incomparable(
                f"it needs the column {missing[0]!r}, which the data no longer have; "
                "keep it beside the new one until a version without it is promoted"
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


def _same_rows(theirs: Seen, data: TrainingData, called: str) -> None:
    """Refuse a comparison when every training row looks new, because rows are identified by all their values.

    A recomputed column changes them all, and then nothing is known. A version split by time is exempt: newer rows are
    new, whatever their values.
    """
    if not theirs.until and data.sample is not None and theirs.unseen(data.sample).all():
        raise Incomparable(
            f"no row that {called} has learned from is among the data: all are new, or a column of theirs has changed; "
            "write the column that a row is known by as split.key"
        )


def _too_few(called: str, left: int, of: int, least: int, seen: Seen | None) -> str:
    told = f"{called} has learned from all but {left} of the {of} rows, and {least} are needed"
    if seen is not None and not seen.identity.declared:
        return f"{told}; with the column that a row is known by as split.key the same rows are held out each time"
    return f"{told}; a change of split.seed, split.fraction or split.key holds out other rows than before"
