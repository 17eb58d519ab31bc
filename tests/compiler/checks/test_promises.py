"""Tests that objectives that replicas and machines cannot meet are reported."""

from __future__ import annotations

import pytest

from tests.compiler.checks.checked_specs import codes_in, places_in, where
from tests.specs import changed

REPLICAS = "replicas: {min: 2, max: 6}"
SLO = "slo: {p99: 50ms, availability: 99.95%}"
BOTH = ("fraud-xgb@candidate, replicas: 1}", "fraud-xgb@candidate, replicas: 2}")


@pytest.mark.parametrize(
    ("slo", "codes"),
    [
        ("{p99: 50ms}", ["W0845"]),
        ("{p50: 200ms, p99: 60s}", ["W0845"]),
        ("{p99: 30s}", []),
        ("{availability: 99%}", []),
    ],
)
def test_scale_to_zero_with_a_strict_latency_is_reported(slo: str, codes: list[str]) -> None:
    """A latency objective that leaves enough time for a cold start is accepted."""
    assert codes_in(changed(REPLICAS, "replicas: {min: 0, max: 6}", (SLO, f"slo: {slo}"))) == codes


def test_a_variant_without_traffic_may_scale_to_zero() -> None:
    """The SLO applies only to variants with traffic. The diagnostic points at the SLO."""
    zero = ("fraud-xgb@candidate, replicas: 1}", "fraud-xgb@candidate, replicas: {min: 0, max: 2}}")
    spec = changed(*zero)

    assert places_in(spec) == [where(spec, "50ms, availability", "W0845")]
    assert codes_in(spec.replace("{champion: 95, challenger: 5}", "{champion: 100, challenger: 0}")) == []


@pytest.mark.parametrize(
    ("slo", "replicas", "codes"),
    [
        ("{availability: 99.999%}", "1", ["W0846"]),
        ("{availability: 99.99%}", "1", ["W0846"]),
        ("{availability: 99.9%, window: 1d}", "{min: 1, max: 9}", ["W0846"]),
        ("{availability: 99.99%}", "2", []),
        ("{availability: 99.95%}", "1", []),
    ],
)
def test_one_replica_with_strict_availability_is_reported(slo: str, replicas: str, codes: list[str]) -> None:
    """One replica is reported if the SLO allows too little downtime within its window."""
    assert codes_in(changed(REPLICAS, f"replicas: {replicas}", (SLO, f"slo: {slo}"), BOTH)) == codes


def test_one_machine_with_strict_availability_is_reported() -> None:
    gpu = '        - {count: 2, cpu: 32, memory: 128Gi, accelerators: "L4:1", price: 1.10 USD}\n'
    spec = changed(SLO, "slo: {availability: 99.99%}", BOTH, (gpu, ""), ("count: 6", "count: 1"))

    assert codes_in(spec) == ["W0846"]
    assert codes_in(spec.replace("count: 1", "count: 2")) == []


@pytest.mark.parametrize(
    ("capacity", "availability", "codes"),
    [("spot", "99.9%", ["W0847"]), ("spot", "99.95%", ["W0847"]), ("spot", "99%", []), ("spot-first", "99.95%", [])],
)
def test_spot_machines_with_strict_availability_are_reported(
    capacity: str, availability: str, codes: list[str]
) -> None:
    spec = changed(
        "cpu: {cpu: 2, memory: 8Gi}",
        f"cpu: {{cpu: 2, memory: 8Gi, capacity: {capacity}}}",
        ("99.95%", availability),
        BOTH,
    )

    assert sorted(set(codes_in(spec))) == codes
