"""Built-in training with Ray Train, for trees or networks, on one worker or on several with separate rows.

Progress is saved in the artifact store or, without one, in a process on the step's machine while the step runs. When a
worker is lost or added, Ray Train restarts the workers, which resume from the saved progress. A later driver can only
resume from the store.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from modelyard_runtime.capabilities import trainers
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.training.boosting import grow_lightgbm, grow_xgboost, parameters_of, restored
from modelyard_runtime.training.checkpoints import Checkpoints
from modelyard_runtime.training.histograms import grow_histograms, read_histograms
from modelyard_runtime.training.language.worker import grow_adapter
from modelyard_runtime.training.network_worker import train_network, unpacked
from modelyard_runtime.training.sharding import Shards
from modelyard_runtime.training.shares import SPACING_S, Progress
from modelyard_runtime.training.trainers import GROWING, check_labels, estimator, groups_of, labels, prepared
from modelyard_runtime.workload.description import Json, digest
from modelyard_runtime.workload.records import PipelineWorkload, Step

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

    from modelyard_runtime.training.data import TrainingData

_BLOCKS_A_WORKER = 8  # enough to give each worker about the same number of rows
_RESIZE_S = 300.0  # interval at which new workers join; trees since the last save are then trained again
_KEPT = 3
_SNAPSHOT = "checkpoint_manager_snapshot.json"  # ray.train.v2._internal.constants of Ray 2.60

_Grow = Callable[[dict[str, Any]], bytes | None]
_GROWS: dict[str, _Grow] = {
    "xgboost": grow_xgboost,
    "lightgbm": grow_lightgbm,
    "scikit-learn": grow_histograms,
    "transformers": grow_adapter,
}
_log = logging.getLogger(__name__)


class Keeper:
    """Stores the latest models by number of rounds, in a separate process on the step's machine."""

    def __init__(self) -> None:
        self._models: dict[int, bytes] = {}

    def keep(self, rounds: int, grown: bytes) -> None:
        """Store a model that has the given number of rounds, and drop old models."""
        self._models[rounds] = grown
        for old in sorted(self._models)[:-_KEPT]:
            del self._models[old]

    def rounds(self) -> int:
        """Return the number of rounds in the most advanced stored model, or 0 if there are none."""
        return max(self._models, default=0)

    def model(self, rounds: int) -> bytes:
        """Return the model that has the given number of rounds."""
        return self._models[rounds]


def trains_together(step: Step) -> bool:
    """Return whether a step's built-in trainer trains one model on several workers."""
    entry = trainers().get(step.trainer)
    return entry is not None and entry.together and step.workers.max > 1


def goes_on(workload: PipelineWorkload, step: Step) -> bool:
    """Return whether a step's training saves progress that another driver can resume from.

    Only one of scikit-learn's estimators can be trained in parts. Forests and linear models are fitted in a single
    call.
    """
    if not step.trainer or workload.pipeline.checkpoints is None:
        return False
    estimator = step.parameters.get("estimator", GROWING)
    return step.trainer != "scikit-learn" or estimator == GROWING


def train_together(
    step: Step,
    task: str,
    parameters: Mapping[str, Json],
    data: TrainingData | Shards,
    worker: Mapping[str, Any],
    checkpoints: Checkpoints | None = None,
    spacing: float = SPACING_S,
) -> Any:
    """Train a model on a step's workers, replacing failing workers up to `retries` times."""
    from sklearn.pipeline import Pipeline

    trainer = step.trainer
    model = estimator(trainer, task, _threads(worker, trainer) | dict(parameters))
    if isinstance(data, Shards):
        before, config = data.before, _shared(trainer, model, data)
        datasets, data = {str(index): part for index, part in enumerate(data.parts)}, data.data
    else:
        (before, config), datasets = _store_blocks(trainer, task, model, data, parts_of(step)), {}
    several = trains_together(step)
    bounds = (step.workers.min, step.workers.max) if several else (1, 1)
    min_workers, max_workers = (min(count, config["parts"]) for count in bounds)
    config |= {
        "keeper": None,
        "spacing": spacing,
        **_growth_settings(trainer, task, model, config, data, worker, max_workers),
    }
    scaling = {"num_workers": max_workers if min_workers == max_workers else (max(min_workers, 1), max_workers)}
    identity: dict[str, Json] = {"parameters": dict(parameters), "rows": rows_of(data)}
    raw = train_bytes(step, config, worker, checkpoints, identity, scaling, datasets)
    if trainer == "scikit-learn":
        grown = read_histograms(raw)
    elif "network" in config:
        grown = unpacked(model, raw)
    else:
        grown = restored(trainer, model, raw, config["parameters"], data.classes)
    return Pipeline([("columns", before), ("model", grown)])


def train_bytes(
    step: Step,
    config: dict[str, Any],
    worker: Mapping[str, Any],
    checkpoints: Checkpoints | None,
    identity: dict[str, Json],
    scaling: Mapping[str, Any],
    datasets: Mapping[str, Any],
) -> Any:
    """Return the result of the first worker's training loop, resuming an earlier run with the same identity if any."""
    with run_storage(checkpoints, config, identity) as run:
        raw, retries = None, step.retries
        if checkpoints is not None and not trains_together(step) and step.trainer in _GROWS and not _resumes(run):
            raw, retries = _grown_without_train(_GROWS[step.trainer], config, worker, retries)
        return _fitted(step.trainer, config, scaling, worker, retries, run, datasets) if raw is None else raw


