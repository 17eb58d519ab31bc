"""A worker's training loop for an adapter, which can resume from the serialized state of an interrupted loop.

It's used instead of mlx-lm's loop, which can't resume an optimizer and learns the padding after a text.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard_runtime.models.adapters import Shape, adaptable, attach
from modelyard_runtime.models.bases import Base, base_files
from modelyard_runtime.models.texts import Example, Text, examples, load_quietly, losses, padded
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.training.language.settings import LoraSettings
from modelyard_runtime.training.shares import Progress
from modelyard_runtime.workload.records import PipelineWorkload

if TYPE_CHECKING:
    import mlx.core as mx

_ADAPTER, _OPTIMIZER = "adapter.", "optimizer."
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """Everything a worker needs to train an adapter, except the rows."""

    workload: PipelineWorkload
    base: Base
    settings: LoraSettings

    @property
    def shape(self) -> Shape:
        """Return the shape of the adapter's matrices."""
        return Shape(self.settings.rank, float(self.settings.alpha), float(self.settings.dropout))


def grow_adapter(config: dict[str, Any]) -> bytes:
    """Train on one worker, and return the matrices and the optimizer's state."""
    import mlx.core as mx
    import ray

    task: Task = config["task"]
    texts: list[Text] = config["texts"] if isinstance(config["texts"], list) else ray.get(config["texts"])
    progress, total = Progress.of(config), int(config["rounds"])
    registry.connect(task.workload)
    with base_files(task.base) as folder:
        model, tokenizer = load_quietly(str(folder))
        layers = adaptable(model, folder)
    mx.random.seed(task.settings.random_state)
    attach(model, layers, task.shape)
    rows = examples(tokenizer, texts, task.settings.max_length)
    if not any(len(row.tokens) > row.begins for row in rows):
        raise Refusal(f"no row has a token after its prompt within {task.settings.max_length} tokens")
    loop = Loop(model, rows, task.settings)
    if progress.grown:
        loop.restore(progress.grown)
    for part in progress.parts(total):
        loss = loop.run(range(progress.done, progress.done + part))
        _log.info("step %d of %d: loss %.4f", progress.done + part, total, loss)
        progress.moved(progress.done + part, total, loop.saved)
    return loop.saved()


class Loop:
    """The training loop's model, with its adapter, and the optimizer."""

    def __init__(self, model: Any, rows: Sequence[Example], settings: LoraSettings) -> None:
        import mlx.optimizers as optimizers
        from mlx.nn.utils import value_and_grad

        self._model, self._rows, self._settings = model, rows, settings
        self._optimizer: Any = optimizers.Adam(settings.learning_rate, bias_correction=True)
        self._optimizer.init(model.trainable_parameters())
        self._gradients: Any = value_and_grad(model, _mean_loss)
        model.train()

    def run(self, steps: range) -> float:
        """Learn from the batches with the given numbers, and return the mean loss."""
        import mlx.core as mx

        mx.random.seed(self._settings.random_state + steps.start)  # for dropout, also if training resumes here
        total = 0.0
        for step in steps:
            loss, gradients = self._gradients(self._model, *padded(self._batch(step)))
            self._optimizer.update(self._model, gradients)
            mx.eval(self._model.trainable_parameters(), self._optimizer.state, loss)
            total += loss.item()
        return total / max(len(steps), 1)

    def _batch(self, step: int) -> list[Example]:
        """Return a batch, which depends only on its number. Each pass over the rows has a different order."""
        import numpy as np

        size = self._settings.batch_size
        passed, place = divmod(step, -(-len(self._rows) // size))
        order = np.random.default_rng((self._settings.random_state, passed)).permutation(len(self._rows))
        return [self._rows[number] for number in order[place * size : (place + 1) * size]]

    def saved(self) -> bytes:
        """Return the matrices and the optimizer's state as bytes."""
        import mlx.core as mx
        from mlx.utils import tree_flatten

        trees = {_ADAPTER: self._model.trainable_parameters(), _OPTIMIZER: self._optimizer.state}
        arrays: dict[str, mx.array] = {}
        for prefix, tree in trees.items():
            arrays |= {f"{prefix}{name}": array for name, array in dict(tree_flatten(tree)).items()}
        with tempfile.TemporaryDirectory(prefix="adapter-") as folder:
            file = Path(folder, "grown.safetensors")
            mx.save_safetensors(str(file), arrays)
            return file.read_bytes()

    def restore(self, grown: bytes) -> None:
        """Continue from saved bytes."""
        from mlx.utils import tree_unflatten

        arrays = _read(grown)
        state = [
            (name.removeprefix(_OPTIMIZER), array) for name, array in arrays.items() if name.startswith(_OPTIMIZER)
        ]
        self._model.load_weights(list(matrices_in(grown).items()), strict=False)
        self._optimizer.state = tree_unflatten(state)


def matrices_in(grown: bytes) -> dict[str, mx.array]:
    """Return the adapter's matrices by MLX name from the bytes returned by a worker."""
    return {name.removeprefix(_ADAPTER): array for name, array in _read(grown).items() if name.startswith(_ADAPTER)}


def _read(grown: bytes) -> dict[str, mx.array]:
    import mlx.core as mx

    with tempfile.TemporaryDirectory(prefix="adapter-") as folder:
        file = Path(folder, "grown.safetensors")
        file.write_bytes(grown)
        loaded: Any = mx.load(str(file))
        mx.eval(*loaded.values())  # MLX reads the file when it needs an array
        return dict(loaded)


def _mean_loss(model: Any, tokens: mx.array, begins: mx.array, ends: mx.array) -> mx.array:
    import mlx.core as mx

    total, counted = losses(model, tokens, begins, ends)
    return total.sum() / mx.maximum(counted.sum(), 1)
