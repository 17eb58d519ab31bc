"""Fixtures for the runtime's tests. MLflow's global state is restored after each test to keep tests independent."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import mlflow
import pytest
from mlflow.tracking import fluent

CHOSEN = "_active_experiment_id"
"""The name of the environment variable in which MLflow stores the active experiment."""

EXPERIMENT = "MLFLOW_EXPERIMENT_ID"
"""The name of the environment variable in which MLflow stores the active experiment for its child processes."""


@contextmanager
def _restored() -> Generator[None]:
    """Restore MLflow's tracking and registry URIs and its active experiment after each test."""
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


@pytest.fixture
def ray_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start a local Ray cluster.

    Workers get ten minutes to start, and Ray Train runs more frequent health checks than by default.
    """
    import ray  # slow to import

    monkeypatch.setenv("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", "600")
    monkeypatch.setenv("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.1")
    workers = {"env_vars": {"PYTHONPATH": os.pathsep.join(sys.path)}}
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env=workers)
    yield
    ray.shutdown()


@pytest.fixture(autouse=True, scope="module")
def _after_the_module() -> Iterator[None]:
    with _restored():
        yield


@pytest.fixture(autouse=True)
def _after_the_test() -> Iterator[None]:
    with _restored():
        yield
