"""Component calls that install missing add-ons with Helm and create the registry's logins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from modelyard.plan import RegistryServer, Resource
from modelyard.program import Call, Literal, Ref
from modelyard.records import replace
from modelyard.stack import Value
from modelyard.units import cpu_millis, memory_bytes
from modelyard_targets.kube.addons.addon_network import FILE, addon_namespace
from modelyard_targets.kube.addons.addon_values import (
    cloudnative_pg_values,
    external_secrets_values,
    kuberay_values,
    prometheus_values,
)
from modelyard_targets.kube.placement.charts import Chart, charts
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.fixed import ADMIN_SECRET, GRAFANA_SECRET
from modelyard_targets.kube.placement.placed import installed_addons, registry_of
from modelyard_targets.kube.placement.platform import AddOn, Argument, as_literal
from modelyard_targets.kube.pods.sizes import Size
from modelyard_targets.kube.workload.registry_access import ADMIN_USER, LOGIN_KEYS, LOGINS, SESSION_KEY, logins

Values: TypeAlias = Callable[[Context], dict[str, Value]]

NETWORK: Final = "addons_network"
"""The program's variable for the add-ons' network policies."""

_VALUES: Final[Mapping[str, Values]] = {
    "kuberay": kuberay_values,
    "prometheus": prometheus_values,
    "external-secrets": external_secrets_values,
    "cloudnative-pg": cloudnative_pg_values,
}


def addon_calls(context: Context) -> tuple[Call, ...]:
    """Return calls that create namespaces, then network policies, then charts for missing add-ons."""
    addons = installed_addons(context)
    if not addons:
        return ()
    namespaces = tuple(_namespace(addon, context) for addon in addons)
    network = Call(
        NETWORK,
        "kubernetes.Manifests",
        FILE,
        (
            ("cluster", Ref("cluster")),
            ("files", (f"{FILE}.yaml",)),
            ("depends_on", tuple(Ref(call.variable) for call in namespaces)),
        ),
        group=FILE,
    )
    return (*namespaces, network, *(call for addon in addons for call in _addon(addon, context)))


def asked_by_addons(context: Context) -> Size:
    """Sum the resource requests in the chart values of all add-ons that we install."""
    sizes = [_requested(_VALUES[addon](context)) for addon in installed_addons(context) if addon in _VALUES]
    return Size(sum(size.cpu_millis for size in sizes), sum(size.memory_bytes for size in sizes))


def _requested(values: Mapping[str, Value]) -> Size:
    """Sum the resource requests at all levels of chart values, each multiplied by the replica count at its level."""
    replicas, resources = values.get("replicas", values.get("replicaCount", 1)), values.get("resources")
    requests = resources.get("requests") if isinstance(resources, Mapping) else None
    count = replicas if isinstance(replicas, int) else 1
    cpu = memory = 0
    if isinstance(requests, Mapping):
        cpu = count * (cpu_millis(str(requests.get("cpu", "0m"))) or 0)
        memory = count * (memory_bytes(str(requests.get("memory", "0Mi"))) or 0)
    below = [_requested(value) for value in values.values() if isinstance(value, Mapping)]
    return Size(cpu + sum(size.cpu_millis for size in below), memory + sum(size.memory_bytes for size in below))


def registry_calls(context: Context, foundation: Ref) -> tuple[Call, ...]:
    """Return the calls the program uses to generate the registry's logins, which aren't in any manifest."""
    resource = registry_of(context.plan, context.placement)
    if resource is None:
        return ()
    user, password = LOGIN_KEYS
    where: tuple[tuple[str, Literal], ...] = (("cluster", Ref("cluster")), ("namespace", context.namespace))
    needs: tuple[tuple[str, Literal], ...] = (("depends_on", (foundation,)),)
    fixed: dict[str, Literal] = {user: ADMIN_USER}
    admin: tuple[tuple[str, Literal], ...] = (("generated", (password, SESSION_KEY)), ("fixed", fixed))
    users: dict[str, Literal] = {login.secret: login.user for login in logins(context)}
    return (
        Call("registry_admin", "kubernetes.GeneratedSecret", ADMIN_SECRET, (*where, *admin, *needs), "registry"),
        Call("registry_logins", "kubernetes.Logins", LOGINS, (*where, ("users", users), *needs), "registry"),
        *_login(resource, foundation, context),
    )


def _login(resource: Resource[RegistryServer], foundation: Ref, context: Context) -> Iterator[Call]:
    """Yield the call that creates the login for the registry's database, if the cloud manages the database."""
    server = resource.value
    if server.database is not None and not server.database.adopt:
        managed = context.platform.database(server.database, context)
        if managed is not None:
            yield replace(managed.login, arguments=(*managed.login.arguments, ("depends_on", (foundation,))))


def _namespace(addon: str, context: Context) -> Call:
    level = context.platform.installs.get(addon, AddOn()).pod_security
    arguments: tuple[tuple[str, Literal], ...] = (("cluster", Ref("cluster")),)
    if level != "restricted":
        arguments += (("pod_security", level),)
    variable = f"{addon.replace('-', '_')}_namespace"
    return Call(variable, "kubernetes.Namespace", addon_namespace(addon, context), arguments, group=FILE)


def _addon(addon: str, context: Context) -> list[Call]:
    """Return the calls for an add-on's prerequisites and its chart, which depends on the network policies."""
    namespace = addon_namespace(addon, context)
    variable = addon.replace("-", "_")
    own = context.platform.installs.get(addon, AddOn())
    calls: list[Call] = []
    needs = [Ref(NETWORK)]
    if addon == "prometheus" and not context.target.edge:
        calls.append(_grafana_secret(namespace, Ref(NETWORK)))
        needs.append(Ref("grafana_admin"))
    for call in own.before(context):
        calls.append(replace(call, arguments=(*call.arguments, ("depends_on", tuple(needs))), group=addon))
        needs = [*needs[:1], Ref(call.variable)]
    values = {**(_VALUES[addon](context) if addon in _VALUES else {}), **own.values(context)}
    calls.append(_chart(variable, charts()[addon], namespace, values, tuple(needs), addon))
    depends_on: tuple[tuple[str, Literal], ...] = (("depends_on", (Ref(variable),)),)
    calls += [replace(call, arguments=(*call.arguments, *depends_on), group=addon) for call in own.after(context)]
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
    values: Mapping[str, Argument],
    needs: tuple[Ref, ...],
    group: str,
) -> Call:
    arguments: tuple[tuple[str, Literal], ...] = (
        ("cluster", Ref("cluster")),
        ("repository", chart.repository),
        ("version", chart.version),
        ("namespace", namespace),
        ("values", as_literal(values)),
        ("depends_on", needs),
    )
    return Call(variable, "kubernetes.Chart", chart.chart, arguments, group=group)
