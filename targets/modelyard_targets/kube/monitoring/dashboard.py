"""Grafana dashboards for endpoints, with traffic, errors, latency, SLO, replicas, error budget and monitors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from modelyard.manifest import config_map, labels, metadata
from modelyard.names import object_name, short_hash
from modelyard.plan import Resource
from modelyard.spec import Inference, Monitor, Slo
from modelyard.stack import Value
from modelyard.writers.json_text import repeated_json_text
from modelyard_targets.kube.metrics import gateway_series
from modelyard_targets.kube.metrics.gateway_series import front_of, of_route
from modelyard_targets.kube.metrics.promql import duration, number, selector
from modelyard_targets.kube.metrics.serve_series import (
    FIRST_TOKEN,
    GENERATED_TOKENS,
    HEALTHY,
    LATENCY,
    PROMPT_TOKENS,
    QUEUED,
    REQUESTS,
    RUNNING,
    TOKEN_RATE,
    of_endpoint,
)
from modelyard_targets.kube.monitoring.channels import WORKLOAD_LABEL
from modelyard_targets.kube.monitoring.monitor_rules import VALUE, look_back_s, of_monitor
from modelyard_targets.kube.monitoring.slo_rules import BUDGET, ERRORS, RATIO, TOTAL
from modelyard_targets.kube.placement.context import Context, KubeObject

COMPONENT: Final = "dashboard"
_SOURCE: Final[Value] = {"type": "prometheus", "uid": "${datasource}"}
_CHOICE: Final[Value] = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"}
_WIDTH, _HEIGHT = 12, 8
_SHOWN_QUANTILES: Final = (0.5, 0.95, 0.99)


def lower_dashboard(resource: Resource[Inference], context: Context) -> Iterator[KubeObject]:
    """Yield the ConfigMap containing an endpoint's dashboard, which Grafana's sidecar finds by label."""
    inference = resource.value
    name = object_name(resource.name, "dashboard", limit=63)
    labelled = {
        **labels(context.system.metadata.name, resource.name, resource.workload, COMPONENT),
        "grafana_dashboard": "1",
    }
    described = metadata(name, context.namespace, labelled)
    text = repeated_json_text(dashboard(resource, inference, context))
    yield KubeObject(resource.origin, config_map(described, {f"{name}.json": text}))


def dashboard(resource: Resource, inference: Inference, context: Context) -> dict[str, Value]:
    """Return the dashboard as JSON. Its uid depends only on the endpoint and the placement."""
    system = context.system
    panels = [*_traffic(inference, context), *_objectives(resource, inference, context), *_monitors(inference, context)]
    return {
        "uid": f"my-{short_hash(system.metadata.name, system.environment, context.placement, resource.name)}",
        "title": f"{system.metadata.name} / {inference.name} ({context.namespace})",
        "tags": ["modelyard", system.metadata.name],
        "schemaVersion": 41,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"}]
        },
        "panels": [_placed(panel, at) for at, panel in enumerate(panels)],
    }


def _placed(panel: Mapping[str, Value], at: int) -> dict[str, Value]:
    """Return a panel with its position on the dashboard, which has two panels per row."""
    column, row = at % 2, at // 2
    return {
        "id": at + 1,
        **panel,
        "gridPos": {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
    }


def _panel(
    title: str,
    queries: Sequence[tuple[str, str]],
    unit: str,
    threshold: float | None = None,
    description: str = "",
) -> dict[str, Value]:
    """Build a time series panel, with a red line at the threshold, if given."""
    steps: list[Value] = [{"color": "green", "value": None}]
    if threshold is not None:
        steps.append({"color": "red", "value": threshold})
    custom: dict[str, Value] = {"thresholdsStyle": {"mode": "line" if threshold is not None else "off"}}
    return {
        "type": "timeseries",
        "title": title,
        "description": description,
        "datasource": _SOURCE,
        "fieldConfig": {
            "defaults": {"unit": unit, "custom": custom, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
        "targets": [
            {"refId": f"Q{at}", "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
            for at, (expression, legend) in enumerate(queries, 1)
        ],
    }


def _traffic(inference: Inference, context: Context) -> Iterator[dict[str, Value]]:
    own = of_endpoint(inference, context)
    front = front_of(inference, context)
    if front is not None:
        by_code = f"sum by ({gateway_series.CODE}) (rate({gateway_series.REQUESTS}{of_route(front, context)}[5m]))"
        yield _panel("Requests at the Gateway", [(by_code, f"{{{{{gateway_series.CODE}}}}}")], "reqps")
    rate = f"sum by (application, status_code) (rate({REQUESTS}{own}[5m]))"
    yield _panel("Requests", [(rate, "{{application}} {{status_code}}")], "reqps")
    yield _panel("Latency", [*_quantiles(own)], "ms", _strictest_ms(inference.slo))
    yield _panel("Healthy replicas", [(f"sum by (application) ({HEALTHY}{own})", "{{application}}")], "short")
    waiting = [
        (f"sum by (application) ({QUEUED}{own})", "{{application}} waiting"),
        (f"sum by (application) ({RUNNING}{own})", "{{application}} running"),
    ]
    yield _panel("Requests in the servers", waiting, "short")
    if inference.generation is not None:
        yield from _tokens(own, inference.slo)


def _tokens(own: str, slo: Slo | None) -> Iterator[dict[str, Value]]:
    """Yield the panels that only dashboards of language models have."""
    first = [*_quantiles(own, FIRST_TOKEN)]
    bounds_ms = [bound for _, bound in slo.first_token_ms] if slo is not None else []
    yield _panel("Time to first token", first, "s", min(bounds_ms) / 1000 if bounds_ms else None)
    rate = slo.tokens_per_second if slo is not None else None
    share = 0.95 if rate is None else rate.share
    buckets = f"sum by (le, application) (rate({TOKEN_RATE}_bucket{own}[5m]))"
    slowest = f"histogram_quantile({number(round(1 - share, 9))}, {buckets})"
    legend = f"{{{{application}}}}, {number(round(share * 100, 9))} % of texts get at least this"
    yield _panel("Tokens per second of a text", [(slowest, legend)], "short", rate.minimum if rate else None)
    made = f"sum by (application) (rate({GENERATED_TOKENS}{own}[5m]))"
    read = f"sum by (application) (rate({PROMPT_TOKENS}{own}[5m]))"
    both = [(made, "{{application}} generated"), (read, "{{application}} in prompts")]
    yield _panel("Tokens per second of all texts", both, "short")


def _quantiles(own: str, series: str = LATENCY) -> Iterator[tuple[str, str]]:
    buckets = f"sum by (le, application) (rate({series}_bucket{own}[5m]))"
    for quantile in _SHOWN_QUANTILES:
        yield f"histogram_quantile({quantile}, {buckets})", f"{{{{application}}}} p{round(quantile * 100)}"


def _strictest_ms(slo: Slo | None) -> float | None:
    return float(min(bound for _, bound in slo.latency_ms)) if slo is not None and slo.latency_ms else None


def _objectives(resource: Resource, inference: Inference, context: Context) -> Iterator[dict[str, Value]]:
    if inference.slo is None:
        return
    own = selector({"namespace": context.namespace, WORKLOAD_LABEL: resource.workload})
    ratio = f"{RATIO}1h{own} / on (slo) {BUDGET}{own}"
    about = "At 1, the budget burns as fast as the objective allows."
    yield _panel("Error budget burn rate, last hour", [(ratio, "{{slo}}")], "short", 1.0, about)
    window = duration(inference.slo.window_s)
    spent = f"sum_over_time({ERRORS}{own}[{window}]) / (sum_over_time({TOTAL}{own}[{window}]) > 0)"
    left = f"1 - ({spent}) / on (slo) {BUDGET}{own}"
    yield _panel(f"Error budget left of {window}", [(left, "{{slo}}")], "percentunit", 0.0)


@lru_cache(maxsize=1)
def _watching(context: Context) -> Mapping[str, Sequence[Monitor]]:
    """Map each watched resource to the monitors that push to this placement's Prometheus."""
    by_resource: dict[str, list[Monitor]] = {}
    for monitor in context.system.monitors.values():
        if monitor.type != "performance" and monitor.target == context.placement:
            by_resource.setdefault(monitor.watch, []).append(monitor)
    return by_resource


def _monitors(inference: Inference, context: Context) -> Iterator[dict[str, Value]]:
    for monitor in _watching(context).get(f"inference.{inference.name}", ()):
        span = duration(look_back_s(monitor))
        values = f"last_over_time({VALUE}{of_monitor(monitor, context)}[{span}])"
        yield _panel(
            f"Monitor {monitor.name}", [(f"max by (check, feature) ({values})", "{{check}} {{feature}}")], "none"
        )
