"""Scales a language model by the number of tokens its replicas hold, using a custom policy for Ray Serve.

Serve calls the policy about once a second, and applies delays and replica limits to its result. It sends this module to
its controller by value, so nothing here may import from modelyard_runtime. Source: ray/serve/autoscaling_policy.py and
ray/serve/config.py, Ray 2.60.0, read 2026-12-01.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

ONGOING_TOKENS: Final = "ongoing_tokens"
"""The name of a replica's value in `record_autoscaling_stats`."""


class Load(Protocol):
    """The part of Serve's `AutoscalingContext` that the policy reads."""

    @property
    def target_num_replicas(self) -> int:
        """Return the number of replicas that Serve currently aims for."""
        ...

    @property
    def total_running_requests(self) -> float:
        """Return the number of requests being processed by replicas."""
        ...

    @property
    def total_queued_requests(self) -> float:
        """Return the number of requests that no replica has accepted yet."""
        ...

    @property
    def aggregated_metrics(self) -> Mapping[str, Mapping[Any, float]] | None:
        """Return the latest values from each replica, by metric."""
        ...


class ByTokens:
    """Aims for `target` tokens per replica, counting prompts and the text generated so far.

    Only replicas count tokens, so requests waiting for a replica are assumed to have the average number.
    """

    def __init__(self, target: float) -> None:
        self._target = target

    def __call__(self, load: Load) -> tuple[float, dict[str, Any]]:
        """Return the number of replicas the load requires. Without reports, the number stays the same."""
        reported = (load.aggregated_metrics or {}).get(ONGOING_TOKENS)
        if not reported:
            return float(load.target_num_replicas), {}
        held = sum(reported.values())
        average = held / load.total_running_requests if load.total_running_requests else 0.0
        return (held + average * load.total_queued_requests) / self._target, {}
