"""Tests that the next run completes the training of an adapter after its driver was killed, whenever that happens."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modelyard_runtime.models.adapters import write_adapter
from modelyard_runtime.pipelines.steps import StepOutcome, finish_step
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.lineage import content_digest
from modelyard_runtime.training.checkpoints import Checkpoints
from modelyard_runtime.training.language.worker import matrices_in
from modelyard_runtime.workload.records import PipelineWorkload
from tests.narrowing import present
from tests.runtime.adapters import NAME, PHRASES, QUICK, Tone
from tests.runtime.described import BEGINNING, completed
from tests.runtime.fine_tuning import recorded
from tests.runtime.serving.language import imported
from tests.runtime.tiny_model import tiny_model

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the packages warn of each other

ROOT = Path(__file__).parents[3]
PATHS = os.pathsep.join((str(ROOT / "runtime"), str(ROOT)))
STEPS = 40
KILLED = -signal.SIGKILL
FEW = "6"
"""A moment at which a checkpoint with this number of steps is recorded."""

REGISTERED = "_outcome"
"""The function that is called after the registration."""


@dataclass(frozen=True)
class Pipeline:
    """A pipeline that trains an adapter of a tiny model, and the Ray instance on which it runs."""

    tone: Tone
    address: str

    @classmethod
    def at(cls, folder: Path, address: str) -> Pipeline:
        """Import the base model, and describe the pipeline."""
        imported(folder, tiny_model(folder / "chat"))
        step = {
            "inputs": ["texts"],
            "trainer": "transformers",
            "workers": {"min": 1, "max": 1},
            "parameters": {**QUICK, "max_steps": STEPS},
            "resources": {"cpus": 1},
            "timeoutSeconds": 900,
        }
        changes = {"steps": {"learn": step}, "timeoutSeconds": 900}
        tone = Tone.at(folder, PHRASES).changed(**changes, checkpoints={"uri": f"file://{folder}/checkpoints"})
        tone.workload["pipeline"]["model"] |= {"artifacts": f"file://{folder}/artifacts"}
        description = {**completed(PipelineWorkload, tone.workload), **BEGINNING}
        (folder / "workload.json").write_text(json.dumps(description))
        tone.workload.update(description)
        return cls(tone, address)

    def run(self, moment: str = "") -> subprocess.CompletedProcess[str]:
        """Run the driver in a process of its own, which is killed at the given moment."""
        return subprocess.run(
            [sys.executable, "-m", "tests.runtime.fine_tuning", self.address, "workload.json", moment],
            cwd=self.tone.folder,
            env={**os.environ, "RAY_DEDUP_LOGS": "0", "PYTHONPATH": PATHS},
            capture_output=True, text=True, check=False, timeout=900,
        )  # fmt: skip

    def recorded(self) -> int:
        """Return the number of steps in the newest checkpoint."""
        return recorded(self.tone.folder / "checkpoints")

    def complete(self) -> str:
        """Train without a cluster and end the run as a driver does. Return the digest of the adapter's files."""
        workload = self.tone.record()
        checkpoints = present(Checkpoints.of(workload, workload.pipeline.steps["learn"]))
        adapter, data = self.tone.grow(max_steps=STEPS)
        finish_step(workload, "learn", StepOutcome(adapter, data, checkpoints=checkpoints), {}, "last", [checkpoints])
        files = self.tone.folder / "uninterrupted"
        write_adapter(files, matrices_in(adapter.grown), adapter.shape, adapter.base)
        return content_digest(files)


def first_step(run: subprocess.CompletedProcess[str]) -> int:
    """Return the number of steps after the first part of the training in this run."""
    return min(int(steps) for steps in re.findall(r"step (\d+) of \d+: loss", run.stdout + run.stderr))


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Start a Ray instance for several drivers, and return its address."""
    import ray

    monkeypatch.setenv("PYTHONPATH", PATHS)
    monkeypatch.setenv("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", "600")
    monkeypatch.setenv("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.1")
    context: Any = ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield str(context.address_info["gcs_address"])
    ray.shutdown()


def test_killed_driver_neither_loses_nor_repeats_anything(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver is killed during the training, and again between the registration and the promotion.

    The second run continues from the last checkpoint. The third finds its version, which has the files of an
    uninterrupted training, and promotes it.
    """
    monkeypatch.chdir(tmp_path)
    pipeline = Pipeline.at(tmp_path, address)

    assert pipeline.run(FEW).returncode == KILLED
    before = pipeline.recorded()
    assert 6 <= before < STEPS
    second = pipeline.run(REGISTERED)
    assert second.returncode == KILLED, second.stderr
    assert first_step(second) > before
    (version,) = registry.versions(NAME)
    assert registry.version_at(NAME, "champion") is None
    assert pipeline.recorded() > before

    assert pipeline.complete() == version.tags["modelyard.digest"]
    assert [each.version for each in registry.versions(NAME)] == [version.version] == [pipeline.tone.champion()]
    assert not list((tmp_path / "checkpoints").iterdir())
