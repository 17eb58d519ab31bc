"""SLO alerts for endpoints, based on error budget burn rates over several windows.

The method and numbers are from the Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts"
(sre.google/workbook/alerting-on-slos, read 2026-11-24). The book's factors apply to 30 days. For other windows, they
are derived from the share of the budget that may burn before an alert.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.plan import AlertRules, Resource
from modelyard.records import record, replace
from modelyard.spec import Inference, Slo
from modelyard.stack import Value
from modelyard_targets.kube.metrics.gateway_series import front_of, proxies_of
from modelyard_targets.kube.metrics.promql import duration, number, selector
from modelyard_targets.kube.metrics.serve_series import (
    ANSWERED,
    FIRST_TOKEN,
    HEALTHY,
    LATENCY,
    STATUS,
    TOKEN_RATE,
    applications,
    of_applications,
    of_endpoint,
    within,
)
from modelyard_targets.kube.monitoring.alert_rules import (
    alert,
    alert_labels,
    group,
    prometheus_rule,
)
from modelyard_targets.kube.monitoring.alert_rules import (
    record as recorded,
)
from modelyard_targets.kube.monitoring.availability import failures, requests
from modelyard_targets.kube.monitoring.channels import WORKLOAD_LABEL
from modelyard_targets.kube.monitoring.runbooks import runbook
from modelyard_targets.kube.placement.context import Context, KubeObject

ERRORS: Final = "modelyard:slo_errors:rate5m"
TOTAL: Final = "modelyard:slo_requests:rate5m"
RATIO: Final = "modelyard:slo_error_ratio:rate"
BUDGET: Final = "modelyard:slo_error_budget:ratio"

_GONE_S: Final = (60, 600)
_GONE_SHARE: Final = 0.1
"""An outage triggers a page once it has used this share of the error budget, within the bounds in `_GONE_S`."""

_RUNS: Final = 6
_NO_REPLICA: Final = ("has no healthy replica", "No replica reported itself healthy")
_SPAN: Final = "5m"
_SHOWN_S: Final = (300, 3600)
"""Windows that dashboards need even if no alert uses them."""


@record
class Burn:
    """An alert condition, given by the share of the budget that must be used up in the long window.

    In addition, the short window must still be burning the budget too fast.
    """

    share: float
    long_s: int
    short_s: int
    severity: str
    for_s: int

    def factor(self, window_s: int) -> float:
        """Return the burn rate that triggers the alert, as a multiple of the allowed rate, but at least 1."""
        return max(1.0, self.share * window_s / self.long_s)


BURNS: Final = (
    Burn(0.02, 3600, 300, "page", 120),
    Burn(0.05, 6 * 3600, 1800, "page", 300),
    Burn(0.10, 86400, 7200, "ticket", 900),
    Burn(0.10, 3 * 86400, 6 * 3600, "ticket", 3600),
)


_AT_LEAST: Final = Burn(0, 3 * 86400, 6 * 3600, "ticket", 3600)
"""The fallback if no burn rate applies, for example for an objective of 50 %: alert after this long over budget."""


@record
class Objective:
    """An SLO target, as the ratio of bad to total requests. `budget` is the maximum ratio allowed."""

    name: str
    budget: float
    errors: str
    total: str
    what: str
    runbook: str


def lower_slo_rules(resource: Resource[AlertRules], context: Context) -> Iterator[KubeObject]:
    """Yield the rules for an SLO's ALERT_RULES, and nothing for other resources."""
    value = resource.value
    inference = value.inference
    if inference is None or inference.slo is None:
        return
    groups: list[Value] = []
    for objective in objectives(inference, inference.slo, context):
        rules = [*_records(resource, objective, inference.slo, context)]
        rules += _burns(resource, objective, inference.slo, context)
        groups.append(group(f"{resource.name}.{objective.name}", rules))
    groups.append(group(f"{resource.name}.presence", [*_gone(resource, inference, inference.slo, context)]))
    yield prometheus_rule(resource, groups, context)


