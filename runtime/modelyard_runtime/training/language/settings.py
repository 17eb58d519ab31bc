"""The parameters of the built-in trainer for language models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.description import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraSettings:
    """How an adapter is trained. `epochs` is the number of passes over the rows, and `max_steps` limits the batches."""

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    learning_rate: float = 1e-4
    epochs: int = 3
    max_steps: int | None = None
    batch_size: int = 4
    max_length: int = 1024
    random_state: int = 0

    def __post_init__(self) -> None:
        """Refuse values that cannot be used for training."""
        least = {"rank": 1, "epochs": 1, "max_steps": 1, "batch_size": 1, "max_length": 2, "random_state": 0}
        for name, low in least.items():
            value = getattr(self, name)
            optional = name == "max_steps" and value is None
            if not optional and (isinstance(value, bool) or not isinstance(value, int) or value < low):
                raise Refusal(f"parameter {name!r} must be a whole number of at least {low}, not {value!r}")
        for name in ("alpha", "learning_rate"):
            value = getattr(self, name)
            if not _is_number(value) or not 0 < value < float("inf"):
                raise Refusal(f"parameter {name!r} must be a number above 0, not {value!r}")
        if not _is_number(self.dropout) or not 0 <= self.dropout < 1:
            raise Refusal(f"parameter 'dropout' must be a number from 0 and below 1, not {self.dropout!r}")

    @classmethod
    def of(cls, parameters: Mapping[str, Json]) -> LoraSettings:
        """Read and check the parameters of a step."""
        values: dict[str, Any] = dict(parameters)
        return cls(**values)

    def get_params(self) -> dict[str, Any]:
        """Return all parameters by name, as scikit-learn's estimators do."""
        return asdict(self)

    def steps(self, rows: int) -> int:
        """Return the number of batches for the given number of rows."""
        total = ceil(rows / self.batch_size) * self.epochs
        return total if self.max_steps is None else min(total, self.max_steps)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
