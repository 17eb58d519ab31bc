"""Tests the autoscaling policy within Serve's own rules for custom policies."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import pytest

from modelyard_runtime.serving.language.scaling import ONGOING_TOKENS, ByTokens

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pydantic about Ray


def context(metrics: Mapping[str, Mapping[str, float]], **others: Any) -> Any:
    """Return what Serve hands to a policy for one replica with no requests, with these values changed."""
    from ray.serve.config import AutoscalingConfig, AutoscalingContext

    config = AutoscalingConfig(
        min_replicas=0,
        max_replicas=9,
        upscale_delay_s=0,
        downscale_delay_s=0,
        policy={
            "policy_function": f"{ByTokens.__module__}:{ByTokens.__name__}",
            "policy_kwargs": {"target": 1000},
        },
    )
    fields = dict.fromkeys(inspect.signature(AutoscalingContext).parameters)
    replicas = {"current_num_replicas": 1, "target_num_replicas": 1, "policy_state": {}}
    load = {"total_num_requests": 0, "total_queued_requests": 0, "aggregated_metrics": metrics}
    return AutoscalingContext(**{**fields, "config": config, **replicas, **load, **others})


def decided(metrics: Mapping[str, Mapping[str, float]], **others: Any) -> int:
    """Return the number of replicas that Serve decides on, with the policy as its controller loads it."""
    from ray.serve._private.autoscaling_state import _resolve_policy_callable
    from ray.serve.autoscaling_policy import _apply_autoscaling_config

    given = context(metrics, **others)
    return int(_apply_autoscaling_config(_resolve_policy_callable(given.config.policy))(given)[0])


def test_replicas_share_the_tokens() -> None:
    """3100 tokens in two replicas need four replicas of 1000 tokens each."""
    tokens = {ONGOING_TOKENS: {"a": 2900.0, "b": 200.0}}

    assert decided(tokens, current_num_replicas=2, target_num_replicas=2, total_num_requests=8) == 4


def test_waiting_requests_count_as_many_tokens_as_the_others() -> None:
    """Four requests hold 800 tokens, so eight waiting ones bring another 1600."""
    assert decided({ONGOING_TOKENS: {"a": 800.0}}, total_num_requests=12, total_queued_requests=8) == 3


def test_idle_replicas_go() -> None:
    tokens = {ONGOING_TOKENS: {"a": 0.0, "b": 0.0, "c": 500.0}}

    assert decided(tokens, current_num_replicas=3, target_num_replicas=3, total_num_requests=2) == 1


@pytest.mark.parametrize("metrics", [{}, {"another": {"a": 9.0}}])
def test_without_a_report_nothing_changes(metrics: Mapping[str, Mapping[str, float]]) -> None:
    assert decided(metrics, current_num_replicas=3, target_num_replicas=3, total_num_requests=2) == 3


def test_first_request_starts_a_replica() -> None:
    """No replica can report tokens then, so Serve starts one because a request waits."""
    given = {"current_num_replicas": 0, "target_num_replicas": 0}

    assert decided({}, **given, total_num_requests=1, total_queued_requests=1) == 1