def objectives(inference: Inference, slo: Slo, context: Context) -> Iterator[Objective]:
    """Yield the availability, latency and token objectives as ratios of five-minute rates."""
    if slo.availability is not None:
        failed, every = failures(inference, context, _SPAN), requests(inference, context, _SPAN)
        what = f"{number(slo.availability * 100)} % of requests are answered in time and without a server error"
        yield Objective("availability", _rest(slo.availability), failed, every, what, "availability")
    for quantile, bound_ms in slo.latency_ms:
        answered = _rate(f"{LATENCY}_count", of_endpoint(inference, context, ANSWERED))
        quick = _rate(f"{LATENCY}_bucket", of_endpoint(inference, context, ANSWERED, within(bound_ms)))
        what = f"{number(quantile * 100)} % of answers take at most {bound_ms} ms"
        yield Objective(f"latency-{_p(quantile)}", _rest(quantile), f"{answered} - {quick}", answered, what, "latency")
    yield from _token_objectives(inference, slo, context)


def _token_objectives(inference: Inference, slo: Slo, context: Context) -> Iterator[Objective]:
    """Yield a language model's objectives, which count texts that have begun.

    Failed requests count as unavailability. A text with exactly the required tokens per second counts as bad, because
    buckets include their upper bound.
    """
    for quantile, bound_ms in slo.first_token_ms:
        begun = _rate(f"{FIRST_TOKEN}_count", of_endpoint(inference, context))
        quick = _rate(f"{FIRST_TOKEN}_bucket", of_endpoint(inference, context, within(bound_ms / 1000)))
        what = f"{number(quantile * 100)} % of texts begin within {bound_ms} ms"
        name = f"first-token-{_p(quantile)}"
        yield Objective(name, _rest(quantile), f"{begun} - {quick}", begun, what, "first-token")
    rate = slo.tokens_per_second
    if rate is not None:
        every = _rate(f"{TOKEN_RATE}_count", of_endpoint(inference, context))
        slow = _rate(f"{TOKEN_RATE}_bucket", of_endpoint(inference, context, within(rate.minimum)))
        what = f"{number(rate.share * 100)} % of texts get at least {number(rate.minimum)} tokens per second"
        yield Objective("tokens-per-second", _rest(rate.share), slow, every, what, "tokens-per-second")


def _p(quantile: float) -> str:
    """Return the name of a percentile, such as p99 for 0.99 and p999 for 0.999."""
    return f"p{number(round(quantile * 100, 9)).replace('.', '')}"


def _rate(series: str, chosen: str) -> str:
    return f"sum(rate({series}{chosen}[{_SPAN}]))"


def _rest(fraction: float) -> float:
    """Return 1 minus the fraction, without floating-point noise."""
    return round(1 - fraction, 9)


def _own(resource: Resource[AlertRules], objective: Objective, context: Context) -> dict[str, str]:
    """Return the labels of an objective's recorded series."""
    return {"namespace": context.namespace, WORKLOAD_LABEL: resource.workload, "slo": objective.name}


def _records(
    resource: Resource[AlertRules], objective: Objective, slo: Slo, context: Context
) -> Iterator[dict[str, Value]]:
    """Record bad and total requests every half minute.

    Longer windows sum up these records, so busy hours have more weight.
    """
    own = _own(resource, objective, context)
    chosen = selector(own)
    yield recorded(ERRORS, objective.errors, own)
    yield recorded(TOTAL, objective.total, own)
    yield recorded(BUDGET, f"vector({number(objective.budget)})", own)
    windows = {*_SHOWN_S, *(seconds for burn in _burning(objective, slo) for seconds in (burn.long_s, burn.short_s))}
    for seconds in sorted(windows):
        span = duration(seconds)
        ratio = f"sum_over_time({ERRORS}{chosen}[{span}]) / (sum_over_time({TOTAL}{chosen}[{span}]) > 0)"
        yield recorded(f"{RATIO}{span}", f"{ERRORS}{chosen} / ({TOTAL}{chosen} > 0)" if seconds == 300 else ratio, own)


