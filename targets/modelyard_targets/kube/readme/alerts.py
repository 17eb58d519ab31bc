"""The README's alert table: conditions, subjects and notified channels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.plan import AlertRules, Resource
from modelyard.records import record
from modelyard.spec.imports import imported
from modelyard_targets.kube.monitoring.alert_rules import channels_of
from modelyard_targets.kube.monitoring.channels import cluster_channel
from modelyard_targets.kube.monitoring.registry_rules import rotation
from modelyard_targets.kube.placement.context import Context

_OF_OBJECTIVE: Final = "The error budget burns too fast; the endpoint stops answering"
_OF_MONITOR: Final = "A check fails; the monitor does not run"
_OF_PIPELINE: Final = "A run failed or is missing; a version failed the gate; a version waits for approval"
_OF_REGISTRY: Final = "No server is available; the promoter fails or does not run"
_OF_ROTATION: Final = "; its database password was not rotated"
_OF_IMPORTS: Final = "; a model is not imported, or waits for an approval"
_OF_SITES: Final = "A site sends no metrics"
_OF_CLUSTER: Final = "Nodes, volumes, add-ons and Prometheus itself"


@record
class AlertRow:
    """A row in the alert table."""

    when: str
    about: tuple[str, ...]
    channels: tuple[str, ...]


def alert_rows(context: Context) -> tuple[AlertRow, ...]:
    """Return one row for all rules with the same conditions and channels. Cluster alerts come last."""
    about: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for rules in context.plan.of(AlertRules, context.placement):
        key = _when(rules.value, context), channels_of(rules.value, context)
        about.setdefault(key, []).append(_about(rules))
    rows = (AlertRow(when, tuple(names), channels) for (when, channels), names in about.items())
    return (*rows, *_cluster(context))


def _about(rules: Resource[AlertRules]) -> str:
    if rules.value.sites:
        return f"each site of {rules.value.sites}"
    return rules.workload.partition(".")[2] or "the registry"


def _when(rules: AlertRules, context: Context) -> str:
    if rules.sites:
        theirs = (_when(entry.value, context) for entry in context.plan.of(AlertRules, rules.sites))
        return "; ".join([_OF_SITES, *dict.fromkeys(f"{when[0].lower()}{when[1:]}" for when in theirs)])
    if rules.inference is not None:
        return _OF_OBJECTIVE
    if rules.registry is not None:
        rotated = _OF_ROTATION if rotation(rules.registry, context) else ""
        return _OF_REGISTRY + rotated + (_OF_IMPORTS if imported(context.system) else "")
    return _OF_MONITOR if rules.monitor is not None else _OF_PIPELINE


def _cluster(context: Context) -> Iterator[AlertRow]:
    channel = cluster_channel(context)
    if channel is not None:
        yield AlertRow(_OF_CLUSTER, ("the cluster",), (channel.name,))
