"""The context passed to every entrypoint in user code."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.datasets import read_frame, read_ray, read_table, write_table
from modelyard_runtime.storage.filesystem import Place, make_folder, place
from modelyard_runtime.training.data import TrainingData, training_data
from modelyard_runtime.workload.description import Json
from modelyard_runtime.workload.records import Dataset, PipelineWorkload

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import ray.data


@dataclass(frozen=True, slots=True)
class Context:
    """A pipeline step as seen by its user code.

    `worker` has the resource requests of one Ray worker, for use as `ray.remote(**context.worker)`. `workers` is the
    minimum and maximum number of workers. `results` has the return values of earlier steps by step name.
    """

    workload: PipelineWorkload
    step: str
    inputs: tuple[str, ...]
    output: str
    parameters: Mapping[str, Json]
    workers: tuple[int, int]
    worker: Mapping[str, Any]
    results: Mapping[str, Any]
    run: str
    tell: Callable[[Mapping[str, float]], None]
    reported: dict[str, float] = field(default_factory=dict)

    def table(self, name: str) -> pa.Table:
        """Read an input as an Arrow table."""
        return read_table(self.workload, self._input(name))

    def frame(self, name: str) -> pd.DataFrame:
        """Read an input as a pandas data frame."""
        return read_frame(self.workload, self._input(name))

    def dataset(self, name: str) -> ray.data.Dataset:
        """Read an input as a Ray dataset."""
        return read_ray(self.workload, self._input(name))

    def training_data(self) -> TrainingData:
        """Join and split the inputs as declared in the spec. The gate evaluates the held-out rows."""
        return training_data(self.workload, self.inputs, self.workload.pipeline.task)

    def report(self, **metrics: float) -> None:
        """Report the model's current metrics for comparison in a search.

        The run records the last value of each metric.
        """
        values = {name: float(value) for name, value in metrics.items()}
        self.reported.update(values)
        self.tell(values)

    def write(self, rows: pd.DataFrame | pa.Table, name: str = "part") -> str:
        """Atomically write one file of the step's output dataset and return its path."""
        import pyarrow as pa

        if not self.output:
            raise Refusal(f"step {self.step!r} declares no output to write to")
        table = rows if isinstance(rows, pa.Table) else pa.Table.from_pandas(rows, preserve_index=False)
        return write_table(self.workload, self._dataset(self.output), table, name)

    def checkpoints(self) -> Place:
        """Return the checkpoint folder of this run, shared by all workers and later attempts."""
        location = self.workload.pipeline.checkpoints
        if location is None:
            raise Refusal("checkpoints need an object store that this pipeline can write to, but its spec names none")
        root = place(self.workload, location.uri, location.store)
        folder = root.below(self.run, self.step)
        make_folder(folder)
        return folder

    def _input(self, name: str) -> Dataset:
        if name not in self.inputs:
            raise Refusal(f"step {self.step!r} has no input {name!r}; it has {', '.join(self.inputs) or 'none'}")
        return self._dataset(name)

    def _dataset(self, name: str) -> Dataset:
        return self.workload.pipeline.data[name]


def new_run() -> str:
    """Return a new random ID for a pipeline run."""
    return uuid.uuid4().hex[:12]
