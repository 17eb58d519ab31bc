"""Registers a trained adapter as a version of its model."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelyard_runtime.models.adapters import write_adapter
from modelyard_runtime.promotion.gate import DIGEST_TAG
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.formats import ADAPTER, FORMAT_TAG
from modelyard_runtime.registry.lineage import card_text, content_digest, model_tags
from modelyard_runtime.training import seen
from modelyard_runtime.training.data import TrainingData
from modelyard_runtime.training.evaluation import Evaluation
from modelyard_runtime.training.language.evaluation import TextEvaluation
from modelyard_runtime.training.language.tuned import Adapter
from modelyard_runtime.training.language.worker import matrices_in
from modelyard_runtime.workload.records import Dataset, PipelineWorkload

_FOLDER = "model"


def registered_adapter(
    workload: PipelineWorkload,
    adapter: Adapter,
    data: TrainingData,
    inputs: Mapping[str, Dataset],
    reported: Mapping[str, float],
    tags: Mapping[str, str],
    run: Any,
) -> tuple[registry.Version, Evaluation]:
    """Write the adapter's files, evaluate them the way they will later be loaded, and register them as a version."""
    import mlflow

    model = workload.pipeline.trained_model
    with tempfile.TemporaryDirectory(prefix="adapter-") as folder:
        files = Path(folder, _FOLDER)
        write_adapter(files, matrices_in(adapter.grown), adapter.shape, adapter.base)
        evaluation = TextEvaluation(workload, data, reported, files, adapter.base)
        mlflow.log_metrics(evaluation.metrics())
        if data.seen is not None:
            seen.keep(data.seen)
        mlflow.log_artifacts(str(files), _FOLDER)
        digest = content_digest(files)
    file_tags = {DIGEST_TAG: digest, FORMAT_TAG: ADAPTER, **adapter.base.tags}
    base = adapter.base
    origin = f"Adapter of version {base.version} of {base.name}, created by {workload.address} of {workload.system}."
    version = registry.create(
        model.registered_name,
        f"{run.info.artifact_uri}/{_FOLDER}",
        str(run.info.run_id),
        {**tags, **model_tags(workload, model, inputs), **file_tags},
        card_text(workload, model, inputs, ADAPTER, origin),
    )
    return version, evaluation
