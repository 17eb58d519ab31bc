"""Trains a network on Ray Train workers, each with a part of the rows, averaging gradients."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import Any

from modelyard_runtime.networks import Network, Order, load_torch
from modelyard_runtime.training.shares import Progress, own_rows


def train_network(config: dict[str, Any]) -> bytes | None:
    """Train on one worker, averaging gradients across workers. The first worker returns the model.

    Each worker trains on its part of every batch. Workers with fewer rows repeat them, since all workers must take the
    same number of steps.
    """
    import ray.train
    from ray.train.torch import get_device, prepare_model

    torch = load_torch()
    context = ray.train.get_context()
    rank, workers = context.get_world_rank(), context.get_world_size()
    network: Network = config["network"]
    progress = Progress.of(config)
    if progress.grown:
        network = unpacked(network, progress.grown)
    rows, target, _, _ = own_rows(config)
    batch = max(-(-int(network.batch_size) // workers), 1)
    module = prepare_model(network.module(), parallel_strategy="ddp" if workers > 1 else None)
    optimizer = network.optimizer(module)
    data = network.tensors(rows, target)
    longest = torch.tensor([len(rows)], device=get_device() if torch.cuda.is_available() else "cpu")
    if workers > 1:
        torch.distributed.all_reduce(longest, op=torch.distributed.ReduceOp.MAX)
    steps = -(-int(longest.item()) // batch)
    for part in progress.parts(config["rounds"]):
        for epoch in range(progress.done, progress.done + part):
            network.one_epoch(module, optimizer, data, get_device(), Order(epoch, batch, rank, steps))
        rounds_done = progress.done + part
        progress.moved(rounds_done, config["rounds"], partial(_packed, network, module, optimizer, rounds_done))
    return _packed(network, module, optimizer, config["rounds"]) if progress.first else None


def _packed(network: Network, module: Any, optimizer: Any, epochs: int) -> bytes:
    """Serialize weights and optimizer state as tensors and numbers, so that loading them runs no code."""
    torch = load_torch()

    network.keep(getattr(module, "module", module), optimizer, epochs)
    weights = {name: torch.as_tensor(value) for name, value in (network.weights_ or {}).items()}
    stream = BytesIO()
    torch.save({"weights": weights, "state": network.state_, "epochs": epochs}, stream)
    return stream.getvalue()


def unpacked(network: Network, content: bytes) -> Network:
    """Restore the saved weights and optimizer state of an initialized network."""
    state = load_torch().load(BytesIO(content), weights_only=True, map_location="cpu")
    network.weights_ = {name: value.numpy() for name, value in state["weights"].items()}
    network.state_, network.epochs_done_ = state["state"], int(state["epochs"])
    return network
