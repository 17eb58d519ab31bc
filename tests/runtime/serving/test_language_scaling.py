"""Tests the autoscaling policy with the metrics that Ray Serve passes to it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from math import ceil
from typing import Any

import pytest

from modelyard_runtime.serving.language.scaling import ONGOING_TOKENS, ByTokens

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pydantic about Ray


def decided(metrics: Mapping[str, Mapping[str, float]], **others: Any) -> int:
    """Return the replica count for the given load on one replica.

    Loads the policy as Serve's controller does.
    """
    serve: Any = import_module("ray.serve.config")
    path = f"{ByTokens.__module__}:{ByTokens.__name__}"
    policy: Any = serve.AutoscalingPolicy(policy_function=path, policy_kwargs={"target": 1000})
    fields: dict[str, Any] = dict.fromkeys(inspect.signature(serve.AutoscalingContext).parameters)
    load = {"target_num_replicas": 1, "total_num_requests": 0, "total_queued_requests": 0}
    replicas, state = policy.get_policy()(**policy.policy_kwargs)(
        serve.AutoscalingContext(**{**fields, **load, "aggregated_metrics": metrics, **others})
    )
    assert state == {}
    return ceil(float(replicas))


def test_replicas_share_the_tokens() -> None:
    """Two replicas hold 3100 tokens in total, which requires four replicas with 1000 tokens each."""
    tokens = {ONGOING_TOKENS: {"a": 2900.0, "b": 200.0}}

    assert decided(tokens, target_num_replicas=2, total_num_requests=8) == 4


def test_waiting_requests_count_as_many_tokens_as_the_others() -> None:
    """Four running requests hold 800 tokens, so eight waiting ones are assumed to need another 1600."""
    assert decided({ONGOING_TOKENS: {"a": 800.0}}, total_num_requests=12, total_queued_requests=8) == 3


def test_idle_replicas_go() -> None:
    tokens = {ONGOING_TOKENS: {"a": 0.0, "b": 0.0, "c": 500.0}}

    assert decided(tokens, target_num_replicas=3, total_num_requests=2) == 1


@pytest.mark.parametrize("metrics", [{}, {"another": {"a": 9.0}}])
def test_without_a_report_nothing_changes(metrics: Mapping[str, Mapping[str, float]]) -> None:
    assert decided(metrics, target_num_replicas=3, total_num_requests=2) == 3
