"""Measures checks and, after a breach, finds the associated features and slices."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from modelyard_runtime.captures.capture import MODEL_VERSION, PREDICTION
from modelyard_runtime.monitoring.causes import Cause, movers, sample, worst
from modelyard_runtime.monitoring.measures import ERRORS, FEWEST_ROWS, Measures
from modelyard_runtime.monitoring.quality import KEY
from modelyard_runtime.monitoring.tallies import Profiles, tallied
from modelyard_runtime.monitoring.windows import VARIANT, reference
from modelyard_runtime.promotion.soak import Judged
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.statistics.hashes import hashes
from modelyard_runtime.statistics.profiles import Profile
from modelyard_runtime.workload.description import names, sections
from modelyard_runtime.workload.records import Check

if TYPE_CHECKING:
    import pandas as pd

LABELLED = frozenset({"prediction-quality", "concept-drift"})

_log = logging.getLogger(__name__)


def beyond(check: Check, value: float) -> bool:
    """Return whether a value violates the bounds of a check."""
    minimum, maximum = check.min, check.max
    return (minimum is not None and value < minimum) or (maximum is not None and value > maximum)


class Explained(Measures):
    """Measures that can read a sample of the window again after a breach."""

    def causes(self, kind: str) -> list[Cause]:
        """Return causes associated with a breach, i.e. slices with errors or features that changed predictions."""
        try:
            return self._worst() if kind in LABELLED else self._movers()
        except (Refusal, OSError) as problem:  # the breach is reported without causes
            _log.warning("the rows behind the breach cannot be determined: %s", problem)
            return []

    def by_version(self, served: Mapping[str, str]) -> dict[tuple[str, str], Judged]:
        """Judge the predictions of each served version by the bounds of the checks.

        `served` maps each variant to the version it serves. Variants serving the same version are judged together.
        """
        frame = self._judged
        frame = frame[frame[VARIANT].isin(list(served))] if VARIANT in frame.columns else frame[:0]
        aliases = frame[VARIANT].map(dict(served)) if len(frame) else frame.index
        task, judged = (self._models()[0]).task, dict[tuple[str, str], Judged]()
        for (alias, version), part in frame.groupby([aliases, frame[MODEL_VERSION].fillna("").astype(str)]):
            values = {check.name: self._value(check, part, task) for check in self._of_labels}
            failed = {
                check.name: value
                for check in self._of_labels
                if (value := values[check.name]) is not None and beyond(check, value)
            }
            unknown = [name for name, value in values.items() if value is None]
            judged[str(alias), str(version)] = Judged(len(part), failed, unknown)
        return judged

    @property
    def _of_labels(self) -> list[Check]:
        """Return the prediction quality checks that can be evaluated on any subset of rows."""
        checks = ((check, check.metric) for check in self._checks)
        return [check for check, metric in checks if metric != "page_hinkley" and self._needs(metric) == "labels"]

    def _value(self, check: Check, part: pd.DataFrame, task: str) -> float | None:
        """Compute a check's metric for the given rows. Returns None if it's undefined or there are too few rows."""
        value = float(self._scored(part, check.metric, task)) if len(part) >= FEWEST_ROWS else float("nan")
        return None if value != value else value

    def _movers(self) -> list[Cause]:
        frame = sample(self._rows)
        if PREDICTION not in frame.columns:
            return []
        if self._monitor.reference is not None and self._monitor.reference.data:
            profiles = tallied(reference(self._workload, self._now), lambda: Profiles(self._hidden), self._threads)
            return movers(frame, {name: summary.profile() for name, summary in profiles.columns.items()})
        stored = self._stored_profiles("")
        columns = sections(stored, "columns")
        return movers(frame, {name: Profile.from_json(columns[name]) for name in names(stored, "features")})

    def _worst(self) -> list[Cause]:
        predicted, judged = self._predictions, self._judged
        if predicted.label or not len(judged):
            return []
        errors = judged.assign(error=self._scored(judged, ERRORS, (self._models()[0]).task))
        frame = sample(self._rows)
        frame = frame.dropna(subset=[PREDICTION, *predicted.key.columns]).reset_index(drop=True)
        keys = frame.assign(**{KEY: hashes(frame, predicted.key.columns, predicted.key.numbers)})[KEY]
        row_errors = keys.map(errors.groupby(KEY)["error"].mean()).to_numpy()
        excluded = {*self._hidden, *self._rows.own, *predicted.key.columns}
        return worst(frame[[name for name in frame.columns if name not in excluded]], row_errors)

    @property
    def _hidden(self) -> frozenset[str]:
        """Return the dataset columns that are not features."""
        datasets = self._monitor.data.values()
        return frozenset(name for dataset in datasets for name in (dataset.label, dataset.timestamp, dataset.group))
