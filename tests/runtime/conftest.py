"""What MLflow keeps of a test in this process is taken back after it, so that no test depends on those before."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import mlflow
import pytest
from mlflow.tracking import fluent

CHOSEN = "_active_experiment_id"
"""Where MLflow keeps the chosen experiment: nothing that it offers gives it back, or takes the choice back."""

EXPERIMENT = "MLFLOW_EXPERIMENT_ID"
"""Where MLflow repeats the chosen experiment, for the processes that it starts."""


@contextmanager
def _restored() -> Generator[None]:
    """Puts back the chosen servers and the chosen experiment, which is one of the server chosen then."""
    servers = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    chosen, repeated = getattr(fluent, CHOSEN), os.environ.get(EXPERIMENT)
    yield
    mlflow.set_tracking_uri(servers[0])
    mlflow.set_registry_uri(servers[1])
    setattr(fluent, CHOSEN, chosen)
    if repeated is None:
        os.environ.pop(EXPERIMENT, None)
    else:
        os.environ[EXPERIMENT] = repeated


@pytest.fixture(autouse=True, scope="module")
def _after_the_module() -> Iterator[None]:
    with _restored():
        yield


@pytest.fixture(autouse=True)
def _after_the_test() -> Iterator[None]:
    with _restored():
        yield
