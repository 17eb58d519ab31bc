"""Tests that policies exceeding IAM's size limits are reported at compile time."""

from __future__ import annotations

from modelyard.diagnostics.base import Severity
from modelyard.pipeline import InputFile, Inputs, compile_system
from modelyard_targets import TARGETS
from tests.hybrid import HYBRID_SPEC

TILL = HYBRID_SPEC[HYBRID_SPEC.index("  till:\n") :]  # including the monitor of this endpoint
MODEL = HYBRID_SPEC[HYBRID_SPEC.index("  theft: {") : HYBRID_SPEC.index("pipelines:")]
CLUSTER = "capacity: [{count: 2, cpu: 16, memory: 64Gi}]"


def errors(models: int, pools: int, *, cloud: bool = False) -> list[str]:
    """Return the error codes for a shop with the given number of models, spread over `pools` pools."""
    more_models = "".join(MODEL.replace("theft", f"theft-{at}") for at in range(models))
    servers = "".join(
        f"  till-{at}: {{variants: {{live: {{model: theft-{at}@champion}}}}, compute: {{cpu: 1, memory: 4Gi}}, "
        f"replicas: 1, rollout: {{strategy: in-place}}, pool: p{at % pools}}}\n"
        for at in range(models)
    )
    text = HYBRID_SPEC.replace(MODEL, MODEL + more_models).replace(TILL, servers)
    text = text.replace(CLUSTER, "capacity: [{count: 90, cpu: 16, memory: 64Gi}]")
    if cloud:
        start, end = text.index("    shop:\n"), text.index("  placement:")
        shop = "    shop: {provider: aws, region: eu-central-1, vpc: {cidr: 10.9.0.0/16}}\n"
        text = text[:start].replace("mode: hybrid", "mode: cloud") + shop + text[end:]
    diagnostics = compile_system(Inputs(InputFile("system.yaml", text)), TARGETS).diagnostics
    return [diagnostic.code for diagnostic in diagnostics if diagnostic.severity is Severity.ERROR]


def test_user_with_too_many_folders_is_refused() -> None:
    assert errors(40, 1) == []
    assert errors(41, 1) == ["AWS-E016"]
    assert errors(41, 2) == []


def test_role_with_too_many_folders_is_refused() -> None:
    assert errors(20, 1, cloud=True) == []
    assert errors(80, 1, cloud=True) == ["AWS-E016"]
    assert errors(80, 4, cloud=True) == []
