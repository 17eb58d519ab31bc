"""A small network for tables, in PyTorch, that behaves like an estimator of scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from modelyard_runtime.shares import Progress, own_rows

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Weights = dict[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Order:
    """In which order an epoch takes its rows. Workers that go in step all take as many batches, `steps`."""

    epoch: int
    batch: int
    worker: int = 0
    steps: int = 0


class Network(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Layers of `width` units with dropout, trained by Adam in batches. `learn` goes on where the last call ended."""

    def __init__(
        self,
        width: int = 128,
        depth: int = 2,
        dropout: float = 0.1,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-4,
        batch_size: int = 256,
        epochs: int = 20,
        random_state: int = 0,
    ) -> None:
        self.width = width
        self.depth = depth
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, rows: Any, target: Any) -> Network:
        """Train from the beginning."""
        self.begin(rows.shape[1], target)
        return self.learn(rows, target, self.epochs)

    def begin(self, columns: int, target: Any) -> None:
        """Know the shape of the data and the meaning of the target, before anything is learned."""
        self.known(target)
        self.shape_ = (columns, self.outputs())
        self.weights_: Weights | None = None
        self.state_: dict[str, Any] | None = None
        self.epochs_done_ = 0

    def learn(self, rows: Any, target: Any, epochs: int) -> Network:
        """Train for some epochs more."""
        if not hasattr(self, "shape_"):
            self.begin(rows.shape[1], target)
        torch = _torch()

        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        module = self.module().to(device)
        optimizer = self.optimizer(module)
        data = self.tensors(rows, target)
        for epoch in range(self.epochs_done_, self.epochs_done_ + epochs):
            self.one_epoch(module, optimizer, data, device, Order(epoch, int(self.batch_size)))
        self.keep(module, optimizer, self.epochs_done_ + epochs)
        return self

    def one_epoch(self, module: Any, optimizer: Any, data: tuple[Any, Any], device: Any, order: Order) -> None:
        """Each row once, in batches."""
        torch = _torch()

        torch.manual_seed(self.random_state + 1_000_003 * order.epoch + 10_007 * order.worker)
        known, truth = data
        loss = self.loss()
        batches = torch.randperm(len(known)).split(order.batch)
        module.train()
        for step in range(order.steps or len(batches)):
            batch = batches[step % len(batches)]
            optimizer.zero_grad()
            loss(module(known[batch].to(device)), truth[batch].to(device)).backward()
            optimizer.step()

    def tensors(self, rows: Any, target: Any) -> tuple[Any, Any]:
        """Rows and target as the network takes them."""
        import numpy as np

        torch = _torch()

        return torch.as_tensor(np.asarray(rows, dtype=np.float32)), torch.as_tensor(self.numbers(target))

    def module(self) -> Any:
        """The network with what was learned so far, or as it begins by the seed."""
        torch = _torch()
        nn = torch.nn

        torch.manual_seed(self.random_state)
        size, outputs = self.shape_
        layers: list[Any] = []
        for _ in range(self.depth):
            layers += [nn.Linear(size, self.width), nn.ReLU(), nn.Dropout(self.dropout)]
            size = self.width
        module = nn.Sequential(*layers, nn.Linear(size, outputs))
        if self.weights_ is not None:
            module.load_state_dict({name: torch.as_tensor(value) for name, value in self.weights_.items()})
        return module

    def optimizer(self, module: Any) -> Any:
        """Adam, where the last call has left it."""
        optimizer = _torch().optim.Adam(
            module.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay, foreach=False
        )
        if self.state_ is not None:
            optimizer.load_state_dict(self.state_)
        return optimizer

    def keep(self, module: Any, optimizer: Any, epochs: int) -> None:
        """Remember what was learned, apart from any device."""
        self.weights_ = {name: value.detach().cpu().numpy().copy() for name, value in module.state_dict().items()}
        self.state_ = _on_cpu(optimizer.state_dict())
        self.epochs_done_ = epochs

    def forward(self, rows: Any) -> Any:
        """What the network says of each row."""
        import numpy as np

        torch = _torch()

        module = self.module().eval()
        with torch.no_grad():
            return module(torch.as_tensor(np.asarray(rows, dtype=np.float32)))

    def __getstate__(self) -> dict[str, Any]:
        """A model that is kept has its weights, and not what only training needs."""
        found: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in found.items() if name != "state_"} | {"state_": None}

    def known(self, target: Any) -> None:
        """What the target means."""
        raise NotImplementedError

    def outputs(self) -> int:
        """Numbers that the network says of a row."""
        return 1

    def numbers(self, target: Any) -> Any:
        """The target as numbers to learn."""
        raise NotImplementedError

    def loss(self) -> Any:
        """What is made small."""
        raise NotImplementedError