def _threads(worker: Mapping[str, Any], trainer: str) -> dict[str, Json]:
    """Return a setting for as many threads as a worker has CPUs, since the coordinating process has none."""
    return {"n_jobs": max(int(worker["num_cpus"]), 1)} if trainer in {"xgboost", "lightgbm"} else {}


def parts_of(step: Step) -> int:
    """Return the number of parts into which a step's rows are split."""
    return step.workers.max * _BLOCKS_A_WORKER if trains_together(step) else 1


def _store_blocks(trainer: str, task: str, model: Any, data: TrainingData, parts: int) -> tuple[Any, dict[str, Any]]:
    """Return the fitted preprocessing, and references to the preprocessed rows in Ray's object store."""
    import ray

    before, rows = prepared(trainer, model, data)
    blocks = [ray.put(part) for part in _blocks(trainer, task, model, rows, data, parts)]
    return before, {"blocks": blocks, "parts": len(blocks), "columns": rows.shape[1]}


def _shared(trainer: str, model: Any, shards: Shards) -> dict[str, Any]:
    """Return the data that workers need to preprocess their rows."""
    import numpy as np

    data = shards.data
    check_labels(trainer, data)
    class_weight, weights = getattr(model, "class_weight", None), None
    if class_weight is not None:
        rows = sum(shards.counts.values())
        evenly = {
            index: rows / len(data.classes) / max(shards.counts.get(label, 0), 1)
            for index, label in enumerate(data.classes)
        }
        by_place = _by_place(class_weight, data.classes) if isinstance(class_weight, dict) else evenly
        weights = np.array([by_place[index] for index in range(len(data.classes))])
    settings = {"before": shards.before, "features": list(data.features), "label": data.label, "weights": weights}
    return {"shards": {**settings, "classes": list(data.classes)}, "parts": len(shards.parts)}


def _growth_settings(
    trainer: str,
    task: str,
    model: Any,
    config: Mapping[str, Any],
    data: TrainingData,
    worker: Mapping[str, Any],
    workers: int,
) -> dict[str, Any]:
    """Return a worker's training configuration without its rows."""
    if trainer == "scikit-learn":
        return {"model": model, "rounds": int(model.max_iter)}
    if trainer == "pytorch":
        model.begin(config["columns"], labels(trainer, data))
        return {"network": model, "rounds": int(model.epochs)}
    threads = max(int(worker["num_cpus"]), 1)
    parameters = parameters_of(trainer, task, model, len(data.classes), threads, workers)
    return {"parameters": parameters, "rounds": int(model.n_estimators or 100)}


def rows_of(data: TrainingData) -> str:
    """Return an identifier of the training rows, consisting of their number and, if known, the salt of their marks."""
    return f"{len(data.train)} {data.seen.salt:016x}" if data.seen else str(len(data.train))


@contextmanager
def run_storage(
    checkpoints: Checkpoints | None, config: dict[str, Any], identity: dict[str, Json]
) -> Generator[dict[str, Any]]:
    """Yield the storage settings for Ray Train. Without a store, workers save to a process on the step's machine."""
    import ray
    from ray.runtime_context import get_runtime_context
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    if checkpoints is not None:
        name, files = digest(identity), checkpoints.files()
        _drop_torn_snapshot(files, f"{checkpoints.path}/{name}/{_SNAPSHOT}")
        yield {"name": name, "storage_path": checkpoints.path, "storage_filesystem": files}
        return
    on_this_node = NodeAffinitySchedulingStrategy(get_runtime_context().get_node_id(), soft=False)
    keeper: Any = ray.remote(Keeper).options(num_cpus=0, scheduling_strategy=on_this_node).remote()
    config["keeper"] = keeper
    try:
        with tempfile.TemporaryDirectory(prefix="train-") as folder:  # on this machine, where workers write nothing
            yield {"storage_path": folder}
    finally:
        ray.kill(keeper)


def _drop_torn_snapshot(files: FileSystem, path: str) -> None:
    """Delete Ray Train's list of checkpoints if a driver was killed while writing it.

    Ray Train doesn't start with an incomplete list, so every later run would fail. It writes the list in place, so it
    can be left half-written in folders, but never in object stores.
    """
    from pyarrow import fs

    if files.get_file_info(path).type != fs.FileType.File:
        return
    with files.open_input_file(path) as file:
        content = file.read()
    try:
        json.loads(content)
    except ValueError:
        _log.warning(
            "training starts over: the list of checkpoints in %s is incomplete, because its writer was killed", path
        )
        files.delete_file(path)


def _resumes(run: Mapping[str, Any]) -> bool:
    from pyarrow import fs

    info = run["storage_filesystem"].get_file_info(f"{run['storage_path']}/{run['name']}")
    return bool(info.type != fs.FileType.NotFound)


