"""Tests that Pulumi's engine installs Helm charts from the loopback repository.

The charts refuse unknown values.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.charts import ChartRepository
from testbed.kubernetes.control_plane import Cluster
from testbed.pulumi.stack import Failed, PulumiStack

CHARTS = Path(__file__).parent / "programs" / "charts"


@pytest.fixture
def operator(
    control_plane: Cluster, chart_repository: ChartRepository, pulumi_stack: Callable[..., PulumiStack]
) -> PulumiStack:
    """Return a stack that installs KubeRay's chart from the loopback repository."""
    stack = pulumi_stack(CHARTS, "test")
    stack.configure("kubeconfig", control_plane.kubeconfig.read_text(), secret=True)
    stack.configure("chartRepository", chart_repository.url)
    stack.configure("chart", "kuberay-operator")
    stack.configure("version", chart_repository.versions["kuberay-operator"])
    return stack


def test_a_chart_is_installed_and_removed(control_plane: Cluster, operator: PulumiStack) -> None:
    """The chart's Deployment becomes available with the given values, and a second run is a no-op."""
    operator.configure("values", json.dumps({"featureGates": [{"name": "RayCronJob", "enabled": False}]}))

    operator.up()

    kubectl = control_plane.kubectl
    assert kubectl.value("deployment", "operator", "{.status.availableReplicas}") == "1"
    values = json.loads(kubectl.value("configmap", "operator-values", "{.data.values\\.json}"))
    assert values["featureGates"] == [{"name": "RayCronJob", "enabled": False}]
    assert operator.up().changed == {}
    operator.destroy()
    assert kubectl.value("deployment", "operator", "{.metadata.name}") == ""


def test_unknown_chart_value_is_refused(operator: PulumiStack) -> None:
    """The test chart's schema rejects unknown values, which Helm itself silently ignores."""
    operator.configure("values", json.dumps({"featureGate": []}))

    with pytest.raises(Failed, match="featureGate"):
        operator.up()
