"""Determine which signal types (monitors and SLOs) cover each entry in a version of the spec."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.spec import System

KINDS: Mapping[str, str] = {
    "data-drift": "input drift",
    "prediction-drift": "prediction drift",
    "concept-drift": "concept drift",
    "prediction-quality": "prediction quality",
    "performance": "performance",
    "data-quality": "data quality",
    "slo": "objectives",
}
"""The kinds of signals: the types of monitors, and the objectives of endpoints."""


def signals(system: System) -> dict[str, dict[str, str]]:
    """Return the signal types for each endpoint, dataset, pipeline and model, with the address of a source.

    These depend only on monitors and endpoints. An endpoint's signals also count for the models it sends traffic to.
    """
    sources: dict[str, dict[str, str]] = {}
    for name, monitor in system.monitors.items():
        sources.setdefault(monitor.watch, {}).setdefault(monitor.type, f"monitors.{name}")
    for name, inference in system.inference.items():
        here = sources.setdefault(f"inference.{name}", {})
        if inference.slo is not None:
            here.setdefault("slo", f"inference.{name}")
        for variant in inference.variants:
            if variant.percent:
                of_model = sources.setdefault(f"models.{variant.model.model}", {})
                for kind, giver in here.items():
                    of_model.setdefault(kind, giver)
    return sources
