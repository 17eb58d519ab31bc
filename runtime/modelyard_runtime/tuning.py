"""The search for hyperparameters, by Ray Tune: trials are judged on rows that the gate never sees."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from modelyard_runtime.answers import answer, predictions
from modelyard_runtime.capabilities import computes, known_metrics
from modelyard_runtime.description import Json, Section, integer, number, section, sections, text
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.scores import score
from modelyard_runtime.trainers import grow

if TYPE_CHECKING:
    from modelyard_runtime.training_data import TrainingData

RUNGS = 4
"""How often a trial tells how good it is: ASHA ends the worse ones after each."""

Trial = Callable[[Mapping[str, Json], Callable[[Mapping[str, float]], None]], None]

_log = logging.getLogger(__name__)


def search(tuning: Section, trial: Trial, worker: Mapping[str, Any], most_workers: int) -> dict[str, Json]:
    """The best parameters that were found.

    `trial` gets parameters and tells metrics; it runs in a worker of its own, `most_workers` of them at once.
    """
    import ray.tune as tune
    from ray.tune.schedulers import ASHAScheduler
    from ray.tune.search import BasicVariantGenerator

    metric, mode = text(tuning, "metric"), "max" if text(tuning, "goal") == "maximize" else "min"

    def run(parameters: dict[str, Json]) -> None:
        trial(parameters, lambda metrics: tune.report(dict(metrics)))

    scheduler = ASHAScheduler(max_t=RUNGS, grace_period=1, reduction_factor=2) if _stops(tuning) else None
    seed = integer(tuning, "seed") if "seed" in tuning else None
    at_once = max(min(integer(tuning, "parallel"), most_workers), 1)
    config = tune.TuneConfig(
        metric=metric,
        mode=mode,
        num_samples=integer(tuning, "trials"),
        scheduler=scheduler,
        search_alg=BasicVariantGenerator(max_concurrent=at_once, random_state=seed),
    )
    asked = {"CPU": worker["num_cpus"], "GPU": worker["num_gpus"], **worker["resources"]}
    with tempfile.TemporaryDirectory(prefix="search-") as folder:
        tuner = tune.Tuner(
            tune.with_resources(run, {key: value for key, value in asked.items() if value}),
            param_space=space(tuning),
            tune_config=config,
            run_config=tune.RunConfig(
                storage_path=folder, verbose=0, failure_config=tune.FailureConfig(max_failures=1)
            ),
        )
        results = tuner.fit()
    if results.num_errors == len(results):
        raise RuntimeError(f"every trial of the search failed; the first: {results.errors[0]}")
    best = results.get_best_result(scope="all")
    assert best.metrics is not None
    _log.info("best of %d trials: %s = %g with %s", len(results), metric, best.metrics[metric], best.config)
    return dict(best.config or {})


def trial_of_trainer(
    trainer: str, task: str, fixed: Mapping[str, Json], data: Any, split: Section, metric: str
) -> Trial:
    """A trial of a built-in trainer. `data` is a reference to the training data, which a worker gets once."""

    def trial(parameters: Mapping[str, Json], tell: Callable[[Mapping[str, float]], None]) -> None:
        import ray

        whole: TrainingData = ray.get(data)
        inner = whole.inner(split)
        for model in grow(trainer, task, {**fixed, **parameters}, inner, RUNGS):
            rows = inner.held_out
            answered = answer(_Fitted(model), task, rows[list(inner.features)])
            said = predictions(answered, task, list(inner.classes), inner.naive_error())
            tell({metric: score(metric, inner.truth(rows), said, inner.groups(rows))})

    return trial


def check_tuning(tuning: Section, task: str, built_in: bool) -> None:
    """Refuse a metric that nothing would report."""
    metric = text(tuning, "metric")
    if built_in and not computes(metric, task):
        known = ", ".join(known_metrics(task))
        raise Refusal(
            f"the search goes by {metric!r}, which built-in trainers of {task} do not report; known are {known}"
        )


def space(tuning: Section) -> dict[str, Any]:
    """The search space in Ray Tune's words; both ends of a whole number are included."""
    import ray.tune as tune

    found: dict[str, Any] = {}
    for name, one in sections(tuning, "space").items():
        kind, low, high = text(one, "kind"), number(one, "low"), number(one, "high")
        if kind == "choice":
            choices = one["choices"]
            found[name] = tune.choice(list(choices) if isinstance(choices, list) else [])
        elif kind == "int":
            found[name] = tune.randint(int(low), int(high) + 1)
        else:
            found[name] = {"uniform": tune.uniform, "loguniform": tune.loguniform}[kind](low, high)
    return found


def middle(tuning: Section) -> dict[str, Json]:
    """One point of the search space, to try whether a trainer knows its parameters."""
    point: dict[str, Json] = {}
    for name, one in sections(tuning, "space").items():
        choices = one.get("choices")
        low = one.get("low")
        point[name] = choices[0] if isinstance(choices, list) else low
    return point


def _stops(tuning: Section) -> bool:
    return text(tuning, "earlyStopping") == "asha"


class _Fitted:
    """An estimator that was trained a moment ago, as something that answers."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def predict(self, rows: Any) -> Any:
        return self._model.predict(rows)

    def classifier(self) -> Any | None:
        return self._model if hasattr(self._model, "predict_proba") else None


def fixed_parameters(step: Section) -> dict[str, Json]:
    """What the spec gives to a step."""
    return dict(section(step, "parameters"))
