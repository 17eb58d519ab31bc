"""Tests that service-level objectives are reported if the replicas and machines can't meet them."""

from __future__ import annotations

import pytest

from tests.compiler.checks.checked_specs import codes_in, places_in, where
from tests.specs import changed

REPLICAS = "replicas: {min: 2, max: 6}"
SCALING = "    scaling: {metric: ongoing-requests, target: 8}\n"
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
    """Scale to zero is reported unless the latency objective leaves enough time for a cold start."""
    assert codes_in(changed(REPLICAS, "replicas: {min: 0, max: 6}", (SLO, f"slo: {slo}"))) == codes


def test_a_variant_without_traffic_may_scale_to_zero() -> None:
    """The SLO only applies to variants with traffic. The diagnostic points at the SLO."""
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
    """A single replica is reported if the SLO allows too little downtime within its window."""
    spec = changed(REPLICAS, f"replicas: {replicas}", (SLO, f"slo: {slo}"), BOTH, (SCALING, ""))

    assert codes_in(spec) == codes


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


TEXTS = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: support}
governance: {owner: {team: support, email: support@acme.example, oncall: pager}}
channels: {pager: {type: pagerduty, key: "secret://kubernetes/pager#key"}}
deployment: {mode: on-prem, provider: kubernetes, context: frankfurt}
stores:
  lake: {type: object, endpoint: "https://s3.acme.example", credentials: "secret://kubernetes/lake"}
  runs: {type: database}
registry: {database: runs, artifacts: lake}
compute: {cpu: {cpu: 8, memory: 16Gi}}
models:
  chat:
    task: text-generation
    framework: transformers
    import:
      store: lake
      path: incoming/chat/1
      digest: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
inference:
  assistant:
    variants: {live: {model: chat@champion}}
    compute: cpu
    generation: {maxTokens: 200}
    slo: {SLO}
"""


@pytest.mark.parametrize(
    ("slo", "codes"),
    [
        ("p95: 2s, timeToFirstToken: {p95: 2s}", ["W0952"]),
        ("p95: 2s, timeToFirstToken: {p95: 1999ms}", []),
        ("p99: 2s, timeToFirstToken: {p50: 3s}", ["W0952"]),
        ("p50: 2s, timeToFirstToken: {p99: 3s}", []),
        ("p99: 10s, tokensPerSecond: {min: 20}", []),
        ("p99: 10s, tokensPerSecond: {min: 20}, timeToFirstToken: {p95: 1ms}", ["W0953"]),
        ("p95: 9999ms, tokensPerSecond: {min: 20}", ["W0953"]),
        ("p90: 1s, tokensPerSecond: {min: 20}", []),
        ("p95: 1s, p99: 10s, tokensPerSecond: {min: 20}", []),
    ],
)
def test_contradicting_objectives_of_texts_are_reported(slo: str, codes: list[str]) -> None:
    """The first token precedes the whole response, and 200 tokens at 20 per second take 10 seconds."""
    assert codes_in(TEXTS.replace("SLO", slo)) == codes
