"""Notification channels, each with an AlertmanagerConfig for alerts carrying its label.

The owner's on-call channel also gets cluster alerts if we install Prometheus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from modelyard.manifest import labels, metadata, object_of, without_empty
from modelyard.names import object_name
from modelyard.plan import Resource
from modelyard.spec import Channel
from modelyard.stack import Manifest, Value
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.placement.placed import addons_to_install

COMPONENT: Final = "channel"
WORKLOAD_LABEL: Final = "modelyard_dev_workload"
"""The name that the label `modelyard.dev/workload` has in Prometheus."""

CLUSTER_ALERTS: Final = ("modelyard_alerts", "cluster")
"""Name and value of the label that routes all alerts from kube-prometheus-stack."""

_SEVERITIES_OF_CLUSTER: Final = ("critical", "warning")
"""The severities of kube-prometheus-stack's alerts that need attention.

The on-call channel gets alerts of both severities, even if it does not list them: no other channel gets cluster alerts,
and even a lost node is only a warning. To a channel, `critical` is a page and `warning` is a ticket.
"""


def channel_label(channel: str) -> str:
    """Return the name of the label that routes alerts to a channel. Prometheus labels cannot contain dashes."""
    return f"channel_{channel.replace('-', '_')}"


def has_alertmanager(context: Context) -> bool:
    """Return whether a Prometheus that we install has an Alertmanager: unless another target evaluates its alerts."""
    return not context.target.telemetry.alerts_on


def cluster_channel(context: Context) -> Channel | None:
    """Return the on-call channel for cluster alerts, or None if there are no cluster alerts.

    At the edge, the chart's rules are off. An existing Prometheus already notifies its operator, and sites whose alerts
    another target evaluates notify no one.
    """
    oncall = context.system.governance.owner.oncall
    installed = "prometheus" in addons_to_install(context.plan, context.placement) and has_alertmanager(context)
    return context.system.channels[oncall] if oncall and installed and not context.target.edge else None


def lower_channel(resource: Resource[Channel], context: Context) -> Iterator[KubeObject]:
    """Yield a channel's AlertmanagerConfigs, i.e. for the system's alerts and, on one channel, cluster alerts."""
    channel = resource.value
    labelled = labels(context.system.metadata.name, channel.name, resource.workload, COMPONENT)
    labelled = {**labelled, **dict(context.target.telemetry.prometheus_labels)}
    described = metadata(channel.name, context.namespace, labelled)
    of_system = _matchers(channel_label(channel.name), "true", channel.severities)
    yield KubeObject(resource.origin, _config(described, channel, of_system, (WORKLOAD_LABEL,), context))
    if channel == cluster_channel(context):
        name = object_name(context.system.metadata.name, "cluster")
        described = metadata(name, context.target.telemetry.namespace, labelled)
        of_cluster = _matchers(*CLUSTER_ALERTS, _SEVERITIES_OF_CLUSTER)
        yield KubeObject(resource.origin, _config(described, channel, of_cluster, ("namespace",), context))


def _matchers(label: str, value: str, severities: Sequence[str]) -> list[Value]:
    return [
        {"name": label, "value": value, "matchType": "="},
        {"name": "severity", "value": "|".join(severities), "matchType": "=~"},
    ]


def _config(
    described: dict[str, Value], channel: Channel, matchers: list[Value], grouped: tuple[str, ...], context: Context
) -> Manifest:
    spec: dict[str, Value] = {
        "route": {
            "receiver": channel.name,
            "groupBy": ["alertname", "severity", *grouped],
            "groupWait": "30s",
            "groupInterval": "5m",
            "repeatInterval": "4h",
            "matchers": matchers,
        },
        "receivers": [{"name": channel.name, **_RECEIVERS[channel.type](channel, context)}],
    }
    return object_of("monitoring.coreos.com/v1alpha1", "AlertmanagerConfig", described, spec=spec)


def _slack(channel: Channel, context: Context) -> dict[str, Value]:
    where = without_empty({"channel": channel.room})
    return {"slackConfigs": [{"apiURL": _key(channel, context), **where, "sendResolved": True}]}


_URGENCY: Final = '{{ if eq .CommonLabels.severity "page" "critical" }}critical{{ else }}warning{{ end }}'
"""The severity for PagerDuty. If a service's urgency depends on severity, a ticket does not wake anybody.

The system's alerts have the severity `page` or `ticket`, the cluster's `critical` or `warning`. Alerts are grouped by
severity: otherwise, a group with both severities would have no common one.
"""

_ONLY: Final[Mapping[tuple[str, ...], str]] = {("page",): "critical", ("ticket",): "warning"}
"""The severity for PagerDuty of a channel that takes a single severity: all its alerts arrive with that one."""


def _pagerduty(channel: Channel, context: Context) -> dict[str, Value]:
    urgency = _ONLY.get(tuple(dict.fromkeys(channel.severities)), _URGENCY)
    config: dict[str, Value] = {"routingKey": _key(channel, context), "severity": urgency, "sendResolved": True}
    return {"pagerdutyConfigs": [config]}


def _webhook(channel: Channel, context: Context) -> dict[str, Value]:
    return {"webhookConfigs": [{"urlSecret": _key(channel, context), "sendResolved": True}]}


def _email(channel: Channel, context: Context) -> dict[str, Value]:
    config: dict[str, Value] = {"to": channel.to, "from": channel.sender, "smarthost": channel.smarthost}
    if channel.username:
        config["authUsername"] = channel.username
    if channel.secret is not None:
        config["authPassword"] = _key(channel, context)
    return {"emailConfigs": [{**without_empty(config), "requireTLS": True, "sendResolved": True}]}


_RECEIVERS: Final[Mapping[str, Callable[[Channel, Context], dict[str, Value]]]] = {
    "slack": _slack,
    "pagerduty": _pagerduty,
    "webhook": _webhook,
    "email": _email,
}


def _key(channel: Channel, context: Context) -> dict[str, Value]:
    assert channel.secret is not None
    secret = context.secret(channel.secret)
    return {"name": secret.name, "key": secret.key}
