"""Tests that the platform for an existing cluster adds no resources and assumes nothing about the cluster."""

from __future__ import annotations

from modelyard.program import Ref
from modelyard_targets.kube.placement.platform import Argument, Platform, as_literal
from tests.emitted import calls, context
from tests.plans import plan_of
from tests.specs import VALID_SPEC


def test_data_is_converted_to_literals() -> None:
    data: dict[str, Argument] = {"a": [1, True, None, "x"], "b": {"c": Ref("below", key="host")}, "d": 0.5}

    assert as_literal(data) == {"a": (1, True, None, "x"), "b": {"c": Ref("below", key="host")}, "d": 0.5}


def test_existing_cluster_is_lowered_unchanged() -> None:
    plan = plan_of(VALID_SPEC)
    (target,) = plan.system.deployment.targets

    assert Platform().target(plan, "main") is target
    assert Platform().below(plan, "main") == ""
    assert "infrastructure" not in calls(VALID_SPEC)


def test_existing_cluster_has_no_platform_resources() -> None:
    platform, here = Platform(), context(VALID_SPEC)

    assert list(platform.foundation(here)) == []
    assert list(platform.secret_stores(here)) == []
    assert platform.database(here.system.stores["runs"], here) is None
    assert dict(platform.quota(here.plan, "main")) == {}
