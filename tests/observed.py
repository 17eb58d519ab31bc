"""Renders alert rules and dashboards in tests, from the text of a spec to objects."""

from __future__ import annotations

import json
from typing import Any, TypeAlias, cast

from modelyard.plan import Kind
from modelyard.spec import Inference
from modelyard_targets.kube.monitoring.dashboard import lower_dashboard
from modelyard_targets.kube.placement.context import ANY_PLATFORM, Context, context_for
from modelyard_targets.kube.placement.platform import Platform
from modelyard_targets.kube.project.files import LOWERINGS
from tests.plans import plan_of, resource, resource_of
from tests.specs import changed

Object: TypeAlias = dict[str, Any]


ENVOY = Platform(gateway_class="envoy", gateway_namespace="envoy-gateway-system")
"""A platform with a Gateway controller that the system installs."""

AT_A_GATEWAY = changed("{name: edge, namespace: gateways, mirrors: true}", "{class: envoy}")
"""The valid spec with its own Gateway, on that platform."""


def context_of(text: str, placement: str = "main", platform: Platform = ANY_PLATFORM) -> Context:
    """Return a context for tests that use only its names."""
    image = "registry.acme.example/runtime:1"
    return context_for(plan_of(text), placement, runtime_image=image, platform=platform)


def rule_object(text: str, name: str, placement: str = "main", platform: Platform = ANY_PLATFORM) -> Object:
    """Return the PrometheusRule of an endpoint, a monitor or a pipeline."""
    context = context_of(text, placement, platform)
    rules = resource(context.plan, Kind.ALERT_RULES, name)
    (obj,) = LOWERINGS(rules, context)
    return cast("Object", json.loads(json.dumps(obj.manifest)))


def rules(text: str, name: str, placement: str = "main", platform: Platform = ANY_PLATFORM) -> list[Object]:
    """Return all rules of a PrometheusRule in order."""
    return [rule for group in rule_object(text, name, placement, platform)["spec"]["groups"] for rule in group["rules"]]


def alerts(text: str, name: str, placement: str = "main", platform: Platform = ANY_PLATFORM) -> list[Object]:
    """Return the rules that notify a channel."""
    return [rule for rule in rules(text, name, placement, platform) if "alert" in rule]


def dashboard_of(text: str, name: str, placement: str = "main", platform: Platform = ANY_PLATFORM) -> Object:
    """Return the dashboard of an endpoint, parsed as Grafana parses it."""
    context = context_of(text, placement, platform)
    (obj,) = lower_dashboard(resource_of(context.plan, Inference, name), context)
    (content,) = cast("Object", obj.manifest)["data"].values()
    return cast("Object", json.loads(content))
