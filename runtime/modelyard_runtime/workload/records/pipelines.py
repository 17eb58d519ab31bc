"""Pipelines and their steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.decode import Record
from modelyard_runtime.workload.records.common import Bounds, Check
from modelyard_runtime.workload.records.data import Dataset, Location
from modelyard_runtime.workload.records.models import Approvals, Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources(Record):
    """The resource requests for one worker of a step."""

    cpus: float
    gpus: int
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Record):
    """A pipeline step, which is a built-in trainer, scoring with a model, or user code."""

    needs: tuple[str, ...]
    inputs: tuple[str, ...]
    workers: Bounds
    resources: Resources
    parameters: Mapping[str, Any]  # as written in the spec
    retries: int
    timeout_seconds: int
    entrypoint: str = ""
    trainer: str = ""
    model: Model | None = None
    batch_size: int | None = None
    image: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range(Record):
    """The values that a search tries for a hyperparameter."""

    kind: str
    low: float = 0.0
    high: float = 0.0
    choices: tuple[Any, ...] = ()  # as written in the spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning(Record):
    """A hyperparameter search."""

    metric: str
    goal: str
    trials: int
    parallel: int
    early_stopping: str
    space: Mapping[str, Range]
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Record):
    """The split of the training data."""

    fraction: float
    by: str
    seed: int
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline(Record):
    """A pipeline's steps, data and settings."""

    steps: Mapping[str, Step]
    data: Mapping[str, Dataset]
    timeout_seconds: int
    model: Model | None = None
    output: str = ""
    checkpoints: Location | None = None
    logs: Location | None = None
    split: Split | None = None
    tuning: Tuning | None = None
    validation: tuple[Check, ...] = ()
    approvals: Approvals | None = None
    promote_to: str = ""
    promoted_by: str = ""
    batch_size: int | None = None
    reprocess: str = ""
    reprocess_seconds: int | None = None
    checks: tuple[str, ...] | None = None

    @property
    def trained_model(self) -> Model:
        """Return the pipeline's model. Refuse a pipeline without a model."""
        if self.model is None:
            raise Refusal("this pipeline has no model")
        return self.model

    @property
    def effective_split(self) -> Split:
        """Return the split of the training data, which defaults to holding out a random fifth of the rows."""
        return self.split or Split(fraction=0.2, by="random", seed=0)

    @property
    def task(self) -> str:
        """Return the model's task, or an empty string if the pipeline has no model."""
        return self.model.task if self.model is not None else ""
