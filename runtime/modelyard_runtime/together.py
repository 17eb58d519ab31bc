"""Built-in training on several workers, by Ray Train: trees or networks, each worker on its own rows.

What was grown is kept beside the step while it runs. When a worker is lost, or more of them have come, Ray Train
starts the workers anew, and they go on from there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelyard_runtime.boosting import grow_lightgbm, grow_xgboost, parameters_of, restored
from modelyard_runtime.capabilities import trainers
from modelyard_runtime.description import Json, Section, integer, section, text
from modelyard_runtime.networks import train_network, unpacked
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.trainers import estimator, groups_of, labels, prepared

if TYPE_CHECKING:
    from modelyard_runtime.training_data import TrainingData

_BLOCKS_A_WORKER = 8  # so that any number of workers has about the same number of rows each
_RESIZE_S = 300.0  # workers that came later join this often: each time trees since the last kept ones are grown again
_KEPT = 3


class Keeper:
    """Holds what was grown last, by the number of rounds; in a process of its own, on the machine of the step."""

    def __init__(self) -> None:
        self._kept: dict[int, bytes] = {}

    def keep(self, rounds: int, grown: bytes) -> None:
        """Keep a model of so many rounds; of many the newest."""
        self._kept[rounds] = grown
        for old in sorted(self._kept)[:-_KEPT]:
            del self._kept[old]

    def rounds(self) -> int:
        """The most rounds of a model that is kept; 0 for none."""
        return max(self._kept, default=0)

    def kept(self, rounds: int) -> bytes:
        """The model of so many rounds."""
        return self._kept[rounds]


def trains_together(step: Section) -> bool:
    """Whether a step's built-in trainer makes one model on several workers."""
    found = trainers().get(text(step, "trainer"))
    return found is not None and found.together and integer(section(step, "workers"), "max") > 1


def train_together(
    step: Section, task: str, parameters: Mapping[str, Json], data: TrainingData, worker: Mapping[str, Any]
) -> Any:
    """A model that the workers of a step made together. A worker that fails is replaced as often as `retries` says."""
    import ray
    from ray.runtime_context import get_runtime_context
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
    from sklearn.pipeline import Pipeline

    trainer = text(step, "trainer")
    model = estimator(trainer, task, parameters)
    before, ready = prepared(trainer, model, data)
    most = integer(section(step, "workers"), "max")
    blocks = [ray.put(part) for part in _blocks(trainer, task, model, ready, data, most * _BLOCKS_A_WORKER)]
    least, most = (min(integer(section(step, "workers"), key), len(blocks)) for key in ("min", "max"))
    here = NodeAffinitySchedulingStrategy(get_runtime_context().get_node_id(), soft=False)
    keeper: Any = ray.remote(Keeper).options(num_cpus=0, scheduling_strategy=here).remote()
    config: dict[str, Any] = {
        "blocks": blocks,
        "keeper": keeper,
    }
    threads = max(int(worker["num_cpus"]), 1)
    if trainer == "pytorch":
        model.begin(ready.shape[1], labels(trainer, data))
        config |= {"network": model, "rounds": int(model.epochs)}
    else:
        parameters = parameters_of(trainer, task, model, len(data.classes), threads)
        config |= {"parameters": parameters, "rounds": int(model.n_estimators or 100)}
    raw = _fitted(trainer, config, least, most, worker, integer(step, "retries"))
    ray.kill(keeper)
    grown = unpacked(raw) if "network" in config else restored(trainer, model, raw, config["parameters"], data.classes)
    return Pipeline([("columns", before), ("model", grown)])


def _fitted(
    trainer: str, config: dict[str, Any], least: int, most: int, worker: Mapping[str, Any], retries: int
) -> bytes:
    from ray.train.v2.api.config import FailureConfig, RunConfig, ScalingConfig  # ray.train has them, typed as of old

    trains, grow = _trainer(trainer)
    asked = {"CPU": worker["num_cpus"], "GPU": worker["num_gpus"], **worker["resources"]}
    scaling = ScalingConfig(
        num_workers=most if least == most else (max(least, 1), most),
        use_gpu=bool(worker["num_gpus"]),
        resources_per_worker={name: value for name, value in asked.items() if value},
        elastic_resize_monitor_interval_s=_RESIZE_S,
    )
    with tempfile.TemporaryDirectory(prefix="train-") as folder:  # of this process: workers write nothing there
        run = RunConfig(storage_path=folder, failure_config=FailureConfig(max_failures=retries))
        made = trains(grow, train_loop_config=config, scaling_config=scaling, run_config=run)
        grown: bytes = made.fit().return_value
    return grown


def _trainer(trainer: str) -> tuple[Any, Any]:
    """Ray Train's class for a library, and what runs on its workers."""
    if trainer == "xgboost":
        from ray.train.xgboost import XGBoostTrainer

        return XGBoostTrainer, grow_xgboost
    if trainer == "lightgbm":
        from ray.train.lightgbm import LightGBMTrainer

        return LightGBMTrainer, grow_lightgbm
    from ray.train.torch import TorchTrainer

    return TorchTrainer, train_network


def _blocks(trainer: str, task: str, model: Any, ready: Any, data: TrainingData, most: int) -> list[Any]:
    """The rows in parts of about the same size: features, labels, queries, weights. No query is cut."""
    import numpy as np

    target, queries, weights = labels(trainer, data), None, None
    if data.classes:
        target = np.searchsorted(np.array(data.classes), target)
    if task == "ranking":
        queries = groups_of(data)
        starts = np.flatnonzero(np.diff(queries, prepend=-1))
    else:
        starts = np.arange(len(ready))
        order = np.random.default_rng(0).permutation(len(ready))  # what is sorted must not end up in one part
        ready, target = ready[order], target[order]
    if getattr(model, "class_weight", None) is not None:
        from sklearn.utils.class_weight import compute_sample_weight

        given = model.class_weight
        weights = compute_sample_weight(_by_place(given, data.classes) if isinstance(given, dict) else given, target)
    if len(starts) < 2:
        raise Refusal("there is too little data for several workers")
    cuts = starts[np.linspace(0, len(starts), min(most, len(starts)), endpoint=False).astype(int)][1:]

    def parts(values: Any) -> list[Any]:
        return [None] * (len(cuts) + 1) if values is None else np.split(values, cuts)

    return list(zip(parts(ready), parts(target), parts(queries), parts(weights), strict=True))


def _by_place(given: Mapping[Any, float], classes: tuple[Any, ...]) -> dict[int, float]:
    return {place: float(given.get(one, given.get(str(one), 1.0))) for place, one in enumerate(classes)}
