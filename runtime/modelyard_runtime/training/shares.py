"""A worker's share of training, i.e. its rows, the progress it saves, and how it resumes after a restart."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelyard_runtime.models.answers import coded
from modelyard_runtime.training.sharding import as_read

RUNGS = 20
"""The number of parts in which a model is trained. Progress can be saved only between parts."""

SPACING_S = 30.0
"""The minimum number of seconds between two saves of progress, which are always at the end of a part."""

_AT_ONCE = 65536  # the number of rows to prepare at a time
_GROWN, _ROUNDS = "grown", "rounds"


def own_rows(config: dict[str, Any]) -> list[Any]:
    """Return the features, labels, queries and weights of this worker's rows. Workers don't share any rows.

    Features are a float matrix. Labels are floats or, for classification, class indices as int64 or float64, except
    that scikit-learn gets the classes themselves. Queries are int64, or None unless the task is ranking. Weights are
    float64, or None without `class_weight`.
    """
    import numpy as np
    import ray

    numbers = range(config["parts"]) if "progress" in config else _own_parts(config["parts"])
    read_parts = [shard(config["shards"], part) for part in numbers] if "shards" in config else None
    parts: list[Any] = read_parts or ray.get([config["blocks"][part] for part in numbers])
    if len(parts) == 1:
        return list(parts[0])
    return [None if part[0] is None else np.concatenate(part) for part in zip(*parts, strict=True)]


def _own_parts(parts: int) -> range:
    import ray.train

    context = ray.train.get_context()
    rank, workers = context.get_world_rank(), context.get_world_size()
    return range(parts * rank // workers, parts * (rank + 1) // workers)


def shard(settings: dict[str, Any], part: int) -> tuple[Any, Any, Any, Any]:
    """Return one part of the rows from Ray Train, preprocessed on this worker."""
    import numpy as np
    import ray.train

    rows, target = [], []
    dataset: Any = ray.train.get_dataset_shard(str(part))
    for frame in dataset.iter_batches(batch_size=_AT_ONCE, batch_format="pandas"):
        block = as_read(frame, settings["features"])
        rows.append(settings["before"].transform(block[settings["features"]]))
        truth = block[settings["label"]]
        classes = settings["classes"]
        target.append(coded(truth, classes) if classes else truth.to_numpy(dtype=np.float64))
    labels = np.concatenate(target)
    weights = settings["weights"]
    return np.concatenate(rows), labels, None, None if weights is None else weights[labels.astype(int)]


@dataclass(slots=True)
class Progress:
    """The training progress shared by all workers. `grown` is the serialized model after `done` rounds.

    Progress is saved in a Ray Train checkpoint if there is a store, or else in a process on the step's machine. With
    `without_train`, training runs in a plain task, which saves nothing and ends when a checkpoint is due.
    """

    keeper: Any
    spacing: float
    first: bool
    done: int = 0
    grown: bytes | None = None
    kept_at: float = field(default_factory=time.monotonic)
    without_train: bool = False

    @classmethod
    def of(cls, config: dict[str, Any]) -> Progress:
        """Return the progress saved by earlier workers, or empty progress."""
        if "progress" in config:
            existing: Progress = config["progress"]
            return existing
        import ray
        import ray.train

        first = ray.train.get_context().get_world_rank() == 0
        progress = cls(config["keeper"], config["spacing"], first)
        if progress.keeper is None:
            checkpoint: Any = ray.train.get_checkpoint()
            if checkpoint is not None:
                progress.done, progress.grown = int(_read(checkpoint, _ROUNDS)), _read(checkpoint, _GROWN)
            elif "begun" in config:
                progress.done, grown = config["begun"]
                progress.grown = ray.get(grown)
                progress._report()
            return progress
        progress.done = int(broadcast(ray.get(progress.keeper.rounds.remote()) if first else None) or 0)
        progress.grown = ray.get(progress.keeper.model.remote(progress.done)) if progress.done else None
        return progress

    def parts(self, total: int, joined: bool = False) -> Iterator[int]:
        """Yield the number of rounds in each remaining part of `total` rounds.

        With `joined`, parts likely to end before the next checkpoint is due are merged. Only use it for models that
        don't depend on how training is divided into parts.
        """
        rungs = max(min(RUNGS, total), 1)
        ends = [total * (rung + 1) // rungs for rung in range(rungs)]
        started, before = time.monotonic(), self.done
        while self.done < total:
            now, rounds = time.monotonic(), self.done - before
            remaining_s = self.kept_at + self.spacing - now
            if self.without_train and rounds and remaining_s <= 0:
                return
            reachable = self.done + int(rounds / (now - started) * remaining_s) if joined and rounds else 0
            following = [end for end in ends if end > self.done]
            yield max([following[0], *(end for end in following if end <= reachable)]) - self.done

    def moved(self, rounds: int, total: int, grown: Callable[[], bytes] | None = None) -> None:
        """Record that `rounds` rounds are done. If a checkpoint is due, all workers save it together."""
        import ray

        self.done = rounds
        if self.without_train:
            return
        due = self.first and rounds < total and time.monotonic() - self.kept_at >= self.spacing
        if not broadcast(due if self.first else None):
            return
        if grown is not None and self.first:
            self.grown = grown()
        if self.keeper is None:
            self._report()
        elif self.first:
            ray.get(self.keeper.keep.remote(rounds, self.grown))
        self.kept_at = time.monotonic()

    def _report(self) -> None:
        import ray.train

        if not self.first or self.grown is None:
            ray.train.report({"rounds": self.done})
            return
        with tempfile.TemporaryDirectory(prefix="grown-") as folder:
            Path(folder, _GROWN).write_bytes(self.grown)
            Path(folder, _ROUNDS).write_text(str(self.done), encoding="utf-8")
            checkpoint = ray.train.Checkpoint.from_directory(folder)
            ray.train.report({"rounds": self.done}, checkpoint=checkpoint, checkpoint_upload_fn=_uploaded)


def broadcast(value: Any) -> Any:
    """Return the first worker's value on every worker."""
    from ray.train.collective import broadcast_from_rank_zero

    return broadcast_from_rank_zero(value)


def _uploaded(checkpoint: Any, name: str) -> Any:
    """Upload a checkpoint file by file, as Arrow's own copy needs permissions for more than one folder."""
    import ray.train

    storage: Any = ray.train.get_context().get_storage()
    files, folder = storage.storage_filesystem, f"{storage.experiment_fs_path}/{name}"
    files.create_dir(folder)
    for file in sorted(Path(checkpoint.path).iterdir()):
        with files.open_output_stream(f"{folder}/{file.name}") as stream:
            stream.write(file.read_bytes())
    return ray.train.Checkpoint(folder, filesystem=files)


def _read(checkpoint: Any, name: str) -> bytes:
    with checkpoint.filesystem.open_input_stream(f"{checkpoint.path}/{name}") as stream:
        content: bytes = stream.read()
    return content
