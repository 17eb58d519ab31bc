"""Measures a monitor's checks: drift from a reference, quality against late labels, and data quality."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from modelyard_runtime.capabilities import check_of, monitors
from modelyard_runtime.captures.capture import MODEL_VERSION, PREDICTION, SCORE
from modelyard_runtime.metrics.scores import score
from modelyard_runtime.models.answers import CLASSIFICATION, coded, plain, predictions
from modelyard_runtime.models.loading import Models
from modelyard_runtime.monitoring.data_state import STATES, DataState
from modelyard_runtime.monitoring.joining import Key, key_of, shared
from modelyard_runtime.monitoring.quality import (
    GROUP,
    KEY,
    LABEL,
    KeyedPredictions,
    Truths,
    answer_of,
    coverage,
    joined,
)
from modelyard_runtime.monitoring.state import State
from modelyard_runtime.monitoring.tallies import Distinct, Profiles, Watched, tallied
from modelyard_runtime.monitoring.windows import (
    FRESH,
    VARIANT,
    CapturedRows,
    DatasetRows,
    current,
    reference,
    variant_of,
)
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.statistics.drift import FEWEST_VALUES, Moved, Shift
from modelyard_runtime.statistics.page_hinkley import PageHinkley
from modelyard_runtime.statistics.profiles import Profile
from modelyard_runtime.training.data import group_numbers, label_numbers
from modelyard_runtime.workload.description import Section, names, section, sections
from modelyard_runtime.workload.records import Check, Dataset, Model, MonitorWorkload

if TYPE_CHECKING:
    import pandas as pd

FEWEST_ROWS = 30
"""With fewer rows, drift and quality are not measured, because random variation outweighs the model's behaviour."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that couldn't be measured, and why. If `feature` is empty, this applies to the whole check."""

    check: str
    feature: str
    reason: str


@dataclass(frozen=True, slots=True)
class Measure:
    """A value of a check, either for a feature or, if `feature` is empty, for the whole window.

    `variant` is the variant that served the measured rows, or empty if there is no single variant.
    """

    feature: str
    value: float
    chance: float = 0.0  # probability of a difference this large without drift, or 0 if drift is not measured
    variant: str = ""
    moved: Moved | None = None  # the column that drifted, for a measure of drift


class Measures:
    """Measures the checks of one run, reading data needed by several checks only once."""

    def __init__(self, workload: MonitorWorkload, now: datetime, state: State) -> None:
        self._workload = workload
        self._monitor = workload.monitor
        self._now = now
        self._threads = self._monitor.threads
        self._history = state
        self._rows, self._window = current(workload, now, section(state.before, "window"))
        self._checks = self._monitor.checks
        self.unknown: list[Unknown] = []  # values that could not be measured

    def remember(self) -> None:
        """Save the window for the next run after all checks have been measured."""
        captured = isinstance(self._rows, CapturedRows)
        self._history.after["window"] = self._window.to_json(self._rows.files() if captured else ())

    def of(self, check: Check) -> Iterator[Measure]:
        """Yield the values of one check."""
        metric = check.metric
        needs = self._needs(metric)
        if needs == "labels":
            return self._quality(check, metric)
        return self._state(check, metric) if metric in STATES else self._drift(check, metric)

    def _needs(self, metric: str) -> str:
        """Return the data a check needs. Model metrics always need `labels`, even if a check has the same name."""
        kind = monitors()[self._monitor.type]
        definition = check_of(metric) if metric in kind.checks else None
        return "labels" if definition is None else definition.needs

    @cached_property
    def _watched(self) -> Watched:
        """Read the window once for all drift and data quality checks."""
        compared = any(self._needs(check.metric) == "reference" for check in self._checks)
        references = self._references() if compared else {}
        own, by_variant = frozenset(self._rows.own), self._of_predictions
        distinct = {check.name: (tuple(check.features), own) for check in self._checks if check.metric == "duplicates"}

        def empty() -> Watched:
            return Watched(own, references, by_variant, {name: Distinct(*args) for name, args in distinct.items()})

        return tallied(self._rows, empty, self._threads)

    @property
    def _of_predictions(self) -> bool:
        return self._monitor.type in {"prediction-drift", "concept-drift"}

    def _drift(self, check: Check, metric: str) -> Iterator[Measure]:
        watched, features = self._watched, check.features
        if watched.rows < FEWEST_ROWS:
            self._leave_out(check, "", f"the window has {watched.rows} rows, but at least {FEWEST_ROWS} are needed")
            return
        for variant in sorted(watched.variants):
            reference, moved = watched.reference(variant), watched.variants[variant]
            columns = features or [
                name for name in reference if name in watched.present and name not in self._only_named
            ]
            if not columns:
                raise Refusal(f"check {check.name!r} has no column that both the window and its reference have")
            shifts: dict[str, Shift] = {}
            for name in columns:
                if name not in watched.present or name not in reference:
                    side = "the window" if name not in watched.present else "the reference"
                    raise Refusal(f"check {check.name!r} names {name!r}, which {side} lacks")
                shift = moved[name].shift(metric) if name in moved else None
                title = f"{name}@{variant}" if len(watched.variants) > 1 else name
                if shift is not None:
                    shifts[title] = shift
                elif name not in moved or moved[name].values < FEWEST_VALUES:
                    self._leave_out(check, title, f"fewer than {FEWEST_VALUES} values")
            columns_of = {
                f"{name}@{variant}" if len(watched.variants) > 1 else name: moved.get(name) for name in columns
            }
            for name, shift in shifts.items():
                chance = min(
                    shift.chance * len(shifts) * len(watched.variants), 1.0
                )  # Bonferroni correction for the number of features
                yield Measure(name, shift.value, chance, variant, columns_of[name])
            if not features:
                self._say_absent(check, [name for name in reference if name not in watched.present])

    def _leave_out(self, check: Check, feature: str, reason: str) -> None:
        _log.warning("check %s is not measured%s: %s", check.name, feature and f" for {feature}", reason)
        self.unknown.append(Unknown(check.name, feature, reason))

    def _say_absent(self, check: Check, absent: list[str]) -> None:
        if absent:
            _log.warning("check %s: the window has no %s, so it is not compared", check.name, absent[:20])

    def _references(self) -> dict[str, dict[str, Profile]]:
        """Return column profiles by variant if each variant has its own model, or under an empty name otherwise."""
        source = self._monitor.reference
        if source is None:
            raise Refusal("drift needs a reference")
        if source.data:
            return {"": self._profiles_of_data(source.data)}
        variants = {""}
        if self._of_predictions and isinstance(self._rows, CapturedRows):
            variants |= {variant_of(file) for file in self._rows.files()}
        return {variant: self._profiles_of_model(variant) for variant in variants}

    def _profiles_of_data(self, name: str) -> dict[str, Profile]:
        dataset = self._monitor.data[name]
        hidden = frozenset({dataset.label, dataset.timestamp}) - self._only_named
        profiles = tallied(reference(self._workload, self._now), lambda: Profiles(hidden), self._threads)
        if not profiles.rows:
            raise Refusal(f"the reference {name!r} has no rows")
        declared = () if self._of_predictions else dataset.features
        missing = [column for column in declared if column not in profiles.columns]
        if missing:
            raise Refusal(f"the reference {name!r} lacks the feature column {missing[0]!r}")
        answers = [column for column in profiles.columns if column in _ANSWERS]
        features = declared or tuple(column for column in profiles.columns if column not in _ANSWERS)
        features += tuple(column for column in profiles.columns if column in self._only_named - {*features})
        return {
            column: profiles.columns[column].profile() for column in (answers if self._of_predictions else features)
        }

    @cached_property
    def _only_named(self) -> frozenset[str]:
        """Return columns that are compared only by checks naming them, such as the reference's label."""
        source = self._monitor.reference
        dataset = self._monitor.data.get(source.data) if source is not None else None
        if dataset is None:
            return frozenset()
        columns = frozenset(feature for check in self._checks for feature in check.features)
        return columns - {*dataset.features} if dataset.features else columns & {dataset.label, dataset.timestamp}

    def _profiles_of_model(self, variant: str) -> dict[str, Profile]:
        stored = self._stored_profiles(variant)
        columns = sections(stored, "columns")
        selected = list(_ANSWERS) if self._of_predictions else names(stored, "features")
        return {name: Profile.from_json(columns[name]) for name in selected if name in columns}

    def _stored_profiles(self, variant: str) -> Section:
        """Return the profiles stored with a variant's model at training."""
        candidates = self._models()
        model = next((candidate for candidate in candidates if candidate.variant == variant), candidates[0])
        models = Models(self._workload, model)
        version = models.version()
        if version is None:
            raise Refusal(f"the reference is the training data of {model.uri}, which does not exist yet")
        return models.profiles(version)

    def _models(self) -> Sequence[Model]:
        models = self._monitor.models
        if not models:
            raise Refusal("this check needs a model, but the monitored data has none")
        return models

    def _quality(self, check: Check, metric: str) -> Iterator[Measure]:
        judged = self._judged
        task = (self._models()[0]).task
        variants = sorted(set(judged[VARIANT].dropna())) if VARIANT in self._rows.own else []
        for variant in variants if len(variants) > 1 else [""]:
            part = judged[judged[VARIANT] == variant] if variant else judged
            if metric == "page_hinkley":
                yield from self._changed(check, variant, part, task)
                continue
            if len(part) < FEWEST_ROWS:
                until = f"{self._window.until:%Y-%m-%d %H:%M}"  # before now, if labels have a delay
                reason = f"{len(part)} predictions until {until} have a label, but at least {FEWEST_ROWS} are needed"
                self._leave_out(check, variant, reason)
                continue
            value = self._scored(part, metric, task)
            if value == value:
                yield Measure(variant, value, variant=variant or next(iter(variants), ""))
            else:
                self._leave_out(check, variant, f"{metric} is not defined for labels that are all of one class")

    def _changed(self, check: Check, variant: str, part: pd.DataFrame, task: str) -> Iterator[Measure]:
        """Run the Page-Hinkley test on rows not read by earlier runs, ordered by time and model version."""
        name, series = check.name, variant or str(next(iter(part[VARIANT].dropna()), ""))
        earlier = section(section(self._history.before, "page_hinkley"), name)
        test, greatest = PageHinkley.from_json(section(earlier, series)), None
        new_rows = part[part[FRESH].astype(bool)]
        for version, rows in new_rows.groupby(new_rows[MODEL_VERSION].fillna("").astype(str), sort=False):
            if str(version) != test.version:
                test = PageHinkley(str(version))
            statistic = test.take(self._scored(rows, ERRORS, task), 1 / self._predictions.sample.fraction)
            greatest = statistic if greatest is None or (statistic is not None and statistic > greatest) else greatest
        tests = section(self._history.after, "page_hinkley")
        self._history.after["page_hinkley"] = {**tests, name: {**section(tests, name), series: test.to_json()}}
        if greatest is None:
            self._leave_out(check, variant, f"{len(new_rows)} new predictions have a label, {test.count} in all")
        else:
            yield Measure(variant, greatest, variant=series if VARIANT in self._rows.own else "")

    def _scored(self, part: pd.DataFrame, metric: str, task: str) -> Any:
        classes = self._classes if task in CLASSIFICATION else []
        truth = coded(part[LABEL], classes) if classes else label_numbers(part[LABEL].rename("label"), task)
        if classes and (truth < 0).all():
            raise Refusal(f"labels such as {plain(part[LABEL].iloc[0])!r} are not among the model's classes, {classes}")
        predicted = predictions(answer_of(part), task, classes)
        if metric == ERRORS:
            return (truth != predicted.values).astype(float) if classes else abs(truth - predicted.values)
        of_label = part.get(f"{GROUP}_of_label")
        column = of_label if of_label is not None and of_label.notna().all() else part[GROUP]
        grouped = any(dataset.group for dataset in self._monitor.data.values())
        return score(metric, truth, predicted, group_numbers(column) if grouped else None)

    @cached_property
    def _classes(self) -> list[Any]:
        """Return the classes in the order of the model's probabilities, from training if known, or else as observed."""
        try:
            stored = self._stored_profiles("").get("classes")
        except Refusal:
            stored = None
        if isinstance(stored, list) and stored:
            return list(stored)
        observed = {plain(value) for name in (LABEL, PREDICTION) for value in self._judged[name]}
        if observed <= {0, 1}:
            return [0, 1]
        texts = sorted(value for value in observed if isinstance(value, str))
        if texts and len(texts) < len(observed):
            other = next(value for value in observed if not isinstance(value, str))
            raise Refusal(f"labels and predictions have different types, such as {texts[0]!r} and {other!r}")
        return texts or sorted(observed)

    @cached_property
    def _labels(self) -> Dataset:
        name = self._monitor.labels or self._monitor.current.data
        dataset = self._monitor.data.get(name)
        if dataset is None or not dataset.label:
            raise Refusal(
                "quality needs a dataset with a label: either the monitor's `labels` or the monitored dataset"
            )
        return dataset

    @cached_property
    def _predictions(self) -> KeyedPredictions:
        """Read the window once and share it across all prediction quality checks."""
        labels = self._labels
        data = self._monitor.data
        watched = data.get(self._monitor.current.data)
        group = labels.group or (watched.group if watched is not None else "")
        if not self._monitor.labels or watched == labels:
            empty = KeyedPredictions(Key(), self._rows.timestamp, group, labels.label)
        else:
            empty = KeyedPredictions(self._key(labels, watched), self._rows.timestamp, group)
        return tallied(
            self._rows, lambda: KeyedPredictions(empty.key, empty.timestamp, empty.group, empty.label), self._threads
        )

    def _key(self, labels: Dataset, watched: Dataset | None) -> Key:
        """Return the declared key columns, defaulting to the columns shared by both sides.

        Labels and timestamps are excluded since they differ between an event and its label.
        """
        predictions = next(self._rows.frames(self._rows.files()), None)
        if predictions is None:
            return Key()
        label_rows = DatasetRows(self._workload, labels)
        label_columns = label_rows.columns()
        for name in (labels.label, labels.timestamp):
            if name and name not in label_columns:
                raise Refusal(f"the labels at {labels.uri} lack column {name!r}")
        datasets = [dataset for dataset in (labels, watched) if dataset is not None]
        excluded = {name for dataset in datasets for name in (dataset.label, dataset.timestamp)} | {*_ANSWERS, VARIANT}
        columns = self._monitor.key or shared(predictions, label_columns, excluded)
        for name in columns:
            if name not in predictions.columns or name not in label_columns:
                side = "the monitored data" if name in label_columns else f"the labels at {labels.uri}"
                raise Refusal(f"{side} lacks the key column {name!r}")
        first = next(label_rows.frames(label_rows.files()), None)
        return Key(tuple(columns)) if first is None else key_of(columns, predictions, first)

    def coverage(self) -> dict[str, float]:
        """Return the share of labelled predictions by variant, or an empty dict if no check needs labels."""
        if all(self._needs(check.metric) != "labels" for check in self._checks):
            return {}
        return coverage(self._predictions, self._judged)

    @cached_property
    def _judged(self) -> pd.DataFrame:
        """Return predictions joined with their labels, in the order of prediction."""
        import numpy as np

        predicted, labels = self._predictions, self._labels
        rows = predicted.rows()
        if predicted.unanswered:
            _log.warning("%d predictions have no value and are ignored", predicted.unanswered)
        if predicted.label or not predicted.key.columns:
            return rows.sort_values("time", kind="stable", ignore_index=True)
        keys = np.unique(rows[KEY].to_numpy())
        group, stamp = labels.group, labels.timestamp
        key, label = predicted.key, labels.label
        truths = tallied(
            DatasetRows(self._workload, labels), lambda: Truths(key, label, keys, stamp, group), self._threads
        )
        return joined(rows, truths.rows())

    def _state(self, check: Check, metric: str) -> Iterator[Measure]:
        watched = self._watched
        own = set(self._rows.own)
        columns = check.features or [name for name in watched.present if name not in own]
        absent = [name for name in columns if name not in watched.present]
        if absent and watched.rows and metric != "schema":
            raise Refusal(f"check {check.name!r} names {absent[0]!r}, which the window lacks")
        state = DataState(watched, self._declared, self._rows.newest, self._now)
        for feature, value in state.measure(check, columns if watched.rows else []):
            yield Measure(feature, value)

    def _declared(self, check: Check) -> Sequence[str]:
        """Return the columns that must be present, as declared by the check, the dataset or the reference."""
        watched = self._monitor.data.get(self._monitor.current.data)
        of_data = () if watched is None else tuple(watched.schema) or watched.features
        return check.features or of_data or tuple(self._references()[""])


_ANSWERS = (PREDICTION, SCORE)
ERRORS = "errors"  # the error in each row
