"""Channels: an AlertmanagerConfig each, which takes the alerts that carry the channel's label."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from modelyard.manifest import labels, metadata, object_of, without_empty
from modelyard.plan import Resource
from modelyard.spec import Channel
from modelyard.stack import Value
from modelyard_targets.cluster.context import Context, Made

COMPONENT: Final = "channel"


def channel_label(channel: str) -> str:
    """The label of an alert that goes to a channel; its value is `"true"`. Labels of Prometheus know no dashes."""
    return f"channel_{channel.replace('-', '_')}"


def lower_channel(resource: Resource, context: Context) -> Iterator[Made]:
    """The AlertmanagerConfig of a CHANNEL."""
    channel = resource.value
    assert isinstance(channel, Channel)
    labelled = labels(context.system.metadata.name, channel.name, resource.workload, COMPONENT)
    labelled = {**labelled, **dict(context.target.telemetry.prometheus_labels)}
    spec: dict[str, Value] = {
        "route": {
            "receiver": channel.name,
            "groupBy": ["alertname", "modelyard_dev_workload"],
            "groupWait": "30s",
            "groupInterval": "5m",
            "repeatInterval": "4h",
            "matchers": [
                {"name": channel_label(channel.name), "value": "true", "matchType": "="},
                {"name": "severity", "value": "|".join(channel.severities), "matchType": "=~"},
            ],
        },
        "receivers": [{"name": channel.name, **_RECEIVERS[channel.type](channel, context)}],
    }
    described = metadata(channel.name, context.namespace, labelled)
    yield Made(resource.origin, object_of("monitoring.coreos.com/v1alpha1", "AlertmanagerConfig", described, spec=spec))


def _slack(channel: Channel, context: Context) -> dict[str, Value]:
    where = without_empty({"channel": channel.room})
    return {"slackConfigs": [{"apiURL": _key(channel, context), **where, "sendResolved": True}]}


def _pagerduty(channel: Channel, context: Context) -> dict[str, Value]:
    return {"pagerdutyConfigs": [{"routingKey": _key(channel, context), "sendResolved": True}]}


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