def _burning(objective: Objective, slo: Slo) -> tuple[Burn, ...]:
    """Return the burn rates that apply, at least one.

    Excludes windows longer than the objective's own window, and rates that even a total outage can't reach.
    """
    sensible = tuple(
        burn for burn in BURNS if burn.long_s <= slo.window_s and burn.factor(slo.window_s) * objective.budget < 1
    )
    long_enough = slo.window_s >= _AT_LEAST.long_s
    return sensible or (_AT_LEAST if long_enough else replace(_AT_LEAST, long_s=3600, short_s=300),)


def _burns(
    resource: Resource[AlertRules], objective: Objective, slo: Slo, context: Context
) -> Iterator[dict[str, Value]]:
    chosen = selector(_own(resource, objective, context))
    endpoint = resource.workload.partition(".")[2]
    for burn in _burning(objective, slo):
        factor = burn.factor(slo.window_s)
        bound = number(round(factor * objective.budget, 12))
        long, short = duration(burn.long_s), duration(burn.short_s)
        expression = f"{RATIO}{long}{chosen} > {bound} and {RATIO}{short}{chosen} > {bound}"
        gone_in = duration(max(1, round(slo.window_s / factor / 3600)) * 3600)
        texts = {
            "summary": f"endpoint {endpoint} burns its {objective.name} budget {_pace(factor)}",
            "description": (
                f"Objective: {objective.what}, over {duration(slo.window_s)}. In the last {long}, "
                "{{ $value | humanizePercentage }} missed it. "
                f"At this rate the whole budget is gone in {gone_in}."
            ),
            "runbook": runbook(objective.runbook),
        }
        labelled = {**alert_labels(resource, burn.severity, context), "slo": objective.name, "window": long}
        yield alert("ModelyardSloBurn", expression, burn.for_s, labelled, texts)


def _pace(factor: float) -> str:
    return f"{number(round(factor, 2))} times as fast as allowed" if factor > 1 else "completely"


def gone_s(inference: Inference, slo: Slo, context: Context) -> int:
    """Return the outage in seconds that triggers a page: 10% of the smallest error budget, within 1–10 minutes."""
    smallest = min(objective.budget for objective in objectives(inference, slo, context))
    return min(max(round(_GONE_SHARE * smallest * slo.window_s), _GONE_S[0]), _GONE_S[1])


def _gone(
    resource: Resource[AlertRules], inference: Inference, slo: Slo, context: Context
) -> Iterator[dict[str, Value]]:
    """Yield alerts for applications without a healthy replica or metrics, as their ratios have no data.

    An application that scales to zero may have no replica for hours, so its Serve status is checked instead. The
    Gateway's proxies are checked too, because servers don't see connections refused by a Gateway.
    """
    wait_s = gone_s(inference, slo, context)
    for name, expression, lacks, since in _absences(inference, context):
        texts = {
            "summary": f"application {name} of endpoint {inference.name} {lacks}, or has no metrics",
            "description": f"{since} in the last {duration(wait_s)}, so the objectives cannot be measured.",
            "runbook": runbook("gone"),
        }
        labelled = {**alert_labels(resource, "page", context), "application": name}
        yield alert("ModelyardEndpointGone", expression, wait_s, labelled, texts)
    front = front_of(inference, context)
    if front is not None:
        texts = {
            "summary": f"Gateway {front.gateway} in front of endpoint {inference.name} has no running proxy",
            "description": f"No proxy answered Prometheus in the last {duration(wait_s)}: connections are refused.",
            "runbook": runbook("gateway"),
        }
        labelled = {**alert_labels(resource, "page", context), "gateway": front.gateway}
        absent = f"absent(up{proxies_of(front, context)} == 1)"
        yield alert("ModelyardGatewayGone", absent, wait_s, labelled, texts)


def _absences(inference: Inference, context: Context) -> Iterator[tuple[str, str, str, str]]:
    """Yield each application, a description, and PromQL that is true while the application is unavailable."""
    empty = {f"{inference.name}-{variant.name}" for variant in inference.variants if variant.replicas.minimum == 0}
    for name in applications(inference):
        chosen = of_applications([name], context)
        if name in empty:
            yield name, f"absent({STATUS}{chosen} == {_RUNS})", "is not running", "Serve did not report it as running"
        else:
            yield name, f"absent({HEALTHY}{chosen} == 1)", *_NO_REPLICA
