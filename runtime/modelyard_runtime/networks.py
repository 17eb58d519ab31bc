"""A small PyTorch neural network for tabular data with scikit-learn's estimator interface.

Registered models refer to these classes by module path, so this module must not be moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Weights = dict[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Order:
    """The order in which rows are visited in an epoch. Workers training in lockstep all run `steps` batches."""

    epoch: int
    batch: int
    worker: int = 0
    steps: int = 0


class Network(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Layers of `width` units with dropout, trained in batches using Adam. `learn` continues earlier training."""

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
        """Train from scratch."""
        self.begin(rows.shape[1], target)
        return self.learn(rows, target, self.epochs)

    def begin(self, columns: int, target: Any) -> None:
        """Set the input and output shapes and reset the training state without training."""
        self.fit_target(target)
        self.shape_ = (columns, self.outputs())
        self.weights_: Weights | None = None
        self.state_: dict[str, Any] | None = None
        self.epochs_done_ = 0

    def learn(self, rows: Any, target: Any, epochs: int) -> Network:
        """Train for more epochs."""
        if not hasattr(self, "shape_"):
            self.begin(rows.shape[1], target)
        torch = load_torch()

        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        module = self.module().to(device)
        optimizer = self.optimizer(module)
        data = self.tensors(rows, target)
        for epoch in range(self.epochs_done_, self.epochs_done_ + epochs):
            self.one_epoch(module, optimizer, data, device, Order(epoch, int(self.batch_size)))
        self.keep(module, optimizer, self.epochs_done_ + epochs)
        return self

    def one_epoch(self, module: Any, optimizer: Any, data: tuple[Any, Any], device: Any, order: Order) -> None:
        """Visit each row once, in batches."""
        torch = load_torch()

        torch.manual_seed(self.random_state + 1_000_003 * order.epoch + 10_007 * order.worker)
        inputs, truth = data
        loss = self.loss()
        batches = torch.randperm(len(inputs)).split(order.batch)
        module.train()
        for step in range(order.steps or len(batches)):
            batch = batches[step % len(batches)]
            optimizer.zero_grad()
            loss(module(inputs[batch].to(device)), truth[batch].to(device)).backward()
            optimizer.step()

    def tensors(self, rows: Any, target: Any) -> tuple[Any, Any]:
        """Convert rows and target to tensors."""
        import numpy as np

        torch = load_torch()

        return torch.as_tensor(np.asarray(rows, dtype=np.float32)), torch.as_tensor(self.numbers(target))

    def module(self) -> Any:
        """Return the network with its current weights, or with ones initialized from the seed."""
        torch = load_torch()
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
        """Create an Adam optimizer, restoring its earlier state if there is one."""
        optimizer = load_torch().optim.Adam(
            module.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay, foreach=False
        )
        if self.state_ is not None:
            optimizer.load_state_dict(self.state_)
        return optimizer

    def keep(self, module: Any, optimizer: Any, epochs: int) -> None:
        """Store weights and optimizer state in CPU memory."""
        self.weights_ = {name: value.detach().cpu().numpy().copy() for name, value in module.state_dict().items()}
        self.state_ = _on_cpu(optimizer.state_dict())
        self.epochs_done_ = epochs

    def forward(self, rows: Any) -> Any:
        """Return the network's raw output for each row."""
        import numpy as np

        torch = load_torch()

        module = self.module().eval()
        with torch.no_grad():
            return module(torch.as_tensor(np.asarray(rows, dtype=np.float32)))

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the optimizer's state, which is only needed for training."""
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "state_"} | {"state_": None}

    def fit_target(self, target: Any) -> None:
        """Learn the classes or the scale of the target."""
        raise NotImplementedError

    def outputs(self) -> int:
        """Return the number of outputs per row."""
        return 1

    def numbers(self, target: Any) -> Any:
        """Convert the target to the numbers used in training."""
        raise NotImplementedError

    def loss(self) -> Any:
        """Return the loss function to minimize."""
        raise NotImplementedError


class NetworkClassifier(ClassifierMixin, Network):  # type: ignore[misc]  # scikit-learn has no types
    """Predicts the classes 0, 1, 2 … and their probabilities."""

    def predict_proba(self, rows: Any) -> Any:
        """Return the probability of each class for each row."""
        return load_torch().softmax(self.forward(rows), dim=1).numpy()

    def predict(self, rows: Any) -> Any:
        """Return the most likely class of each row."""
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]

    def fit_target(self, target: Any) -> None:
        """Learn the classes of the target."""
        import numpy as np

        self.classes_ = np.unique(target)

    def outputs(self) -> int:
        """Return the number of outputs per row, which is one per class."""
        return len(self.classes_)

    def numbers(self, target: Any) -> Any:
        """Return the index of each row's class."""
        import numpy as np

        return np.searchsorted(self.classes_, target).astype(np.int64)

    def loss(self) -> Any:
        """Return the cross-entropy loss."""
        return load_torch().nn.CrossEntropyLoss()


class NetworkRegressor(RegressorMixin, Network):  # type: ignore[misc]  # scikit-learn has no types
    """Predicts one number per row. The target is standardized for training."""

    def predict(self, rows: Any) -> Any:
        """Return the predicted number for each row."""
        return self.forward(rows).numpy()[:, 0] * self.scale_ + self.middle_

    def fit_target(self, target: Any) -> None:
        """Learn the mean and standard deviation of the target."""
        import numpy as np

        numbers = np.asarray(target, dtype=np.float64)
        self.middle_, self.scale_ = float(numbers.mean()), float(numbers.std()) or 1.0

    def numbers(self, target: Any) -> Any:
        """Standardize the target."""
        import numpy as np

        scaled = (np.asarray(target, dtype=np.float64) - self.middle_) / self.scale_
        return scaled.astype(np.float32)[:, None]

    def loss(self) -> Any:
        """Return the mean squared error loss."""
        return load_torch().nn.MSELoss()


def _on_cpu(state: Any) -> Any:
    """Copy the state with all tensors moved to CPU memory."""
    if isinstance(state, dict):
        return {name: _on_cpu(value) for name, value in state.items()}
    if isinstance(state, list):
        return [_on_cpu(value) for value in state]
    return state.detach().cpu().clone() if hasattr(state, "detach") else state


def load_torch() -> Any:
    """Import PyTorch, which takes seconds and is installed only in some images."""
    import torch  # pyright: ignore[reportMissingImports]  # only in images of systems that use it

    return torch
