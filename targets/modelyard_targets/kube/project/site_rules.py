"""Alert rules for sites that only send metrics, evaluated once by the target that receives these metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, TypeAlias

from modelyard.plan import AlertRules, Resource
from modelyard.stack import Value
from modelyard_targets.kube.metrics.by_site import SITE, by_site, sites_seen
from modelyard_targets.kube.metrics.promql import string
from modelyard_targets.kube.monitoring.alert_rules import alert, alert_labels, group, prometheus_rule
from modelyard_targets.kube.monitoring.runbooks import runbook
from modelyard_targets.kube.placement.context import ANY_PLATFORM, Context, KubeObject
from modelyard_targets.kube.project.context import context_of

Lower: TypeAlias = Callable[[Resource[AlertRules], Context], Iterator[KubeObject]]

_SILENT_S: Final = 900
"""How long a site may be silent. Prometheus itself retries for hours, so nothing is lost in a short outage."""

_IN_A_RULE: Final = 200
"""The maximum number of sites in one rule, which keeps expressions short enough to read."""


def recordings(objects: Iterable[KubeObject]) -> Iterator[KubeObject]:
    """Yield objects with their recording rules but without alerts, omitting those with no recording rules."""
    for obj in objects:
        groups = [remaining for rule_group in _groups(obj) if (remaining := _of_group(rule_group, "record"))]
        if groups:
            yield KubeObject(obj.origin, {**obj.manifest, "spec": {"groups": groups}})


def site_rules(resource: Resource[AlertRules], context: Context, lower: Lower) -> KubeObject:
    """Return an object with the alerts for all sites of a target, firing separately for each site."""
    sites = context_of(context.plan, resource.value.sites, ANY_PLATFORM)
    matchers = f"modelyard_system={string(context.system.metadata.name)},modelyard_target={string(sites.placement)}"
    groups: list[Value] = [group(f"{resource.name}.silent", list(_silent(resource, context, sites, matchers)), 60)]
    for rules in context.plan.of(AlertRules, sites.placement):
        for obj in lower(rules, sites):
            for rule_group in _groups(obj):
                alerts = _of_group(rule_group, "alert")
                if alerts:
                    moved = [_at_sites(rule, matchers, context, sites) for rule in _rules(alerts)]
                    groups.append({**alerts, "rules": moved})
    return prometheus_rule(resource, groups, context)


def _groups(kube_object: KubeObject) -> Iterator[Mapping[str, Value]]:
    spec = kube_object.manifest["spec"]
    assert isinstance(spec, Mapping)
    groups = spec["groups"]
    assert isinstance(groups, Sequence)
    for rule_group in groups:
        assert isinstance(rule_group, Mapping)
        yield rule_group


def _rules(rule_group: Mapping[str, Value]) -> list[Mapping[str, Value]]:
    rules = rule_group["rules"]
    assert isinstance(rules, Sequence)
    return [rule for rule in rules if isinstance(rule, Mapping)]


def _of_group(rule_group: Mapping[str, Value], kind: str) -> dict[str, Value]:
    """Return a group with just its `alert` or `record` rules, or an empty mapping if it has none of these."""
    rules = [rule for rule in _rules(rule_group) if kind in rule]
    return {**rule_group, "rules": rules} if rules else {}


def _at_sites(rule: Mapping[str, Value], matchers: str, context: Context, sites: Context) -> Value:
    """Return an alert for each site. Its namespace label is the namespace whose routes notify the channels."""
    labels, annotations = rule["labels"], rule["annotations"]
    assert isinstance(labels, Mapping)
    assert isinstance(annotations, Mapping)
    site_annotations = {**annotations, "summary": f"{{{{ $labels.{SITE} }}}}: {annotations['summary']}"}
    placed = {**labels, "namespace": context.namespace, "modelyard_target": sites.placement}
    return {**rule, "expr": by_site(str(rule["expr"]), matchers), "labels": placed, "annotations": site_annotations}


def _silent(
    resource: Resource[AlertRules], context: Context, sites: Context, matchers: str
) -> Iterator[dict[str, Value]]:
    """Yield alerts for sites in the spec that have stopped sending metrics or never sent any."""
    texts = {
        "summary": f"{{{{ $labels.{SITE} }}}} sends no metrics",
        "description": "The site, its network or its Prometheus is down. None of its other alerts can fire.",
        "runbook": runbook("site"),
    }
    labels = {**alert_labels(resource, "ticket", context), "modelyard_target": sites.placement}
    names = iter(sites.target.sites.names if sites.target.sites is not None else ())
    while some := tuple(islice(names, _IN_A_RULE)):
        known = " or ".join(f'label_replace(vector(1), "{SITE}", {string(name)}, "", "")' for name in some)
        expression = f"({known}) unless on ({SITE}) {sites_seen(matchers)}"
        yield alert("ModelyardSiteSilent", expression, _SILENT_S, labels, texts)
