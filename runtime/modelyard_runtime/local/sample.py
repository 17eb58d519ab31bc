"""Generates data with a known truth from the spec's declarations if a system's own data is not on this machine.

Every row has all columns of the system so that datasets can be joined. A label is determined by the numeric and
categorical features with fixed weights, which depend only on the column names, plus noise. A text that a language model
learns is determined by its prompt. With drift, the first numeric features are two standard deviations larger in
requests than in training data. `sample.json` records the truth.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from modelyard_runtime.local.plan import LocalPlan
from modelyard_runtime.local.state import State
from modelyard_runtime.storage.filesystem import files, local, place_in
from modelyard_runtime.workload.records import Store
from modelyard_runtime.workload.records.data import Dataset

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_RECORD = "sample.json"
ROWS = 3000
LIVE_ROWS = 600
_MOST_LIVE_ROWS = 6000
_DAY_S = 86400
_DAYS = 60.0
_DELAYS = 3  # the data covers three times the longest label delay
_GROUP = 10  # rows of one group, such as the results of a query
_SHIFT = 2.0
_NOISE = 0.2
_TEXT, _PROMPT = "text-generation", "prompt"
_KEY = "id"
_CATEGORIES = ("a", "b", "c", "d")
_CATEGORICAL = ("category", "country", "type", "plan", "region", "channel", "currency", "status", "segment", "kind")
_UNNAMED = {"number_1": "number", "number_2": "number", "number_3": "number", "category_1": "string"}
"""The features of a dataset for which the spec declares none."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The model from which a system's columns are generated."""

    columns: dict[str, str]  # features by type
    labels: dict[str, str]  # label columns, with the task of the model that learns them
    timestamps: tuple[str, ...]
    groups: tuple[str, ...]
    keys: tuple[str, ...]
    keyed: frozenset[str] = frozenset()  # datasets with keys, which would be meaningless features in any other dataset
    drifting: tuple[str, ...] = ()
    days: float = _DAYS
    seed: int = 7

    def weight(self, column: str) -> float:
        """Return a column's weight, which depends only on its name and is between 0.5 and 1.5 in absolute value."""
        digest = hashlib.sha256(column.encode()).digest()
        return (0.5 + digest[0] / 255) * (1 if digest[1] % 2 else -1)

    def rows(self, count: int, seed: int, *, drift: bool = False, until: datetime | None = None) -> pd.DataFrame:
        """Return rows with all columns of the system."""
        import numpy as np
        import pandas as pd

        chance = np.random.default_rng([self.seed, seed])
        end = until or datetime.now(UTC)
        ages = (
            np.sort(chance.random(count) ** 2)[::-1] * self.days * _DAY_S
        )  # more rows in recent days, because monitors need them
        grouped = any(name in self.groups for name in self.keys)  # the other keys then distinguish the rows of a group
        keys = [str(index % _GROUP) for index in range(count)] if grouped else _keys(seed, count)
        rows: dict[str, Any] = dict.fromkeys(self.keys, keys)
        at = [end - timedelta(seconds=float(age)) for age in ages]
        rows |= dict.fromkeys(self.timestamps, at)
        rows |= {name: [f"g{seed}-{index // _GROUP}" for index in range(count)] for name in self.groups}
        tables, prompts = np.zeros(count), np.zeros(count)
        for name, kind in self.columns.items():
            if kind == "timestamp":
                rows[name] = at
                continue
            shift = _SHIFT if drift and name in self.drifting else 0.0
            rows[name], effect = _column(kind, chance, count, shift)
            score = prompts if kind == _PROMPT else tables
            score += self.weight(name) * effect / self._scale(of_prompts=kind == _PROMPT)
        noise = _NOISE * chance.normal(size=count)
        for name, task in self.labels.items():
            from_prompts = _PROMPT in self.columns.values() and (task == _TEXT or not self.table_columns)
            rows[name] = _label(task, (prompts if from_prompts else tables) + noise)
        return pd.DataFrame(rows)

    @property
    def table_columns(self) -> list[str]:
        """Return the features other than prompts."""
        return [name for name, kind in self.columns.items() if kind != _PROMPT]

    def _scale(self, *, of_prompts: bool) -> float:
        """Return the standard deviation of the weighted sum of all prompts, or of all other features."""
        names = [name for name, kind in self.columns.items() if (kind == _PROMPT) == of_prompts]
        return max(math.hypot(*map(self.weight, names)), 1e-9)

    def recorded(self) -> dict[str, Any]:
        """Return the truth as plain data for `sample.json`."""
        return {
            "seed": self.seed,
            "features": {name: {"type": kind, "weight": self.weight(name)} for name, kind in self.columns.items()},
            "labels": self.labels,
            "noise": _NOISE,
            "days": self.days,
            "drift": {"columns": list(self.drifting), "standardDeviations": _SHIFT},
        }


