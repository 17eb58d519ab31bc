"""Tests that metrics pushed to Prometheus by a monitor carry labels that identify their source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from modelyard_runtime.monitoring import monitor
from modelyard_runtime.telemetry import reported
from modelyard_runtime.telemetry.otlp import Sample
from modelyard_runtime.workload.records import MonitorWorkload
from tests.runtime.described import record

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
WORKLOAD: dict[str, Any] = {
    "system": "cards",
    "name": "monitor-drift",
    "address": "monitors.drift",
    "metrics": {"otlp": "http://prometheus:9090/api/v1/otlp/v1/metrics", "namespace": "cards-staging"},
    "monitor": {"models": []},
}


def test_environments_sharing_a_prometheus_are_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a namespace label, identical series from two namespaces would be merged."""
    pushed: list[tuple[list[Sample], Mapping[str, str]]] = []

    def push(url: str, samples: Iterable[Sample], resource: Mapping[str, str], at_s: float | None = None) -> None:
        pushed.append((list(samples), resource))

    monkeypatch.setattr(reported, "push", push)
    assert monitor.tell(record(MonitorWorkload, WORKLOAD), (monitor.Result("psi", "amount", 0.3, True),), NOW)

    ((samples, resource),) = pushed
    assert {sample.labels["namespace"] for sample in samples} == {"cards-staging"}
    assert resource == {"service.name": "cards-monitor-drift", "service.namespace": "cards-staging"}
