"""Logs the metrics and origin of a trained model, and registers, evaluates and promotes it."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version as installed
from typing import Any

from modelyard_runtime.captures.capture import PREDICTION, SCORE
from modelyard_runtime.models.answers import answer
from modelyard_runtime.promotion.gate import DIGEST_TAG, GATE_TAG, HELD, Verdict, judge, refused
from modelyard_runtime.promotion.look import Subject, promotes_itself
from modelyard_runtime.promotion.promoter import FAILED_TAG, compared_with, promote
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.files import fetched
from modelyard_runtime.registry.formats import FORMAT_TAG, SKOPS, flavor_of, format_of
from modelyard_runtime.registry.lineage import card_text, content_digest, lineage_tags, model_tags, owner_tags
from modelyard_runtime.statistics.profiles import profiles
from modelyard_runtime.training import seen
from modelyard_runtime.training.data import TrainingData
from modelyard_runtime.training.evaluation import ROWS_TAG, Candidate, Evaluation
from modelyard_runtime.training.explain import explanation
from modelyard_runtime.training.language.registered import logged_adapter
from modelyard_runtime.training.language.tuned import Adapter
from modelyard_runtime.workload.description import Json
from modelyard_runtime.workload.records import Dataset, Explainability, PipelineWorkload, Step

EXPLANATION = "modelyard/explanation.json"
CONTRIBUTIONS = "modelyard/contributions.parquet"
"""The path of the contributions of each feature to the predictions for the explained sample."""

TRAINING_TAG = "modelyard.training"
"""Tag with the identity of the training that a version comes from, which is the same for a run that resumes it."""

_VERDICTS = "modelyard/gate.json"
_PACKAGES = {"pytorch": "torch"}
_SAMPLE = 10_000
"""The number of rows from which a model's signature infers which columns may have missing values."""

_LONGEST_TAG = 4500
"""The maximum length of a tag in MLflow's database, with a margin. If the list is cut, all rules count as failed."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trained:
    """The result of a training step, i.e. a model object or a logged model's URI, with metrics and parameters."""

    model: Any
    reported: Mapping[str, float]
    parameters: Mapping[str, Json]
    run_id: str = ""  # a run that began earlier and contains the trials of a search
    training: str = ""  # the identity of a training that a later driver can resume


def finish(
    workload: PipelineWorkload,
    step_name: str,
    trained: Trained,
    data: TrainingData,
    run_name: str,
    report: Callable[[str], None] = _log.info,
) -> str:
    """Log, evaluate, register and promote the model. Report each check of the gate, and return the outcome.

    A version is registered together with its verdicts, so that a killed run leaves either none or a complete one. A run
    that resumes the same training then finds that version, and doesn't register another.
    """
    import mlflow

    registry.connect(workload)
    model = workload.pipeline.trained_model
    registry.open_experiment(model)
    version = _registered_before(model.registered_name, trained.training)
    if version is None:
        version, verdicts = _registered(workload, step_name, trained, data, run_name)
    else:
        _log.info("version %s was registered before the run was interrupted", version.version)
        with mlflow.start_run(run_id=version.run_id):  # which ends the run, if it is still open
            verdicts = _kept_verdicts(version)
    for verdict in verdicts:
        report(f"gate: {verdict.name} {'holds' if verdict.holds else 'DOES NOT HOLD'}: {verdict.reason}")
    return _outcome(workload, version, verdicts)


def _outcome(workload: PipelineWorkload, version: registry.Version, verdicts: tuple[Verdict, ...]) -> str:
    """Promote a version that passed its gate, and describe the outcome."""
    checks = workload.pipeline.checks
    lines = [verdict for verdict in refused(verdicts) if checks is None or verdict.name in checks]
    if lines:
        return f"version {version.version} of {version.name} is kept, but it fails the gate: {_reasons(lines)}"
    if not promotes_itself(workload):
        return f"version {version.version} of {version.name} passes the gate; the promoter moves the alias"
    return promote(Subject.of_training(workload), registry.version(version.name, version.version))