def _keys(seed: int, count: int) -> list[str]:
    return [f"r{seed}-{number}" for number in range(count)]


def _column(kind: str, chance: np.random.Generator, count: int, shift: float) -> tuple[Any, Any]:
    """Return a column's values and their effect on the label, which is about zero on average."""
    if kind == "string":
        index = chance.integers(0, len(_CATEGORIES), count)
        return [_CATEGORIES[position] for position in index], (index - 1.5) / 1.12
    normal = chance.normal(size=count) + shift
    if kind == _PROMPT:
        return [f"Describe number {value:.4f}." for value in normal * 10 + 50], normal
    if kind == "integer":
        return (normal * 10 + 50).round().astype("int64"), normal
    if kind == "boolean":
        return normal > 0, (normal > 0) * 2.0 - 1.0
    return normal * 10 + 50, normal


def _label(task: str, score: Any) -> Any:
    import numpy as np

    if task == "binary-classification":
        return (score > 0.4).astype("int64")
    if task == "multiclass-classification":
        return [f"class-{bucket}" for bucket in np.digitize(score, (-0.5, 0.5))]
    if task == "ranking":
        return np.clip(np.digitize(score, (-1.0, 0.0, 1.0)), 0, 3).astype("int64")
    if task == _TEXT:
        return [f"It is {'above' if value > 0 else 'below'} the average, by {abs(value):.4f}." for value in score]
    return score * 20 + 100


def truth_of(plan: LocalPlan, contents: Iterable[dict[str, Any]]) -> Truth:
    """Derive columns from the datasets, and keys and tasks from the descriptions."""
    described = list(contents)
    columns: dict[str, str] = {}
    roles = {name for data in plan.data.values() for name in (data.label, data.timestamp, data.group) if name}
    for data in _generated(plan):
        declared = dict(data.schema) or dict.fromkeys(data.features, "")
        columns |= {name: kind or _guessed(name) for name, kind in declared.items()}
    for name in plan.data:
        columns |= dict.fromkeys(_invented(plan, name), "number")
    tasks = _tasks(described)
    for name, data in plan.data.items():
        if tasks.get(name) == _TEXT:
            columns |= dict.fromkeys(data.features, _PROMPT)
    key_names = _named_keys(described) + ([_KEY] if _needs_key(plan, described) else [])
    keys = tuple(dict.fromkeys(key_names))
    columns = {name: kind for name, kind in columns.items() if name not in roles and name not in keys}
    if all(kind == _PROMPT for kind in columns.values()) and (not columns or _lacks_columns(plan, tasks)):
        columns |= _UNNAMED
    numeric = [name for name, kind in columns.items() if kind in {"number", "integer"}]
    return Truth(
        columns=columns,
        labels=_labels(plan, tasks),
        timestamps=tuple(dict.fromkeys(data.timestamp for data in plan.data.values() if data.timestamp)),
        groups=tuple(dict.fromkeys(data.group for data in plan.data.values() if data.group)),
        keys=keys,
        keyed=_keyed(plan, described),
        drifting=tuple(numeric[:2]),
        days=max(_DAYS, *(_DELAYS * (data.delay_seconds or 0) / _DAY_S for data in plan.data.values()), 0),
    )


