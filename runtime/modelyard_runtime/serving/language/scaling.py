"""Scales a language model by the tokens that its replicas hold, with Ray Serve's custom policies.

Serve calls the policy about once a second and applies delays and the smallest and largest number of replicas to its
result. It sends this module to its controller by value, so nothing here may import from modelyard_runtime.
Source: ray/serve/autoscaling_policy.py and ray/serve/config.py, Ray 2.60.0, read 2026-12-01.
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
        """The number of replicas that Serve is aiming at."""
        ...

    @property
    def total_running_requests(self) -> float:
        """Requests in the replicas."""
        ...

    @property
    def total_queued_requests(self) -> float:
        """Requests that no replica has accepted yet."""
        ...

    @property
    def aggregated_metrics(self) -> Mapping[str, Mapping[Any, float]] | None:
        """The latest values of each replica, by metric."""
        ...


class ByTokens:
    """Aims at `target` tokens in each replica: those of prompts and of the texts so far.

    Only replicas count tokens, so a request that still waits for one counts as many tokens as the others on average.
    """

    def __init__(self, target: float) -> None:
        self._target = target

    def __call__(self, load: Load) -> tuple[float, dict[str, Any]]:
        """Return the number of replicas that the load needs. Without a report, their number stays the same."""
        reported = (load.aggregated_metrics or {}).get(ONGOING_TOKENS)
        if not reported:
            return float(load.target_num_replicas), {}
        held = sum(reported.values())
        average = held / load.total_running_requests if load.total_running_requests else 0.0
        return (held + average * load.total_queued_requests) / self._target, {}
