"""This machine as a placement, including the context for descriptions and the names of files and ports."""

from __future__ import annotations

from typing import Final

from modelyard.plan import Plan
from modelyard_targets.kube.placement.context import REGISTRY_PORT, Context, context_for

REGISTRY: Final = f"http://127.0.0.1:{REGISTRY_PORT}"
"""The registry's address in workloads' descriptions. If the port is taken, `modelyard run` uses another port."""

ENDPOINTS_PORT: Final = 8000
"""The port of all endpoints, unless another program already uses it."""

DESCRIPTIONS: Final = "descriptions"


def context_of(plan: Plan, placement: str) -> Context:
    """Return this machine's context, which works with the same functions that describe workloads in Pods."""
    return context_for(plan, placement, runtime_image="", registry_uri=REGISTRY)


def description_path(name: str) -> str:
    """Return the path of a workload's description in the output."""
    return f"{DESCRIPTIONS}/{name}.json"