def _generated(plan: LocalPlan) -> list[Dataset]:
    return [data for name, data in plan.data.items() if name not in _written(plan)]


def _written(plan: LocalPlan) -> set[str]:
    return {name for pipeline in plan.pipelines.values() for name in pipeline.writes}


def _invented(plan: LocalPlan, name: str) -> list[str]:
    """Return invented columns for a dataset that is joined with others but declares no columns itself.

    Datasets are joined on shared columns, so if they all had the same features, there wouldn't be any features left.
    """
    data = plan.data[name]
    is_joined = any(name in pipeline.reads and len(pipeline.reads) > 1 for pipeline in plan.pipelines.values())
    is_label_alone = bool(data.label) and _has_features_elsewhere(plan, name)
    if not is_joined or is_label_alone or _is_declared(data) or name in _written(plan):
        return []
    return [f"{name.replace('-', '_')}_{number}" for number in (1, 2)]


def _is_declared(data: Dataset) -> bool:
    return bool(data.schema or data.features)


def _lacks_columns(plan: LocalPlan, tasks: Mapping[str, str]) -> bool:
    """Return whether a generated table, as opposed to texts for a language model, declares no columns."""
    generated = plan.data.keys() - _written(plan)
    return any(not _is_declared(plan.data[name]) and tasks.get(name) != _TEXT for name in generated)


def _has_features_elsewhere(plan: LocalPlan, name: str) -> bool:
    """Return whether a dataset is joined with one that has features, and may therefore contain only a label."""
    return any(
        name in pipeline.reads and any(other != name and _is_declared(plan.data[other]) for other in pipeline.reads)
        for pipeline in plan.pipelines.values()
    )


def _joined(plan: LocalPlan) -> bool:
    return any(len(pipeline.reads) > 1 for pipeline in plan.pipelines.values())


def _tasks(contents: list[dict[str, Any]]) -> dict[str, str]:
    """Return the task of the model trained on each labelled dataset, by dataset name."""
    tasks: dict[str, str] = {}
    for content in contents:
        pipeline = content.get("pipeline", {})
        if content["type"] == "training":
            tasks |= {name: pipeline["model"]["task"] for name, data in pipeline["data"].items() if "label" in data}
    return tasks


def _labels(plan: LocalPlan, tasks: dict[str, str]) -> dict[str, str]:
    """Return label columns by task. Datasets may share a label, even if only one of them is used for training."""
    labels = {data.label: "regression" for data in plan.data.values() if data.label}
    return labels | {plan.data[name].label: task for name, task in tasks.items() if name in plan.data}


def _named_keys(contents: list[dict[str, Any]]) -> list[str]:
    """Return the columns that the descriptions use to identify rows."""
    keys: list[str] = []
    for content in contents:
        keys += content.get("pipeline", {}).get("split", {}).get("key", [])
        keys += content.get("monitor", {}).get("key", [])
        for application in content.get("applications", {}).values():
            keys += application.get("capture", {}).get("keys", [])
    return keys


def _keyed(plan: LocalPlan, contents: list[dict[str, Any]]) -> frozenset[str]:
    """Return the datasets whose rows need a key for joins, splits or monitors, or because they hold late labels."""
    keyed = {name for pipeline in plan.pipelines.values() if len(pipeline.reads) > 1 for name in pipeline.reads}
    for content in contents:
        pipeline, monitor = content.get("pipeline", {}), content.get("monitor", {})
        if pipeline.get("split", {}).get("key"):
            keyed |= set(pipeline["data"])
        keyed.add(monitor.get("labels", ""))
        if monitor.get("key"):
            watched = str(monitor["watch"]).removeprefix("pipelines.")
            keyed |= set(plan.pipelines[watched].reads) if watched in plan.pipelines else set()
    return frozenset(keyed)


def _needs_key(plan: LocalPlan, contents: list[dict[str, Any]]) -> bool:
    """Return whether datasets are joined without the spec naming any column to join them on."""
    return _joined(plan) and not _named_keys(contents)


def _guessed(name: str) -> str:
    return "string" if any(word in name for word in _CATEGORICAL) else "number"


