"""The README's alert table: conditions, subjects and notified channels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from modelyard.plan import AlertRules, Resource
from modelyard.records import record
from modelyard.stack import Value
from modelyard_targets.kube.monitoring.alert_rules import channels_of
from modelyard_targets.kube.monitoring.channels import cluster_channel
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.project.files import LOWERINGS

CONDITIONS: Final[Mapping[str, str]] = {
    "ModelyardSiteSilent": "a site sends no metrics",
    "ModelyardSloBurn": "the error budget burns too fast",
    "ModelyardEndpointGone": "the endpoint stops answering",
    "ModelyardGatewayGone": "its Gateway has no running proxy",
    "ModelyardMonitorBreach": "a check fails",
    "ModelyardMonitorUnknown": "a check cannot be measured",
    "ModelyardMonitorCoverage": "too many predictions have no label",
    "ModelyardMonitorStale": "the monitor does not run",
    "ModelyardMonitorSilent": "the monitor does not run",
    "ModelyardPipelineFailed": "a run failed",
    "ModelyardPipelineMissing": "a run is missing",
    "ModelyardPipelineUnseen": "runs are not monitored",
    "ModelyardStarterMissing": "requested runs are not started",
    "ModelyardGateRefused": "a version failed the gate",
    "ModelyardRegistryGone": "no server is available",
    "ModelyardPromoterMissing": "the promoter fails or does not run",
    "ModelyardLoginFailed": "its database password was not rotated",
    "ModelyardImportMissing": "a model is not imported",
    "ModelyardApprovalWaiting": "a version waits for approval",
    "ModelyardSoakFailed": "a version failed its soak",
    "ModelyardFilesRefused": "files that do not fit are skipped",
}
"""The condition of each alert, in the order of the table."""

_OF_CLUSTER: Final = "Nodes, volumes, add-ons and Prometheus itself"
_STATE_METRICS: Final = "kube_"
"""How the names of kube-state-metrics' series begin."""


@record
class AlertRow:
    """A row in the alert table."""

    when: str
    about: tuple[str, ...]
    channels: tuple[str, ...]


def alert_rows(context: Context) -> tuple[AlertRow, ...]:
    """Return one row for all rules with the same conditions and channels. Cluster alerts come last.

    If another target evaluates this target's alerts, only the cluster's remain.
    """
    about: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for rules in context.plan.of(AlertRules, context.placement):
        when = _when({str(rule["alert"]) for rule in _rules(rules, context) if "alert" in rule})
        if when:
            about.setdefault((when, channels_of(rules.value, context)), []).append(_about(rules))
    rows = (AlertRow(when, tuple(names), channels) for (when, channels), names in about.items())
    return (*rows, *_cluster(context))


def uses_state_metrics(context: Context) -> bool:
    """Return whether a rule uses series that kube-state-metrics of this cluster provides."""
    return any(
        _STATE_METRICS in str(rule["expr"])
        for rules in context.plan.of(AlertRules, context.placement)
        if not rules.value.sites
        for rule in _rules(rules, context)
    )


def _rules(rules: Resource[AlertRules], context: Context) -> Iterator[Mapping[str, Value]]:
    """Yield the rules that this target's Prometheus evaluates."""
    for lowered in LOWERINGS(rules, context):
        spec = lowered.manifest["spec"]
        assert isinstance(spec, Mapping)
        for group in _mappings(spec["groups"]):
            yield from _mappings(group["rules"])


def _mappings(values: Value) -> Iterator[Mapping[str, Value]]:
    assert isinstance(values, Sequence)
    return (value for value in values if isinstance(value, Mapping))


def _about(rules: Resource[AlertRules]) -> str:
    if rules.value.sites:
        return f"each site of {rules.value.sites}"
    return rules.workload.partition(".")[2] or "the registry"


def _when(alerts: set[str]) -> str:
    """Return the conditions of alerts as a list that begins with a capital letter, or "" if there are none."""
    names = sorted(alerts, key=tuple(CONDITIONS).index)
    listed = "; ".join(dict.fromkeys(CONDITIONS[name] for name in names))
    return f"{listed[:1].upper()}{listed[1:]}"


def _cluster(context: Context) -> Iterator[AlertRow]:
    channel = cluster_channel(context)
    if channel is not None:
        yield AlertRow(_OF_CLUSTER, ("the cluster",), (channel.name,))