class NetworkClassifier(ClassifierMixin, Network):  # type: ignore[misc]  # scikit-learn has no types
    """Classes 0, 1, 2 …, each with its probability."""

    def predict_proba(self, rows: Any) -> Any:
        """Probability of each class for each row."""
        return _torch().softmax(self.forward(rows), dim=1).numpy()

    def predict(self, rows: Any) -> Any:
        """The likeliest class of each row."""
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]

    def known(self, target: Any) -> None:
        """The classes that there are."""
        import numpy as np

        self.classes_ = np.unique(target)

    def outputs(self) -> int:
        """One for each class."""
        return len(self.classes_)

    def numbers(self, target: Any) -> Any:
        """The place of each class."""
        import numpy as np

        return np.searchsorted(self.classes_, target).astype(np.int64)

    def loss(self) -> Any:
        """Cross entropy."""
        return _torch().nn.CrossEntropyLoss()


class NetworkRegressor(RegressorMixin, Network):  # type: ignore[misc]  # scikit-learn has no types
    """One number for each row; the target is scaled while training."""

    def predict(self, rows: Any) -> Any:
        """The number of each row."""
        return self.forward(rows).numpy()[:, 0] * self.scale_ + self.middle_

    def known(self, target: Any) -> None:
        """Where the target lies."""
        import numpy as np

        numbers = np.asarray(target, dtype=np.float64)
        self.middle_, self.scale_ = float(numbers.mean()), float(numbers.std()) or 1.0

    def numbers(self, target: Any) -> Any:
        """The target around zero."""
        import numpy as np

        scaled = (np.asarray(target, dtype=np.float64) - self.middle_) / self.scale_
        return scaled.astype(np.float32)[:, None]

    def loss(self) -> Any:
        """Mean squared error."""
        return _torch().nn.MSELoss()


def train_network(config: dict[str, Any]) -> bytes | None:
    """What runs on each worker: gradients are averaged over all of them; the model comes from the first.

    A worker has a part of each batch. Workers whose part of the rows is smaller begin it again, since all must take the
    same number of steps.
    """
    import ray.train
    from ray.train.torch import get_device, prepare_model

    torch = _torch()
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
        done = progress.done + part
        progress.moved(done, config["rounds"], partial(_packed, network, module, optimizer, done))
    return _packed(network, module, optimizer, config["rounds"]) if progress.first else None


def _packed(network: Network, module: Any, optimizer: Any, epochs: int) -> bytes:
    """What was learned, and where the optimizer is: tensors and numbers, so that reading them runs no code."""
    torch = _torch()

    network.keep(getattr(module, "module", module), optimizer, epochs)
    weights = {name: torch.as_tensor(value) for name, value in (network.weights_ or {}).items()}
    stream = BytesIO()
    torch.save({"weights": weights, "state": network.state_, "epochs": epochs}, stream)
    return stream.getvalue()


def unpacked(network: Network, kept: bytes) -> Network:
    """The network that was begun, with what was kept of it."""
    found = _torch().load(BytesIO(kept), weights_only=True, map_location="cpu")
    network.weights_ = {name: value.numpy() for name, value in found["weights"].items()}
    network.state_, network.epochs_done_ = found["state"], int(found["epochs"])
    return network


def _on_cpu(state: Any) -> Any:
    """The same state with its tensors where every machine has them."""
    if isinstance(state, dict):
        return {name: _on_cpu(value) for name, value in state.items()}
    if isinstance(state, list):
        return [_on_cpu(value) for value in state]
    return state.detach().cpu().clone() if hasattr(state, "detach") else state


def _torch() -> Any:
    import torch  # pyright: ignore[reportMissingImports]  # only in images of systems that use it

    return torch
