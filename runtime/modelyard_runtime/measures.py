"""What the checks of a monitor measure: drift from a reference, quality against late labels, and the state of data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from modelyard_runtime.answers import CLASSIFICATION, Answer, coded, plain, predictions
from modelyard_runtime.capture import PREDICTION, SCORE
from modelyard_runtime.datasets import read_frame
from modelyard_runtime.description import Section, integer, names, section, sections, text
from modelyard_runtime.drift import drift
from modelyard_runtime.models import Models
from modelyard_runtime.page_hinkley import page_hinkley
from modelyard_runtime.profiles import Profile, profile
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.scores import score
from modelyard_runtime.training_data import group_numbers, join
from modelyard_runtime.windows import VARIANT, Window, current

if TYPE_CHECKING:
    import pandas as pd

DRIFT = frozenset({"psi", "ks", "chi2", "js", "wasserstein"})


@dataclass(frozen=True, slots=True)
class Measure:
    """One value of a check: of a feature, or of the whole where `feature` is empty."""

    feature: str
    value: float


class Measures:
    """Measures the checks of one run; what they share is read once."""

    def __init__(self, workload: Section, now: datetime) -> None:
        self._workload = workload
        self._monitor = section(workload, "monitor")
        self._now = now
        self.window: Window = current(workload, now)
        self._joined: pd.DataFrame | None = None

    def of(self, check: Section) -> Iterator[Measure]:
        """The values of one check."""
        metric = text(check, "metric")
        if metric in DRIFT:
            return self._drift(check, metric)
        if metric in _STATES:
            return self._state(check, metric)
        return self._quality(check, metric)

    def _drift(self, check: Section, metric: str) -> Iterator[Measure]:
        prediction = text(self._monitor, "type") in {"prediction-drift", "concept-drift"}
        for variant, rows in self._by_variant(apart=prediction):
            reference = self._reference(prediction, variant)
            columns = names(check, "features") or [name for name in reference if name in rows.columns]
            if not columns:
                raise Refusal(
                    f"check {text(check, 'name')!r} has no column that both the window and its reference have"
                )
            for name in columns:
                if name not in rows.columns or name not in reference:
                    where = "the window" if name not in rows.columns else "the reference"
                    raise Refusal(f"check {text(check, 'name')!r} is about {name!r}, which {where} lacks")
                value = drift(metric, reference[name], _comparable(rows[name], reference[name]))
                if value is not None:
                    yield Measure(f"{name}@{variant}" if variant else name, value)

    def _by_variant(self, apart: bool) -> Iterator[tuple[str, pd.DataFrame]]:
        """All rows; or for what models say, the rows of each variant where there are several."""
        rows = self.window.rows
        variants = sorted(set(rows[VARIANT])) if VARIANT in rows.columns and VARIANT in self.window.own else []
        if not apart or len(variants) < 2:
            yield "", rows
            return
        for variant in variants:
            yield variant, rows[rows[VARIANT] == variant]

    def _reference(self, prediction: bool, variant: str) -> dict[str, Profile]:
        described = section(self._monitor, "reference")
        if not described and "reference" not in self._monitor:
            raise Refusal("a measure of drift needs a reference")
        if text(described, "data"):
            frame = self._reference_rows(described)
            dataset = sections(self._monitor, "data")[text(described, "data")]
            hidden = {text(dataset, "label"), text(dataset, "timestamp")}
            wanted = [name for name in frame.columns if name in _ANSWERS] if prediction else names(dataset, "features")
            wanted = wanted or [name for name in frame.columns if name not in hidden | set(_ANSWERS)]
            return {name: profile(frame[name]) for name in wanted}
        kept = self._kept(variant)
        columns = sections(kept, "columns")
        wanted = list(_ANSWERS) if prediction else names(kept, "features")
        return {name: Profile.from_json(columns[name]) for name in wanted if name in columns}

    def _reference_rows(self, described: Section) -> pd.DataFrame:
        dataset = sections(self._monitor, "data")[text(described, "data")]
        span = integer(described, "windowSeconds") if "windowSeconds" in described else None
        frame = read_frame(self._workload, dataset, span, self._now)
        if not len(frame):
            raise Refusal(f"the reference {text(described, 'data')!r} has no row")
        return frame

    def _kept(self, variant: str) -> Section:
        """What was kept of the data that the model of a variant learned from."""
        described = self._models()
        model = next((one for one in described if text(one, "variant") == variant), described[0])
        models = Models(self._workload, model)
        found = models.version()
        if found is None:
            raise Refusal(f"the reference is the training data of {text(model, 'uri')}, which does not exist yet")
        return models.profiles(found)

    def _models(self) -> list[Section]:
        found = self._monitor.get("models")
        models = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        if not models:
            raise Refusal("this check needs a model, and what is watched has none")
        return list(models)

    def _quality(self, check: Section, metric: str) -> Iterator[Measure]:
        joined = self._labelled() if self._joined is None else self._joined
        self._joined = joined
        label = self._label()
        task, group = text(self._models()[0], "task"), self._group()
        classes = _classes({plain(one) for name in (label, PREDICTION) for one in joined[name].dropna()})
        for variant, rows in self._variants_of(joined):
            if not len(rows):
                continue
            known = list(classes) if task in CLASSIFICATION else []
            truth = coded(rows[label], known) if known else rows[label].to_numpy(dtype=float)
            said = predictions(_answered(rows), task, known)
            if metric == "page_hinkley":
                wrong = (truth != said.values).astype(float) if known else abs(truth - said.values)
                value = page_hinkley(wrong)
            else:
                value = score(metric, truth, said, group_numbers(rows[group]) if group else None)
            if value == value:  # some metrics are not defined where the labels are all of one class
                yield Measure(variant, value)

    def _variants_of(self, rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
        if VARIANT in self.window.own and VARIANT in rows.columns and rows[VARIANT].nunique() > 1:
            for variant in sorted(set(rows[VARIANT])):
                yield variant, rows[rows[VARIANT] == variant]
            return
        yield "", rows

    def _label(self) -> str:
        """The column with the truth: of the dataset with labels, or of what is watched itself."""
        data = sections(self._monitor, "data")
        names_of = text(self._monitor, "labels") or text(section(self._monitor, "current"), "data")
        label = text(data.get(names_of, {}), "label")
        if not label:
            raise Refusal("quality needs a dataset with a label: `labels` of the monitor, or the watched one")
        return label

    def _group(self) -> str:
        """The column that says which rows are of one query; empty where nothing says it."""
        data = sections(self._monitor, "data")
        named = (text(self._monitor, "labels"), text(section(self._monitor, "current"), "data"))
        return next((text(data[name], "group") for name in named if name in data and text(data[name], "group")), "")

    def _labelled(self) -> pd.DataFrame:
        """Predictions with what turned out to be true, in the order in which they were made."""
        name = text(self._monitor, "labels")
        described = sections(self._monitor, "data").get(name, {})
        label = self._label()
        watched = sections(self._monitor, "data").get(text(section(self._monitor, "current"), "data"), {})
        if PREDICTION not in self.window.rows.columns and len(self.window.rows):
            raise Refusal(f"what is watched has no column {PREDICTION!r} to compare with labels")
        rows = self.window.rows
        if name:
            if not len(rows):
                return rows.assign(**{label: None, PREDICTION: None})
            seen = rows.drop(columns=[label], errors="ignore")
            rows, _ = join(
                {"window": seen, name: read_frame(self._workload, described)}, {"window": watched, name: described}
            )
        return rows.dropna(subset=[label, PREDICTION]).sort_values(self.window.timestamp)

    def _state(self, check: Section, metric: str) -> Iterator[Measure]:
        own = set(self.window.own)
        columns = names(check, "features") or [name for name in self.window.rows.columns if name not in own]
        absent = [name for name in columns if name not in self.window.rows.columns]
        if absent and metric != "schema":
            raise Refusal(f"check {text(check, 'name')!r} is about {absent[0]!r}, which the window lacks")
        watched = sections(self._monitor, "data").get(text(section(self._monitor, "current"), "data"), {})
        for feature, value in _STATES[metric](self, watched, columns):
            yield Measure(feature, value)

    def missing(self, watched: Section, columns: list[str]) -> Iterator[tuple[str, float]]:
        """The share of rows without a value."""
        for name in columns:
            yield name, profile(self.window.rows[name]).missing_share

    def duplicates(self, watched: Section, columns: list[str]) -> Iterator[tuple[str, float]]:
        """The share of rows that are there already."""
        rows = self.window.rows[columns]
        yield "", float(rows.astype(str).duplicated().mean()) if len(rows) else 0.0

    def schema(self, watched: Section, columns: list[str]) -> Iterator[tuple[str, float]]:
        """How many declared columns are absent; one of another type is refused when it is read."""
        declared = list(section(watched, "schema")) or names(watched, "features")
        if not declared:
            declared = list(self._reference(False, ""))
        yield "", float(len([name for name in declared if name not in self.window.rows.columns]))

    def out_of_range(self, watched: Section, columns: list[str]) -> Iterator[tuple[str, float]]:
        """The share of values that the reference never had: beyond its least and greatest, or an unknown category."""
        reference = self._reference(False, "")
        for name in columns:
            if name in reference:
                yield name, _beyond(self.window.rows[name].dropna(), reference[name])

    def freshness_s(self, watched: Section, columns: list[str]) -> Iterator[tuple[str, float]]:
        """The age of the newest row, in seconds; that of the window where it is empty."""
        import pandas as pd

        times = pd.to_datetime(self.window.rows[self.window.timestamp], utc=True)
        age = (self._now - times.max().to_pydatetime()).total_seconds() if len(times) else None
        yield "", float(age if age is not None else integer(self._monitor, "windowSeconds"))

    def rows(self, watched: Section, columns: list[str]) -> Iterator[tuple[str, float]]:
        """How many rows the window has."""
        yield "", float(len(self.window.rows))


_ANSWERS = (PREDICTION, SCORE)
_STATES: dict[str, Callable[[Measures, Section, list[str]], Iterator[tuple[str, float]]]] = {
    "missing": Measures.missing,
    "duplicates": Measures.duplicates,
    "schema": Measures.schema,
    "out_of_range": Measures.out_of_range,
    "freshness_s": Measures.freshness_s,
    "rows": Measures.rows,
}


def _comparable(column: pd.Series, reference: Profile) -> pd.Series:
    """Numbers that came as another type of number, compared as the reference is: as numbers or as categories."""
    import pandas as pd

    if reference.quantiles is not None and pd.api.types.is_bool_dtype(column.dtype):
        return column.astype("float64")
    if reference.quantiles is None and pd.api.types.is_bool_dtype(column.dropna().infer_objects().dtype):
        return column
    return column


def _classes(found: set[Any]) -> list[Any]:
    """The classes in the order of a model's probabilities; both of a yes or no, even where only one was seen."""
    if found <= {0, 1}:
        return [0, 1]
    return sorted(found, key=lambda one: (isinstance(one, str), one))


def _answered(rows: pd.DataFrame) -> Answer:
    import numpy as np

    scores: Any = None
    if SCORE in rows.columns and rows[SCORE].notna().all():
        scores = np.stack([np.asarray(one, dtype=np.float64) for one in rows[SCORE]])
    return Answer(rows[PREDICTION].to_numpy(), scores)


def _beyond(values: pd.Series, reference: Profile) -> float:
    if not len(values):
        return 0.0
    if reference.quantiles is not None and len(reference.quantiles):
        numbers = values.to_numpy(dtype=float)
        return float(((numbers < reference.quantiles[0]) | (numbers > reference.quantiles[-1])).mean())
    return float((~values.astype(str).isin(list(reference.shares or {}))).mean())
