"""Tests that PodMonitors select Ray Pods, our Gateways' proxies, and KubeRay's operator."""

from __future__ import annotations

from typing import Any, cast

from modelyard.plan import Kind
from modelyard_targets.kube.monitoring.scraping import lower_scraping
from modelyard_targets.kube.placement.platform import Platform
from tests.crds import problems
from tests.observed import AT_A_GATEWAY, ENVOY, context_of
from tests.plans import resource
from tests.specs import VALID_SPEC, changed


def monitors(text: str, platform: Platform) -> dict[str, dict[str, Any]]:
    context = context_of(text, platform=platform)
    manifests = [cast("dict[str, Any]", item.manifest) for item in lower_scraping(_namespace(text), context)]
    assert [problem for each in manifests for problem in problems(each)] == []
    return {each["metadata"]["name"]: each["spec"] for each in manifests}


def _namespace(text: str) -> Any:
    return resource(context_of(text).plan, Kind.NAMESPACE, "fraud")


def test_heads_and_workers_of_ray_are_scraped() -> None:
    assert list(monitors(VALID_SPEC, Platform())) == ["ray-heads", "ray-workers"]


def test_proxies_are_scraped_in_the_controllers_namespace() -> None:
    """Proxies are scraped in their controller's namespace, storing only the series used by rules."""
    spec = monitors(AT_A_GATEWAY, ENVOY)["gateways"]

    assert spec["namespaceSelector"] == {"matchNames": ["envoy-gateway-system"]}
    assert spec["selector"] == {"matchLabels": {"gateway.envoyproxy.io/owning-gateway-namespace": "fraud"}}
    (endpoint,) = spec["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("metrics", "/stats/prometheus")
    assert endpoint["metricRelabelings"][0]["regex"] == "envoy_cluster_upstream_rq|envoy_cluster_upstream_rq_timeout"


def test_operator_is_scraped_for_single_runs() -> None:
    text = changed('schedule: {cron: "0 4 * * 0", timeZone: Europe/Berlin}', "schedule: once")
    text = text.replace("run: pipelines.retrain, cooldown: 3d", "rollback: true")
    spec = monitors(text, Platform())["kuberay-operator"]

    assert spec["namespaceSelector"] == {"matchNames": ["kuberay-system"]}
    assert spec["podMetricsEndpoints"][0]["honorLabels"] is True
