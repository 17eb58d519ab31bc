"""Rules about endpoints: what the members of a pool share."""

from __future__ import annotations

from tests.compiler.checks.asked import codes_in
from tests.specs import VALID_SPEC


def test_pools_agree_on_what_they_share() -> None:
    """Target, image and rollout of all members are those of the first; paths differ."""
    member = "  {name}: {{variants: {{a: {{model: fraud-xgb@champion}}}}, compute: cpu, pool: small{more}}}\n"
    pooled = "".join(
        member.format(name=name, more=more)
        for name, more in (
            ("a", ""),
            ("b", ", endpoint: {path: /a}"),
            ("c", ", endpoint: {path: /a/}"),
            ("d", ", rollout: {strategy: in-place}"),
            ("e", ", source: {image: ghcr.io/acme/serve:1}"),
        )
    )
    spec = VALID_SPEC.replace("monitors:\n", pooled + "monitors:\n", 1)

    assert sorted(codes_in(spec)) == ["E0454", "E0454", "E0455"]
