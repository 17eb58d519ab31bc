"""A small network for tables, in PyTorch, that behaves like an estimator of scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Network:
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
        self.weights_: dict[str, npt.NDArray[np.float32]] | None = None
        self.shape_: tuple[int, int] = (0, 0)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters, by name."""
        names = ("width", "depth", "dropout", "learning_rate", "weight_decay", "batch_size", "epochs", "random_state")
        return {name: getattr(self, name) for name in names}

    def set_params(self, **parameters: Any) -> Network:
        """Change parameters."""
        for name, value in parameters.items():
            setattr(self, name, value)
        return self

    def fit(self, rows: Any, target: Any) -> Network:
        """Train from the beginning."""
        self.weights_ = None
        return self.learn(rows, target, self.epochs)

    def learn(self, rows: Any, target: Any, epochs: int) -> Network:
        """Train for some epochs more."""
        import numpy as np

        torch = _torch()

        torch.manual_seed(self.random_state)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        known = torch.as_tensor(np.asarray(rows, dtype=np.float32))
        truth = torch.as_tensor(self._target(target))
        self.shape_ = (known.shape[1], self._outputs())
        module = self._module().to(device)
        loss = self._loss()
        optimizer = torch.optim.Adam(module.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay)
        module.train()
        for _ in range(epochs):
            for batch in torch.randperm(len(known)).split(self.batch_size):
                optimizer.zero_grad()
                loss(module(known[batch].to(device)), truth[batch].to(device)).backward()
                optimizer.step()
        self.weights_ = {name: value.cpu().numpy() for name, value in module.state_dict().items()}
        return self

    def _forward(self, rows: Any) -> Any:
        import numpy as np

        torch = _torch()

        module = self._module().eval()
        with torch.no_grad():
            return module(torch.as_tensor(np.asarray(rows, dtype=np.float32)))

    def _module(self) -> Any:
        torch = _torch()
        nn = torch.nn

        size, outputs = self.shape_
        layers: list[Any] = []
        for _ in range(self.depth):
            layers += [nn.Linear(size, self.width), nn.ReLU(), nn.Dropout(self.dropout)]
            size = self.width
        module = nn.Sequential(*layers, nn.Linear(size, outputs))
        if self.weights_ is not None:
            module.load_state_dict({name: torch.as_tensor(value) for name, value in self.weights_.items()})
        return module

    def _outputs(self) -> int:
        return 1

    def _target(self, target: Any) -> Any:
        raise NotImplementedError

    def _loss(self) -> Any:
        raise NotImplementedError


class NetworkClassifier(Network):
    """Classes 0, 1, 2 …, each with its probability."""

    _estimator_type = "classifier"

    def predict_proba(self, rows: Any) -> Any:
        """Probability of each class for each row."""
        torch = _torch()

        return torch.softmax(self._forward(rows), dim=1).numpy()

    def predict(self, rows: Any) -> Any:
        """The likeliest class of each row."""
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]

    def _outputs(self) -> int:
        return len(self.classes_)

    def _target(self, target: Any) -> Any:
        import numpy as np

        self.classes_ = np.unique(target)
        return np.asarray(target, dtype=np.int64)

    def _loss(self) -> Any:
        nn = _torch().nn

        return nn.CrossEntropyLoss()


class NetworkRegressor(Network):
    """One number for each row; the target is scaled while training."""

    _estimator_type = "regressor"

    def predict(self, rows: Any) -> Any:
        """The number of each row."""
        return self._forward(rows).numpy()[:, 0] * self.scale_ + self.middle_

    def _target(self, target: Any) -> Any:
        import numpy as np

        numbers = np.asarray(target, dtype=np.float64)
        self.middle_, self.scale_ = float(numbers.mean()), float(numbers.std()) or 1.0
        return ((numbers - self.middle_) / self.scale_).astype(np.float32)[:, None]

    def _loss(self) -> Any:
        nn = _torch().nn

        return nn.MSELoss()


def _torch() -> Any:
    import torch  # pyright: ignore[reportMissingImports]  # only in images of systems that use it

    return torch
