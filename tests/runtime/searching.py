"""Runs a parameter search on a local Ray cluster that may be killed midway.

Run as `python searching.py FOLDER TRIALS_BEFORE_THE_END`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import ray

from modelyard_runtime.training.trials import Nested, begin
from modelyard_runtime.training.tuning import RUNGS, WHOLE, search
from modelyard_runtime.workload.records import PipelineWorkload, Tuning
from tests.runtime.described import record

FOLDER, KILLED_AFTER = Path(sys.argv[1]), int(sys.argv[2])
TUNING: dict[str, Any] = {
    "metric": "auc_pr",
    "goal": "maximize",
    "trials": 6,
    "parallel": 1,
    "earlyStopping": "none",
    "space": {"depth": {"kind": "choice", "choices": list(range(1000))}},
}
WORKLOAD: dict[str, Any] = {
    "registry": {"uri": f"file://{FOLDER}/registry"},
    "pipeline": {"model": {"experiment": "cards/fraud"}, "tuning": TUNING},
}


def trial(parameters: Any, tell: Any) -> None:
    """Report scores that are high on the first rung and low afterwards. A greater depth widens the gap."""
    with (FOLDER / "tried.txt").open("a") as tried:
        tried.write(f"{parameters['depth']}\n")
    (FOLDER / f"process-{os.getpid()}").touch()
    for rung in range(1, RUNGS + 1):
        depth = parameters["depth"] / 1000
        tell({"auc_pr": 0.5 + (depth if rung == 1 else -depth) / 2, WHOLE: float(rung == RUNGS)})


class Killed(Nested):
    """Kills the driver after the given number of trials have ended."""

    def ended(self, trial: str, failed: bool) -> None:
        super().ended(trial, failed)
        if 0 < KILLED_AFTER == len(self._runs):
            os.kill(os.getpid(), signal.SIGKILL)


ray.init(address="local", num_cpus=1, include_dashboard=False)
known = begin(record(PipelineWorkload, WORKLOAD), "run-1", TUNING)
worker = {"num_cpus": 1, "num_gpus": 0, "resources": {}}
workload = record(PipelineWorkload, WORKLOAD)
found = search(record(Tuning, TUNING), trial, worker, 1, known, Killed(workload, known), reuse_workers=True)
(FOLDER / "told.json").write_text(json.dumps({"found": found, "run": known.run_id, "done": len(known.done)}))
