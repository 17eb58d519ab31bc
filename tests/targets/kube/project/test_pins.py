"""Tests that the lock file pins charts by version and images by tag."""

from __future__ import annotations

import pytest

from modelyard_targets.kube.project.pins import images_of, installed, pins_of
from tests.emitted import argument, calls, context
from tests.specs import VALID_SPEC, changed


def test_charts_are_pinned_by_version() -> None:
    assert pins_of(context(VALID_SPEC)).charts == {
        "kube-prometheus-stack": "88.5.3",
        "external-secrets": "2.9.0",
        "cloudnative-pg": "0.29.0",
        "kuberay-operator": "1.7.0",
    }


def test_images_are_pinned_by_tag() -> None:
    images = pins_of(context(VALID_SPEC)).images

    assert images["docker.io/rayproject/ray"] == "2.60.0-py311"
    assert images["quay.io/kuberay/operator"] == "v1.7.0"
    assert images["ghcr.io/cloudnative-pg/postgresql"] == "18.6-system-trixie"


def test_user_images_are_pinned() -> None:
    text = changed(
        "    compute: cpu\n    replicas: {min: 2",
        "    source: {image: 'ghcr.io:8443/acme/s:1'}\n    compute: cpu\n    replicas: {min: 2",
    )
    here = context(text)

    assert "ghcr.io:8443/acme/s:1" in images_of(here)
    assert pins_of(here).images["ghcr.io:8443/acme/s"] == "1"


def test_present_add_ons_are_not_pinned() -> None:
    text = changed("      residency: eu\n", "      residency: eu\n      present: [kuberay, prometheus]\n")
    here = context(text)

    assert installed(here) == ("external-secrets", "cloudnative-pg")
    assert "quay.io/kuberay/operator:v1.7.0" not in images_of(here)


@pytest.mark.parametrize("edge", [True, False])
def test_images_of_disabled_components_are_not_listed(edge: bool) -> None:
    """Images of components that the Prometheus chart disables at the edge are not listed."""
    text = changed("      residency: eu\n", "      residency: eu\n      edge: true\n") if edge else VALID_SPEC
    values = argument(calls(text)["kube-prometheus-stack"], "values")
    images = " ".join(images_of(context(text)))

    assert ("docker.io/grafana/grafana" in images) == values["grafana"].get("enabled", True)
    assert ("kiwigrid/k8s-sidecar" in images) == values["grafana"].get("enabled", True)
    assert ("kube-state-metrics" in images) == values["kubeStateMetrics"]["enabled"]
    assert "quay.io/prometheus/alertmanager" in images
