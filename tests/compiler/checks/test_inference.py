"""Tests that pooled endpoints must share some settings, and endpoints on one Gateway need different paths."""

from __future__ import annotations

from tests.compiler.checks.checked_specs import codes_in
from tests.specs import VALID_SPEC


def test_members_of_a_pool_must_agree_on_shared_settings() -> None:
    """All endpoints in a pool need the target, image, rollout and priority of the first, but different paths."""
    member = "  {name}: {{variants: {{a: {{model: fraud-xgb@champion}}}}, compute: cpu, pool: small{more}}}\n"
    pooled = "".join(
        member.format(name=name, more=more)
        for name, more in (
            ("a", ""),
            ("b", ", endpoint: {path: /a}"),
            ("c", ", endpoint: {path: /a/}"),
            ("d", ", rollout: {strategy: in-place}"),
            ("e", ", source: {image: ghcr.io/acme/serve:1}"),
            ("f", ", priority: low"),
        )
    )
    spec = VALID_SPEC.replace("monitors:\n", pooled + "monitors:\n", 1)

    assert sorted(codes_in(spec)) == ["E0454", "E0454", "E0454", "E0455"]


_DIVIDED = """\
  {name}:
    variants: {{a: {{model: fraud-xgb@champion}}, b: {{model: fraud-xgb@candidate}}}}
    traffic: {{a: 50, b: 50}}
    compute: cpu
    endpoint: {{path: {path}}}
"""
_STEPPED = """\
  {name}:
    variants: {{a: {{model: fraud-xgb@champion}}}}
    compute: cpu
    rollout: {{strategy: incremental}}
    endpoint: {{exposure: internal}}
"""


def with_endpoints(*endpoints: str) -> list[str]:
    """Return the diagnostic codes for the valid spec with additional endpoints and its own Gateway."""
    spec = VALID_SPEC.replace("monitors:\n", "".join(endpoints) + "monitors:\n", 1)
    return codes_in(
        spec.replace(
            "{name: edge, namespace: gateways, mirrors: true}",
            "{class: cilium, certificate: secret://vault/tls/scores}",
            1,
        )
    )


def test_endpoints_with_split_traffic_need_separate_paths_in_the_cluster() -> None:
    """With equal paths, two endpoints would share a route, and the newer one would get no requests."""
    first, second = _DIVIDED.format(name="one", path="/"), _DIVIDED.format(name="other", path="/")

    assert with_endpoints(first, second) == ["E0455"]
    assert with_endpoints(first, _DIVIDED.format(name="other", path="/other")) == []


def test_incremental_rollouts_may_have_equal_paths() -> None:
    stepped = with_endpoints(_STEPPED.format(name="one"), _STEPPED.format(name="other"))

    assert stepped == ["W0839", "W0839"]  # without TLS