def _registered_before(name: str, training: str) -> registry.Version | None:
    """Return the version that an interrupted run of the same training has registered, if any."""
    if not training:
        return None
    return next((version for version in registry.versions(name) if version.tags.get(TRAINING_TAG) == training), None)


def _registered(
    workload: PipelineWorkload, step_name: str, trained: Trained, data: TrainingData, run_name: str
) -> tuple[registry.Version, tuple[Verdict, ...]]:
    """Log and evaluate a model, and register it with its verdicts."""
    import mlflow

    pipeline = workload.pipeline
    model, step = pipeline.trained_model, pipeline.steps[step_name]
    inputs = {name: pipeline.data[name] for name in step.inputs}
    tags = {**owner_tags(workload), **lineage_tags(workload, step, inputs)}
    with mlflow.start_run(run_id=trained.run_id or None, run_name=run_name, tags=tags) as run:
        mlflow.log_params({name: str(value)[:500] for name, value in trained.parameters.items()})
        tags |= {"modelyard.run": run_name, ROWS_TAG: str(run.info.run_id)}
        if trained.training:
            tags |= {TRAINING_TAG: trained.training}
        if isinstance(trained.model, Adapter):
            candidate = logged_adapter(workload, trained.model, data, inputs, trained.reported, run)
        else:
            candidate = _logged_and_evaluated(workload, step, trained, data, inputs, str(run.info.run_id))
        tags |= compared_with(Subject.of_training(workload).promotion, model.registered_name)
        verdicts = judge(pipeline, candidate.evaluation)
        tags |= {**candidate.tags, **_keep_verdicts(verdicts)}
        version = candidate.register({**tags, **model_tags(workload, model, inputs)})
    _log.info("gate of version %s: %s", version.version, json.dumps(_records(verdicts)))
    return version, verdicts


def _logged_and_evaluated(
    workload: PipelineWorkload,
    step: Step,
    trained: Trained,
    data: TrainingData,
    inputs: Mapping[str, Dataset],
    run_id: str,
) -> Candidate:
    """Log and evaluate a model trained on rows."""
    import mlflow

    model = workload.pipeline.trained_model
    threshold = model.threshold
    uri = _logged(trained.model, data, step.trainer, threshold)
    loaded = registry.load(uri)
    if threshold is not None:
        _check_threshold(loaded, model.task, data, threshold)
    evaluation = Evaluation(workload, data, trained.reported, loaded)
    mlflow.log_metrics(evaluation.metrics())
    if data.seen is not None:
        seen.keep(data.seen)
    _log_profiles(loaded, model.task, data, run_id)
    if model.explainability is not None:
        _log_explanation(loaded, model.task, model.explainability, data)
    with fetched(uri) as files:
        digest, model_format = content_digest(files), format_of(files)
    text = card_text(workload, model, inputs, model_format)
    return Candidate(
        evaluation,
        {DIGEST_TAG: digest, FORMAT_TAG: model_format},
        lambda tags: registry.register(model.registered_name, uri, tags, text),
    )


def _logged(model: Any, data: TrainingData, trainer: str, threshold: float | None) -> str:
    """Return the URI of the logged model. A model object is first logged using its library's flavor."""
    from mlflow.models import infer_signature

    if isinstance(model, str):
        if not model.startswith(("models:/", "runs:/")):
            raise Refusal(
                f"the entrypoint returned the text {model!r}; it must return a model, or its models:/ or runs:/ URI"
            )
        return model
    sample = data.train[list(data.features)].head(_SAMPLE)
    flavor, log, arguments = flavor_of(model)
    if trainer:  # for user code, MLflow infers them by loading the model in a second process
        arguments = {
            **arguments,
            "pip_requirements": _requirements(trainer, str(arguments.get("serialization_format", ""))),
        }
    if threshold is not None:
        arguments = {**arguments, "metadata": {registry.THRESHOLD: threshold}}
    answers = model.predict(None, sample) if flavor == "pyfunc" else None
    signature = infer_signature(sample, answers)
    return str(log(model, name="model", signature=signature, **arguments).model_uri)


