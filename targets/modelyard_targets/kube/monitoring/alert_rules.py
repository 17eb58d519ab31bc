"""Routing labels and rule structure for all alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from modelyard.manifest import labels, metadata, object_of
from modelyard.plan import AlertRules, Resource
from modelyard.stack import Manifest, Value
from modelyard_targets.kube.metrics.promql import template_text
from modelyard_targets.kube.monitoring.channels import WORKLOAD_LABEL, channel_label
from modelyard_targets.kube.placement.context import Context, KubeObject

COMPONENT = "alerts"
INTERVAL_S = 30


def channels_of(value: AlertRules, context: Context) -> tuple[str, ...]:
    """Return an alert's channels, which are the monitor's or else the owner's on-call channel."""
    own = value.monitor.on_breach.notify if value.monitor is not None else ()
    oncall = context.system.governance.owner.oncall
    return own or ((oncall,) if oncall else ())


def severity_taken(severity: str, value: AlertRules, context: Context) -> str:
    """Return a severity or, if no channel accepts it, one that is accepted, so that someone is notified."""
    channels = [context.system.channels[name] for name in channels_of(value, context)]
    accepted = dict.fromkeys(each for channel in channels for each in channel.severities)
    return severity if severity in accepted or not accepted else next(iter(accepted))


def alert_labels(resource: Resource[AlertRules], severity: str, context: Context) -> dict[str, Value]:
    """Return an alert's labels: severity, owner, workload, and one label for each channel.

    The `namespace` label is required, because a route only accepts alerts from its own namespace.
    """
    value = resource.value
    return {
        "severity": severity_taken(severity, value, context),
        "namespace": context.namespace,
        "system": context.system.metadata.name,
        "team": template_text(context.system.governance.owner.team),
        WORKLOAD_LABEL: resource.workload,
        **{channel_label(channel): "true" for channel in channels_of(value, context)},
    }


def alert(
    name: str,
    expression: str,
    for_s: int,
    labelled: Mapping[str, Value],
    texts: Mapping[str, str],
) -> dict[str, Value]:
    """Build an alerting rule that fires after its expression has been true for `for_s` seconds."""
    return {
        "alert": name,
        "expr": expression,
        "for": f"{for_s}s",
        "labels": dict(labelled),
        "annotations": dict(texts),
    }


def record(name: str, expression: str, labelled: Mapping[str, Value]) -> dict[str, Value]:
    """Build a recording rule, which stores an expression's result as a new series."""
    return {"record": name, "expr": expression, "labels": dict(labelled)}


def group(name: str, rules: Sequence[Value], interval_s: int = INTERVAL_S) -> dict[str, Value]:
    """Build a group of rules that Prometheus evaluates in order."""
    return {"name": name, "interval": f"{interval_s}s", "rules": list(rules)}


def prometheus_rule(resource: Resource, groups: Iterable[Value], context: Context) -> KubeObject:
    """Build the PrometheusRule for an `AlertRules` resource, with the labels the cluster's Prometheus selects."""
    labelled = {
        **labels(context.system.metadata.name, resource.name, resource.workload, COMPONENT),
        **dict(context.target.telemetry.prometheus_labels),
    }
    described = metadata(resource.name, context.namespace, labelled)
    spec: Manifest = {"groups": list(groups)}
    return KubeObject(resource.origin, object_of("monitoring.coreos.com/v1", "PrometheusRule", described, spec=spec))
