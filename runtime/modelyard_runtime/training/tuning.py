"""Hyperparameter search with Ray Tune, which evaluates trials on rows not used by the gate."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard_runtime.capabilities import computes, known_metrics
from modelyard_runtime.metrics.scores import score
from modelyard_runtime.models.answers import answer, predictions
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.training.trainers import grow, rungs_of
from modelyard_runtime.training.trials import Nested, Search, hash_of
from modelyard_runtime.workload.description import Json
from modelyard_runtime.workload.records import Split, Step, Tuning

if TYPE_CHECKING:
    from modelyard_runtime.training.data import TrainingData

RUNGS = 4
"""The number of times that a trial reports its metric. ASHA stops the worst trials each time."""

_RESET_TIMEOUT_S = "60"
"""The maximum number of seconds that Tune waits for the thread of a stopped trial.

After that, the next trial fails. Tune's default of 2 seconds can be too short on a busy machine.
"""

WHOLE = "modelyard_whole"
"""The metric that each trial reports in addition to its own: 1 if it was trained to the end."""

Trial = Callable[[Mapping[str, Json], Callable[[Mapping[str, float]], None]], None]

_log = logging.getLogger(__name__)


def search(
    tuning: Tuning,
    trial: Trial,
    worker: Mapping[str, Any],
    most_workers: int,
    parent: Search,
    nested: Nested,
    reuse_workers: bool = False,
) -> dict[str, Json]:
    """Return the best parameters found.

    `trial` receives parameters and reports metrics. At most `most_workers` trials run at a time, each on a worker. With
    `reuse_workers`, a process runs several trials in turn. Otherwise, each trial has its own process, since user code
    may leave state behind. Results from before a driver was killed are replayed without training before the search
    continues.
    """
    import ray.tune as tune
    from ray.tune.schedulers import ASHAScheduler
    from ray.tune.search import BasicVariantGenerator

    metric, mode = tuning.metric, "max" if tuning.goal == "maximize" else "min"
    replayed = parent.done

    def run(parameters: dict[str, Json]) -> None:
        os.environ.setdefault("TUNE_FUNCTION_THREAD_TIMEOUT_S", _RESET_TIMEOUT_S)
        before = replayed.get(hash_of(parameters))
        for metrics in before or ():
            tune.report(dict(metrics))
        if before is None:
            trial(parameters, lambda metrics: tune.report(dict(metrics)))

    scheduler = ASHAScheduler(max_t=RUNGS, grace_period=1, reduction_factor=2) if _stops(tuning) else None
    at_once = max(min(tuning.parallel, most_workers), 1)
    config = tune.TuneConfig(
        metric=metric,
        mode=mode,
        num_samples=tuning.trials,
        scheduler=scheduler,
        search_alg=BasicVariantGenerator(
            max_concurrent=at_once, random_state=parent.seed if tuning.seed is None else tuning.seed
        ),
        reuse_actors=reuse_workers,
    )
    resources = {"CPU": worker["num_cpus"], "GPU": worker["num_gpus"], **worker["resources"]}
    with search_folder() as folder:
        tuner = tune.Tuner(
            tune.with_resources(run, {key: value for key, value in resources.items() if value}),
            param_space=space(tuning),
            tune_config=config,
            run_config=tune.RunConfig(
                storage_path=folder,
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=1),
                callbacks=[_recorder(nested)],
            ),
        )
        results = tuner.fit()
    if results.num_errors == len(results):
        raise RuntimeError(f"every trial of the search failed; the first: {results.errors[0]}")
    trials = [results[index] for index in range(len(results))]  # the results are not iterable
    finished = [(dict(result.config or {}), dict(result.metrics or {})) for result in trials if result.error is None]
    parameters, value = best(finished, metric, mode == "max")
    _log.info("best of %d trials: %s = %g with %s", len(results), metric, value, parameters)
    return parameters


def best(
    finished: Sequence[tuple[dict[str, Json], Mapping[str, Any]]], metric: str, greatest: bool
) -> tuple[dict[str, Json], float]:
    """Return the trial with the best final value among those trained to the end.

    The final value of a trial that was stopped early is unknown.
    """
    measured = [(parameters, last) for parameters, last in finished if isfinite(float(last.get(metric, "nan")))]
    if not measured:
        raise Refusal(f"no trial of the search has a value of {metric!r}")
    complete = [trial for trial in measured if trial[1].get(WHOLE) or trial[1].get("training_iteration", 0) >= RUNGS]
    best_parameters, last = (max if greatest else min)(complete or measured, key=lambda trial: float(trial[1][metric]))
    return best_parameters, float(last[metric])


def _recorder(nested: Nested) -> Any:
    """Return a Tune callback that records trials as nested runs."""
    import ray.tune as tune

    class TrialRecorder(tune.Callback):
        """Forwards trial events to the nested runs."""

        def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            nested.began(trial.trial_id, trial.config)

        def on_trial_result(
            self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
        ) -> None:
            metrics = {key: float(result[key]) for key in trial_metrics(result)}
            nested.record(trial.trial_id, int(result["training_iteration"]), metrics)

        def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            nested.ended(trial.trial_id, failed=False)

        def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            nested.ended(trial.trial_id, failed=True)

    return TrialRecorder()


def trial_metrics(result: Mapping[str, Any]) -> list[str]:
    """Return the names of the metrics reported by a trial itself, excluding those added by Tune."""
    from ray.tune.result import AUTO_RESULT_KEYS

    added = {*AUTO_RESULT_KEYS, "checkpoint_dir_name", "date", "hostname", "node_ip", "pid", "experiment_tag", "config"}
    return [
        key
        for key, value in result.items()
        if key not in added and isinstance(value, int | float) and not isinstance(value, bool)
    ]


@contextmanager
def search_folder() -> Generator[str]:
    """Create a folder for Tune's state during a search, removing folders left by killed processes."""
    for stale in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*-*"):
        process = stale.name.removeprefix(_FOLDER).partition("-")[0]
        if process.isdigit() and not Path("/proc", process).exists() and Path("/proc").is_dir():
            shutil.rmtree(stale, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{_FOLDER}{os.getpid()}-") as folder:
        yield folder


_FOLDER = "modelyard-search-"


def trial_of_trainer(
    trainer: str,
    task: str,
    fixed: Mapping[str, Json],
    data: Any,
    split: Split,
    metric: str,
    threshold: float | None = None,
) -> Trial:
    """Return a built-in trainer's trial function. `data` refers to the training data, fetched once per worker."""

    def trial(parameters: Mapping[str, Json], tell: Callable[[Mapping[str, float]], None]) -> None:
        import ray

        shared: TrainingData = ray.get(data)
        trial_data = shared.inner(split)
        all_parameters = {**fixed, **parameters}
        last_rung = rungs_of(trainer, task, all_parameters, RUNGS)
        for rung, model in enumerate(grow(trainer, task, all_parameters, trial_data, RUNGS), start=1):
            rows = trial_data.held_out
            answers = answer(_Fitted(model, threshold), task, rows[list(trial_data.features)])
            predicted = predictions(answers, task, list(trial_data.classes), trial_data.naive_error())
            value = score(metric, trial_data.truth(rows), predicted, trial_data.groups(rows))
            tell({metric: value, WHOLE: float(rung == last_rung)})

    return trial


def check_tuning(tuning: Tuning, task: str, built_in: bool) -> None:
    """Refuse a metric that no trial would report."""
    metric = tuning.metric
    if built_in and not computes(metric, task):
        available = ", ".join(known_metrics(task))
        raise Refusal(
            f"the search optimizes {metric!r}, which built-in trainers of {task} do not report; supported: {available}"
        )


def space(tuning: Tuning) -> dict[str, Any]:
    """Create Ray Tune's search space. Integer ranges include both ends."""
    import ray.tune as tune

    dimensions: dict[str, Any] = {}
    for name, values in tuning.space.items():
        kind, low, high = values.kind, values.low, values.high
        if kind == "choice":
            dimensions[name] = tune.choice(list(values.choices))
        elif kind == "int":
            dimensions[name] = tune.randint(int(low), int(high) + 1)
        else:
            dimensions[name] = {"uniform": tune.uniform, "loguniform": tune.loguniform}[kind](low, high)
    return dimensions


def middle(tuning: Tuning) -> dict[str, Json]:
    """Return a point in the search space, used to check whether a trainer accepts its parameters."""
    point: dict[str, Json] = {}
    for name, values in tuning.space.items():
        low = int(values.low) if values.kind == "int" else values.low
        point[name] = values.choices[0] if values.choices else low
    return point


def _stops(tuning: Tuning) -> bool:
    return tuning.early_stopping == "asha"


class _Fitted:
    """A newly trained estimator with the interface of a loaded model."""

    def __init__(self, model: Any, threshold: float | None) -> None:
        self._model = model
        self._threshold = threshold

    def predict(self, rows: Any) -> Any:
        return self._model.predict(rows)

    def threshold(self) -> float | None:
        return self._threshold

    def classifier(self) -> Any | None:
        return self._model if hasattr(self._model, "predict_proba") else None


def fixed_parameters(step: Step) -> dict[str, Json]:
    """Return the parameters that the spec sets for a step."""
    return dict(step.parameters)