def _grown_without_train(
    grow: _Grow, config: dict[str, Any], worker: Mapping[str, Any], retries: int
) -> tuple[bytes | None, int]:
    """Train in a plain task, returning the model if it's done before a checkpoint is due, and the retries left.

    Ray Train's processes take longer to start than a small model takes to train, and a single worker doesn't need them
    until a checkpoint is due. Longer training continues in Ray Train with the progress made here.
    """
    import ray
    from ray.exceptions import RayError

    if config["spacing"] <= 0:
        return None, retries
    task: Any = ray.remote(_grown_until_due).options(num_returns=2, max_retries=0, **worker)
    rounds, grown = task.remote(grow, config)
    try:
        rounds_done: int = ray.get(rounds)
    except RayError as problem:
        if not retries:
            raise
        _log.warning("the worker failed before the first checkpoint, so the training starts again: %s", problem)
        return None, retries - 1
    if rounds_done >= config["rounds"]:
        return ray.get(grown), retries
    config["begun"] = rounds_done, grown
    return None, retries


def _grown_until_due(grow: _Grow, config: dict[str, Any]) -> tuple[int, bytes | None]:
    progress = Progress(None, config["spacing"], first=True, without_train=True)
    grown = grow({**config, "progress": progress})
    return progress.done, grown


def _fitted(
    trainer: str,
    config: dict[str, Any],
    scaling: Mapping[str, Any],
    worker: Mapping[str, Any],
    retries: int,
    run: Mapping[str, Any],
    datasets: Mapping[str, Any],
) -> bytes:
    from ray.train import DataConfig
    from ray.train.v2.api.config import (  # ray.train exports the types of the previous version
        CheckpointConfig,
        FailureConfig,
        RunConfig,
        ScalingConfig,
    )

    trains, grow = _trainer(trainer)
    resources = {"CPU": worker["num_cpus"], "GPU": worker["num_gpus"], **worker["resources"]}
    ray_trainer = trains(
        grow,
        train_loop_config=config,
        datasets=dict(datasets),
        dataset_config=DataConfig(datasets_to_split=[]),  # already split, because each worker reads its own part
        scaling_config=ScalingConfig(
            use_gpu=bool(worker["num_gpus"]),
            resources_per_worker={name: value for name, value in resources.items() if value},
            elastic_resize_monitor_interval_s=_RESIZE_S,
            **scaling,
        ),
        run_config=RunConfig(
            failure_config=FailureConfig(max_failures=retries),
            checkpoint_config=CheckpointConfig(num_to_keep=_KEPT),
            **run,
        ),
    )
    grown: bytes = ray_trainer.fit().return_value
    return grown


def _trainer(trainer: str) -> tuple[Any, Any]:
    """Return Ray Train's trainer class for a library, and the training loop of its workers."""
    if trainer == "xgboost":
        from ray.train.xgboost import XGBoostTrainer

        return XGBoostTrainer, grow_xgboost
    if trainer == "lightgbm":
        from ray.train.lightgbm import LightGBMTrainer

        return LightGBMTrainer, grow_lightgbm
    if trainer in {"scikit-learn", "transformers"}:
        from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer  # ray.train exports the previous version

        return DataParallelTrainer, _GROWS[trainer]
    from ray.train.torch import TorchTrainer

    return TorchTrainer, train_network


def _blocks(trainer: str, task: str, model: Any, rows: Any, data: TrainingData, max_parts: int) -> list[Any]:
    """Split rows into parts of similar size, each with features, labels, queries and weights. Queries stay whole."""
    import numpy as np

    target, queries, weights = labels(trainer, data), None, None
    if data.classes and trainer != "scikit-learn":
        target = np.searchsorted(np.array(data.classes), target)
    if task == "ranking":
        queries = groups_of(data)
        starts = np.flatnonzero(np.diff(queries, prepend=-1))
    elif max_parts == 1:
        starts = np.zeros(1, dtype=int)
    else:
        starts = np.arange(len(rows))
        order = np.random.default_rng(0).permutation(len(rows))  # sorted rows must be spread over all parts
        rows, target = rows[order], target[order]
    if trainer != "scikit-learn" and getattr(model, "class_weight", None) is not None:
        from sklearn.utils.class_weight import compute_sample_weight

        class_weight = model.class_weight
        weights = compute_sample_weight(
            _by_place(class_weight, data.classes) if isinstance(class_weight, dict) else class_weight, target
        )
    if len(starts) < 2 and max_parts > 1:
        raise Refusal("there is too little data for several workers")
    cuts = starts[np.linspace(0, len(starts), min(max_parts, len(starts)), endpoint=False).astype(int)][1:]

    def parts(values: Any) -> list[Any]:
        return [None] * (len(cuts) + 1) if values is None else np.split(values, cuts)

    return list(zip(parts(rows), parts(target), parts(queries), parts(weights), strict=True))


def _by_place(class_weight: Mapping[Any, float], classes: tuple[Any, ...]) -> dict[int, float]:
    return {
        place: float(class_weight.get(label, class_weight.get(str(label), 1.0))) for place, label in enumerate(classes)
    }
