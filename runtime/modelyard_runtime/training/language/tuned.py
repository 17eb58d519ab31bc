"""Fine-tunes a language model as a pipeline step by choosing the base and training an adapter on a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelyard_runtime.models.adapters import Shape
from modelyard_runtime.models.bases import Base, chosen_base
from modelyard_runtime.registry import client as registry
from modelyard_runtime.training.checkpoints import Checkpoints
from modelyard_runtime.training.data import TrainingData
from modelyard_runtime.training.language.rows import texts_of
from modelyard_runtime.training.language.settings import LoraSettings
from modelyard_runtime.training.language.worker import Task, grow_adapter
from modelyard_runtime.training.shares import SPACING_S, Progress
from modelyard_runtime.training.together import rows_of, train_bytes
from modelyard_runtime.workload.description import Json
from modelyard_runtime.workload.records import PipelineWorkload, Step


@dataclass(frozen=True, slots=True)
class Adapter:
    """A trained adapter. Its matrices are in the bytes returned by its worker."""

    grown: bytes
    shape: Shape
    base: Base


def fine_tuned(
    workload: PipelineWorkload,
    step: Step,
    parameters: Mapping[str, Json],
    data: TrainingData,
    worker: Mapping[str, Any],
    checkpoints: Checkpoints | None = None,
    spacing: float = SPACING_S,
) -> Adapter:
    """Train an adapter for the base model version that the spec's reference currently resolves to."""
    import ray

    registry.connect(workload)
    base, settings = chosen_base(workload, workload.pipeline.trained_model), LoraSettings.of(parameters)
    texts = texts_of(data, data.train)
    task = Task(workload, base, settings)
    config: dict[str, Any] = {"task": task, "texts": texts, "rounds": settings.steps(len(texts))}
    if checkpoints is None:
        at_once = Progress(None, float("inf"), first=True, without_train=True)
        return Adapter(grow_adapter({**config, "progress": at_once}), task.shape, base)
    config |= {"texts": ray.put(texts), "spacing": spacing, "keeper": None}
    identity: dict[str, Json] = {"parameters": dict(parameters), "rows": rows_of(data), "base": base.digest}
    grown: bytes = train_bytes(step, config, worker, checkpoints, identity, {"num_workers": 1}, {})
    return Adapter(grown, task.shape, base)