@dataclass(slots=True)
class Sample:
    """The data generated for a system."""

    plan: LocalPlan
    state: State
    truth: Truth
    written: list[str] = field(default_factory=list)

    @property
    def generated(self) -> list[str]:
        """Return the datasets that this run or an earlier run has written."""
        path = self.state.folder / _RECORD
        earlier = json.loads(path.read_text(encoding="utf-8")).get("generated", []) if path.exists() else []
        return list(dict.fromkeys((*earlier, *self.written)))

    def write_missing(self) -> list[str]:
        """Write all datasets that have no files yet and aren't written by a pipeline, and return their names."""
        rows = self.truth.rows(ROWS, 0)
        rows["_at"] = rows[self.truth.timestamps[0]] if self.truth.timestamps else datetime.now(UTC)
        for name, data in self.plan.data.items():
            uri = self.state.file_uri(data.uri)
            if name in _written(self.plan) or not uri.startswith("file:"):
                continue
            if has_files(data, self.state):
                continue
            selected = rows
            if data.label and data.delay_seconds:  # labels that are not known yet are not in the data
                selected = rows[rows["_at"] <= datetime.now(UTC) - timedelta(seconds=data.delay_seconds)]
            _write(selected[self.columns(name)], data, uri)
            self.written.append(name)
        record = {**self.truth.recorded(), "generated": self.generated}
        self.state.below(_RECORD).write_text(json.dumps(record, indent=2), encoding="utf-8")
        return self.written

    def columns(self, name: str) -> list[str]:
        """Return the columns of one dataset."""
        data = self.plan.data[name]
        roles = [role for role in (data.label, data.timestamp, data.group) if role]
        keys = [key for key in self.truth.keys if key not in self.truth.timestamps and name in self.truth.keyed]
        if data.schema:
            return [
                column for column in data.schema if column in {*self.truth.columns, *roles, *self.truth.keys}
            ] or roles
        if data.features:
            return list(dict.fromkeys((*keys, *data.features, *roles)))
        own = _invented(self.plan, name) or self.truth.table_columns or list(self.truth.columns)
        if data.label and _has_features_elsewhere(self.plan, name):
            own = []
        return list(dict.fromkeys((*keys, *own, *roles)))

    def requests(self, number: int, *, drift: bool, captured: float = 1.0) -> list[dict[str, Any]]:
        """Return request rows with only features and keys, with enough rows for monitors even if few are captured."""
        count = min(round(LIVE_ROWS / max(captured, LIVE_ROWS / _MOST_LIVE_ROWS)), _MOST_LIVE_ROWS)
        rows = self.truth.rows(count, number + 1, drift=drift)
        listed: list[dict[str, Any]] = json.loads(
            rows[[*self.truth.keys, *(self.truth.table_columns or self.truth.columns)]].to_json(orient="records")
        )
        return listed


def has_files(data: Dataset, state: State) -> bool:
    """Return whether a dataset has files on this machine. Datasets in remote stores are assumed to have some."""
    uri = state.file_uri(data.uri)
    return not uri.startswith("file:") or bool(files(place_in(Store(uri=uri), uri)))


def _write(rows: pd.DataFrame, data: Dataset, uri: str) -> None:
    """Write one file. URIs ending in the format's extension name the file, and all other URIs are folders."""
    suffix = {"parquet": ".parquet", "csv": ".csv", "json": ".jsonl"}[data.format]
    where = place_in(Store(uri=uri), uri)
    is_file = where.path.endswith((suffix, ".json"))
    path = local_path(where.path if is_file else f"{where.path}/sample{suffix}")
    if data.format == "parquet":
        rows.to_parquet(path, index=False)
    elif data.format == "csv":
        rows.to_csv(path, index=False)
    else:
        rows.to_json(path, orient="records", lines=True, date_format="iso")


def local_path(path: str) -> Any:
    """Return a path on this machine, creating its parent folder."""
    from pathlib import Path

    where = Path(local(Path(path)).path)
    where.parent.mkdir(parents=True, exist_ok=True)
    return where
