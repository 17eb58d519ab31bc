"""Tests that a failed multi-worker training run leaves no worker process behind."""

from __future__ import annotations

import time
from typing import Any

import pytest

from modelyard_runtime.training.together import run_storage

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")  # Ray warns about its own defaults


@pytest.mark.usefixtures("ray_here")
def test_failed_training_leaves_no_worker_process() -> None:
    import ray
    from ray.exceptions import RayActorError

    config: dict[str, Any] = {}

    def failing() -> None:
        with run_storage(None, config, {}):
            assert ray.get(config["keeper"].rounds.remote()) == 0
            raise ValueError("a worker failed")

    with pytest.raises(ValueError, match="a worker failed"):
        failing()

    def wait_for_end() -> None:  # `ray.kill` returns before the process has ended
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            ray.get(config["keeper"].rounds.remote(), timeout=60)

    with pytest.raises(RayActorError):
        wait_for_end()
