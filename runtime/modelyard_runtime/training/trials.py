"""Records a search's trials in the registry as nested runs with parameters, metrics and status."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelyard_runtime.registry import client as registry
from modelyard_runtime.workload.description import Json, Section, digest
from modelyard_runtime.workload.records import PipelineWorkload

SEARCH_TAG = "modelyard.search"
"""Tag with the hash of the search that started a run. The same search resumes an active run."""

TRIAL_TAG = "modelyard.trial"
"""Tag with the hash of the parameters of a nested run."""

_PARENT = "mlflow.parentRunId"
_NAME = "mlflow.runName"
_SEED = "modelyard.search.seed"
_MOST_RUNS = 10_000  # the maximum number of trials that a spec may request
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Search:
    """The run containing a search's trials. `done` maps the hash of each finished trial to its values."""

    run_id: str
    seed: int
    done: Mapping[str, Sequence[Mapping[str, float]]] = field(default_factory=dict)


def begin(workload: PipelineWorkload, name: str, state: Section) -> Search:
    """Return the run of a search, which is either an interrupted one with its trial results, or a new one."""
    from mlflow import MlflowClient

    registry.connect(workload)
    registry.open_experiment(workload.pipeline.trained_model)
    client, key = MlflowClient(), digest(state)
    experiment = _experiment(client, workload)
    unfinished = client.search_runs([experiment], f"tags.`{SEARCH_TAG}` = '{key}' and attributes.status = 'RUNNING'")
    if not unfinished:
        seed = secrets.randbits(31)
        created = client.create_run(experiment, tags={SEARCH_TAG: key, _SEED: str(seed), _NAME: name}, run_name=name)
        return Search(str(created.info.run_id), seed)
    run = unfinished[0]
    trials = client.search_runs([experiment], f"tags.`{_PARENT}` = '{run.info.run_id}'", max_results=_MOST_RUNS)
    finished: dict[str, Sequence[Mapping[str, float]]] = {}
    for trial in trials:
        if trial.info.status == "FINISHED" and trial.data.metrics:
            finished[trial.data.tags[TRIAL_TAG]] = _reported(client, trial)
        elif trial.info.status == "RUNNING":
            client.set_terminated(trial.info.run_id, "KILLED")
    return Search(str(run.info.run_id), int(run.data.tags[_SEED]), finished)


def failed(search: Search) -> None:
    """End a search in which every trial failed, so that it is not resumed."""
    from mlflow import MlflowClient

    MlflowClient().set_terminated(search.run_id, "FAILED")


def hash_of(parameters: Mapping[str, Any]) -> str:
    """Return the hash that identifies a trial."""
    plain: dict[str, Json] = json.loads(json.dumps(dict(parameters), default=str))
    return digest(plain)


class Nested:
    """Records each trial as a run nested in the search's run. Trials that finished earlier are already recorded."""

    def __init__(self, workload: PipelineWorkload, search: Search) -> None:
        self._workload = workload
        self._search = search
        self._runs: dict[str, str] = {}

    def began(self, trial: str, parameters: Mapping[str, Any]) -> None:
        """Record that a trial has started or restarted."""
        from mlflow.entities import Param

        key = hash_of(parameters)
        if key in self._search.done or trial in self._runs:
            return
        client = self._client()
        tags = {_PARENT: self._search.run_id, TRIAL_TAG: key}
        run = client.create_run(_experiment(client, self._workload), tags=tags, run_name=f"trial {trial}")
        self._runs[trial] = str(run.info.run_id)
        params = [Param(name, str(value)[:_LONGEST]) for name, value in parameters.items()]
        client.log_batch(run.info.run_id, params=params)

    def record(self, trial: str, step: int, metrics: Mapping[str, float]) -> None:
        """Record metrics reported by the trial."""
        from mlflow.entities import Metric

        if trial in self._runs:
            now = int(time.time() * 1000)
            reported = [Metric(name, value, now, step) for name, value in metrics.items()]
            self._client().log_batch(self._runs[trial], metrics=reported)

    def ended(self, trial: str, failed: bool) -> None:
        """Record that the trial has finished, or was stopped because other trials were better."""
        if trial in self._runs:
            self._client().set_terminated(self._runs[trial], "FAILED" if failed else "FINISHED")

    def _client(self) -> Any:
        from mlflow import MlflowClient

        return MlflowClient()


def _experiment(client: Any, workload: PipelineWorkload) -> str:
    name = workload.pipeline.trained_model.experiment
    return str(client.get_experiment_by_name(name).experiment_id)


def _reported(client: Any, run: Any) -> list[Mapping[str, float]]:
    """Return the metrics reported by a trial, step by step."""
    steps: dict[int, dict[str, float]] = {}
    for name in run.data.metrics:
        for point in client.get_metric_history(run.info.run_id, name):
            steps.setdefault(point.step, {})[name] = point.value
    return [steps[step] for step in sorted(steps)]
