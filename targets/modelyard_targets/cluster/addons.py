"""Add-ons by Helm: the calls that install what the cluster lacks, and the registry's chart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from modelyard.program import Call, Literal, Ref
from modelyard.stack import Value
from modelyard_targets.cluster.addon_values import (
    GRAFANA_SECRET,
    cloudnative_pg_values,
    external_secrets_values,
    kuberay_values,
    prometheus_values,
)
from modelyard_targets.cluster.charts import REGISTRY, Chart, charts
from modelyard_targets.cluster.context import Context
from modelyard_targets.cluster.placed import addons_to_install, registry_of
from modelyard_targets.cluster.registry import FLASK_KEY, FLASK_SECRET, registry_values

Values: TypeAlias = Callable[[Context], dict[str, Value]]

_VALUES: Final[Mapping[str, Values]] = {
    "kuberay": kuberay_values,
    "prometheus": prometheus_values,
    "external-secrets": external_secrets_values,
    "cloudnative-pg": cloudnative_pg_values,
}


def addon_calls(context: Context) -> tuple[Call, ...]:
    """A namespace and a chart for each add-on that is needed and not there."""
    calls: list[Call] = []
    for addon in addons_to_install(context.plan, context.placement):
        calls += _addon(addon, context)
    return tuple(calls)


def addon_namespace(addon: str, context: Context) -> str:
    """Where an add-on goes: Prometheus where the target says, the others where their charts usually are."""
    return context.target.telemetry.namespace if addon == "prometheus" else charts()[addon].namespace


def registry_calls(context: Context, foundation: Ref) -> tuple[Call, ...]:
    """The chart of a registry that runs here, after the objects that it stands on."""
    resource = registry_of(context.plan, context.placement)
    if resource is None:
        return ()
    secret = Call(
        "registry_key",
        "kubernetes.GeneratedSecret",
        FLASK_SECRET,
        (
            ("cluster", Ref("cluster")),
            ("namespace", context.namespace),
            ("generated", (FLASK_KEY,)),
            ("depends_on", (foundation,)),
        ),
        group="registry",
    )
    identity = context.identity("registry")
    assert identity is not None
    values = registry_values(resource, identity.name, context)
    chart = _chart("registry", charts()[REGISTRY], context.namespace, values, (foundation, Ref("registry_key")))
    return (secret, chart)


def _addon(addon: str, context: Context) -> list[Call]:
    namespace = addon_namespace(addon, context)
    variable = addon.replace("-", "_")
    made = Call(
        f"{variable}_namespace",
        "kubernetes.Namespace",
        namespace,
        (("cluster", Ref("cluster")),),
        group=addon,
    )
    calls = [made]
    needs = [Ref(made.variable)]
    if addon == "prometheus" and not context.target.edge:
        calls.append(_grafana_secret(namespace, Ref(made.variable)))
        needs.append(Ref("grafana_admin"))
    calls.append(_chart(variable, charts()[addon], namespace, _VALUES[addon](context), tuple(needs), addon))
    return calls


def _grafana_secret(namespace: str, needs: Ref) -> Call:
    arguments: tuple[tuple[str, Literal], ...] = (
        ("cluster", Ref("cluster")),
        ("namespace", namespace),
        ("generated", ("admin-password",)),
        ("fixed", {"admin-user": "admin"}),
        ("depends_on", (needs,)),
    )
    return Call("grafana_admin", "kubernetes.GeneratedSecret", GRAFANA_SECRET, arguments, group="prometheus")


def _chart(
    variable: str,
    chart: Chart,
    namespace: str,
    values: Mapping[str, Value],
    needs: tuple[Ref, ...],
    group: str = "registry",
) -> Call:
    arguments: tuple[tuple[str, Literal], ...] = (
        ("cluster", Ref("cluster")),
        ("repository", chart.repository),
        ("version", chart.version),
        ("namespace", namespace),
        ("values", _literal(values)),
        ("depends_on", needs),
    )
    return Call(variable, "kubernetes.Chart", chart.chart, arguments, group=group)


def _literal(value: Value) -> Literal:
    """The same data, with lists as the program model holds them."""
    if isinstance(value, Mapping):
        return {key: _literal(entry) for key, entry in value.items()}
    if isinstance(value, (str, bool, int, float)) or value is None:
        return value
    return tuple(_literal(entry) for entry in value)