def _check_threshold(loaded: registry.Model, task: str, data: TrainingData, threshold: float) -> None:
    """Refuse a model that ignores the threshold in the spec."""
    if loaded.threshold() != threshold:
        metadata = {registry.THRESHOLD: threshold}
        raise Refusal(f"the model was logged without its threshold; log it with metadata={metadata}")
    if answer(loaded, task, data.held_out[list(data.features)]).scores is None:
        raise Refusal("a threshold needs probabilities, but this model only returns classes")


def _requirements(trainer: str, serialization: str) -> list[str]:
    """Return the installed versions of packages required by a built-in trainer's model."""
    reader = "skops" if serialization == SKOPS else "cloudpickle"
    packages = dict.fromkeys((reader, "numpy", "pandas", "scikit-learn", _PACKAGES.get(trainer, trainer)))
    return [f"{name}=={installed(name)}" for name in packages]


def _log_profiles(loaded: registry.Model, task: str, data: TrainingData, run_id: str) -> None:
    """Log profiles of the training data and predictions for later comparison by monitors."""
    import mlflow
    import pandas as pd

    held_out = data.held_out
    predicted = answer(loaded, task, held_out[list(data.features)])
    answers: dict[str, Any] = {PREDICTION: predicted.values}
    if predicted.scores is not None and predicted.scores.ndim == 1:
        answers[SCORE] = predicted.scores
    column_profiles = profiles(data.train, [*data.features, data.label])
    column_profiles |= profiles(pd.DataFrame(answers), list(answers))
    columns: dict[str, Json] = {name: column_profile.to_json() for name, column_profile in column_profiles.items()}
    document = {"features": list(data.features), "label": data.label, "classes": list(data.classes), "columns": columns}
    mlflow.log_dict(document, registry.PROFILES)


def _log_explanation(loaded: registry.Model, task: str, settings: Explainability, data: TrainingData) -> None:
    import mlflow
    import pyarrow.parquet as parquet

    report, contributed = explanation(loaded, task, data, settings)
    mlflow.log_dict(report, EXPLANATION)
    if contributed is None:
        return
    artifact_path, _, name = CONTRIBUTIONS.rpartition("/")
    with tempfile.TemporaryDirectory(prefix="explanation-") as folder:
        parquet.write_table(contributed.table(data.classes), f"{folder}/{name}")
        mlflow.log_artifact(f"{folder}/{name}", artifact_path)


def _records(verdicts: tuple[Verdict, ...]) -> list[dict[str, Json]]:
    return [
        {"name": verdict.name, "holds": verdict.holds, "why": verdict.reason, **verdict.figures} for verdict in verdicts
    ]


def _keep_verdicts(verdicts: tuple[Verdict, ...]) -> dict[str, str]:
    """Store the verdicts in the active run, and return the version's tags for them. A stage may skip some rules."""
    import mlflow

    mlflow.log_dict({"gate": _records(verdicts)}, _VERDICTS)
    failed = [verdict.name for verdict in refused(verdicts)]
    return {FAILED_TAG: json.dumps(failed)[:_LONGEST_TAG], GATE_TAG: "refused" if failed else HELD}


def _kept_verdicts(version: registry.Version) -> tuple[Verdict, ...]:
    """Return the verdicts that are stored in a version's run."""
    from mlflow import artifacts

    records = artifacts.load_dict(f"runs:/{version.run_id}/{_VERDICTS}")["gate"]
    return tuple(Verdict(record["name"], record["holds"], record["why"]) for record in records)


def _reasons(lines: list[Verdict]) -> str:
    return "; ".join(f"{verdict.name}: {verdict.reason}" for verdict in lines)
