"""A model measured on the rows that a gate judges by: the held-out part, or another dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from modelyard_runtime import registry
from modelyard_runtime.answers import answer, predictions
from modelyard_runtime.capabilities import computes, known_metrics
from modelyard_runtime.datasets import feature_columns, read_frame
from modelyard_runtime.description import Section, section, sections, text
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.scores import Predictions, score
from modelyard_runtime.training_data import TrainingData, group_numbers, numeric

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]
    Groups = npt.NDArray[np.int64] | None


class Evaluation:
    """Measures models. Each model is asked once for each dataset."""

    def __init__(self, workload: Section, data: TrainingData, reported: Mapping[str, float]) -> None:
        pipeline = section(workload, "pipeline")
        self._workload = workload
        self._task = text(section(pipeline, "model"), "task")
        self._datasets = sections(pipeline, "data")
        self._data = data
        self._reported = reported
        self._said: dict[tuple[str, str], tuple[Numbers, Predictions, Groups]] = {}

    def metrics(self, model: registry.Model) -> dict[str, float]:
        """The metrics of the task on the held-out rows, as far as the model has scores, and what user code reported."""
        found = dict(self._reported)
        asked = self._ask("", model, "")
        for name in known_metrics(self._task):
            try:
                found[name] = score(name, *asked)
            except (Refusal, ValueError):
                continue
        return found

    def of_new(self, model: registry.Model) -> Callable[[str, str], float]:
        """The measure of the new model, as the gate asks for it."""

        def measured(metric: str, data: str) -> float:
            if not computes(metric, self._task):
                if metric in self._reported and not data:
                    return self._reported[metric]
                raise Refusal(f"the gate asks for {metric!r}, which was neither computed nor reported by the code")
            return score(metric, *self._ask("", model, data))

        return measured

    def of_alias(self, name: str) -> Callable[[str, str, str], float | None]:
        """The measure of the model that an alias points to, on the same rows."""
        from mlflow.exceptions import MlflowException

        def measured(alias: str, metric: str, data: str) -> float | None:
            version = registry.version_at(name, alias)
            if version is None:
                return None
            if (version.uri, data) not in self._said:
                try:
                    self._ask(version.uri, registry.load(version.uri), data)
                except (KeyError, ValueError, TypeError, MlflowException) as problem:
                    raise Refusal(
                        f"{alias} (version {version.version}) cannot answer on these rows: {problem}"
                    ) from problem
            return score(metric, *self._said[version.uri, data])

        return measured

    def _ask(self, uri: str, model: registry.Model, data: str) -> tuple[Numbers, Predictions, Groups]:
        if (uri, data) not in self._said:
            rows = self._data.held_out
            groups = self._data.groups(rows)
            if data:
                dataset = self._datasets[data]
                frame = read_frame(self._workload, dataset)
                if self._data.label not in frame.columns:
                    raise Refusal(f"the gate evaluates on {data!r}, which lacks the label {self._data.label!r}")
                feature_columns({"features": list(self._data.features)}, list(frame.columns))
                group = text(dataset, "group")
                needed = [self._data.label, *([group] if group else [])]
                rows = numeric(frame.dropna(subset=needed), self._data.features)
                groups = group_numbers(rows[group]) if group else None
            columns = [one.name for one in model.columns()] or list(self._data.features)
            said = answer(model, self._task, rows[columns])
            self._said[uri, data] = (
                self._data.truth(rows),
                predictions(said, self._task, list(self._data.classes), self._data.naive_error()),
                groups,
            )
        return self._said[uri, data]
