"""Runs the driver of a pipeline that trains an adapter, on a Ray instance that is already running.

`python -m tests.runtime.fine_tuning ADDRESS DESCRIPTION [MOMENT]`: the driver is killed at that moment. A number is the
number of steps in the newest recorded checkpoint. A name is that of a function in `modelyard_runtime.training.trained`
that a worker is about to call.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from modelyard_runtime.__main__ import main as runtime
from modelyard_runtime.pipelines import driver
from modelyard_runtime.pipelines.steps import StepActor, finish_step
from modelyard_runtime.training import trained
from modelyard_runtime.training.language import tuned


class SavingOften:
    """The process of a step, whose training saves a checkpoint after each of its parts."""

    def perform(self, *arguments: Any) -> Any:
        """Run the step."""
        tuned.fine_tuned.__defaults__ = (None, 0.0)  # the second is the number of seconds between checkpoints
        return StepActor().perform(*arguments)


def recorded(folder: Path) -> int:
    """Return the number of steps in the newest checkpoint that Ray Train has recorded in a folder."""
    steps = [0]
    for file in folder.glob("training-*~*~checkpoint_manager_snapshot.json"):
        try:
            snapshot = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # Ray Train is writing it
            continue
        steps += [result["metrics"]["rounds"] for result in snapshot["checkpoint_results"]]
    return max(steps)


def _kill_after(steps: int, description: str) -> None:
    pipeline = json.loads(Path(description).read_text(encoding="utf-8"))["pipeline"]
    folder = Path(pipeline["checkpoints"]["uri"].removeprefix("file://"))
    while recorded(folder) < steps:
        time.sleep(0.005)
    os.kill(os.getpid(), signal.SIGKILL)


def _killing(process: int, function: str) -> Any:
    """Return a function like `finish_step` that kills the driver before a worker calls the given function."""

    def kill(*_: Any) -> None:
        os.kill(process, signal.SIGKILL)
        time.sleep(600)  # Ray ends the workers of a killed driver

    def ending(*arguments: Any) -> list[str]:
        assert callable(getattr(trained, function))
        setattr(trained, function, kill)
        return finish_step(*arguments)

    return ending


def main(address: str, description: str, moment: str = "") -> int:
    """Run the described pipeline with the runtime's own command."""
    os.environ |= {"MODELYARD_WORKLOAD": description, "RAY_ADDRESS": address}
    changed: Any = driver
    changed.StepActor = SavingOften
    if moment.isdigit():
        threading.Thread(target=_kill_after, args=(int(moment), description), daemon=True).start()
    elif moment:
        changed.finish_step = _killing(os.getpid(), moment)
    return runtime(["run"])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
