"""Logs and evaluates a trained adapter, to be registered as a version of its model."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelyard_runtime.models.adapters import write_adapter
from modelyard_runtime.promotion.gate import DIGEST_TAG
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.formats import ADAPTER, FORMAT_TAG
from modelyard_runtime.registry.lineage import card_text, content_digest
from modelyard_runtime.training import seen
from modelyard_runtime.training.data import TrainingData
from modelyard_runtime.training.evaluation import Candidate
from modelyard_runtime.training.language.evaluation import TextEvaluation
from modelyard_runtime.training.language.tuned import Adapter
from modelyard_runtime.training.language.worker import matrices_in
from modelyard_runtime.workload.records import Dataset, PipelineWorkload

_FOLDER = "model"


def logged_adapter(
    workload: PipelineWorkload,
    adapter: Adapter,
    data: TrainingData,
    inputs: Mapping[str, Dataset],
    reported: Mapping[str, float],
    run: Any,
) -> Candidate:
    """Write the adapter's files, and evaluate them the way they will later be loaded."""
    import mlflow

    model, base = workload.pipeline.trained_model, adapter.base
    with tempfile.TemporaryDirectory(prefix="adapter-") as folder:
        files = Path(folder, _FOLDER)
        write_adapter(files, matrices_in(adapter.grown), adapter.shape, base)
        evaluation = TextEvaluation(workload, data, reported, files, base)
        mlflow.log_metrics(evaluation.metrics())
        if data.seen is not None:
            seen.keep(data.seen)
        mlflow.log_artifacts(str(files), _FOLDER)
        digest = content_digest(files)
    origin = f"Adapter of version {base.version} of {base.name}, created by {workload.address} of {workload.system}."
    text, run_id = card_text(workload, model, inputs, ADAPTER, origin), str(run.info.run_id)
    source = f"{run.info.artifact_uri}/{_FOLDER}"
    return Candidate(
        evaluation,
        {DIGEST_TAG: digest, FORMAT_TAG: ADAPTER, **base.tags},
        lambda tags: registry.create(model.registered_name, source, run_id, tags, text),
    )
