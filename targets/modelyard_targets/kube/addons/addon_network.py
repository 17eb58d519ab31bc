"""Network policies for add-ons: default deny in each namespace we create, plus the required connections.

Labels and ports come from the charts at the versions in charts.json (read 2026-11-25). Webhook ports accept any
address, because the API server's address is unknown. `kubectl port-forward` goes through the node, where no policy
applies. docs/decisions/0038-addon-network.md explains why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from modelyard.manifest import COMPONENT as COMPONENT_LABEL
from modelyard.manifest import SYSTEM, labels, metadata, object_of, without_empty
from modelyard.records import record
from modelyard.spec import Channel, target_path
from modelyard.stack import Manifest, Value
from modelyard_targets.kube.access.namespace import CLOSED
from modelyard_targets.kube.access.secrets import secrets_of, store_of
from modelyard_targets.kube.monitoring.channels import has_alertmanager
from modelyard_targets.kube.monitoring.scraping import reads_operator
from modelyard_targets.kube.network.policies import (
    COMPONENT,
    PROMETHEUS_PORT,
    anywhere,
    every_namespace,
    namespace,
    outside,
    pods,
    ports,
    prometheus_pods,
    reach,
    reach_api,
    reach_nodes,
)
from modelyard_targets.kube.placement.charts import charts
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.placement.fixed import (
    MONITOR_COMPONENT,
    PIPELINE_COMPONENT,
    PORTS,
    PROMOTER_COMPONENT,
    SERVE_PORT,
)
from modelyard_targets.kube.placement.placed import installed_addons, shows_jobs
from modelyard_targets.kube.placement.platform import AddOn

FILE: Final = "addons"
"""The name of the manifest file with the add-ons' network policies."""

_RELOADER: Final = 8080
_ALERTMANAGER: Final = 9093
_GOSSIP: Final = 9094
_GRAFANA: Final = 3000
_KUBE_STATE_METRICS: Final = 8080
_PROMETHEUS_OPERATOR: Final = 8080
_SECRETS_WEBHOOK: Final = 10250
_DATABASE_WEBHOOK: Final = 9443
_DATABASE_PORTS: Final = (5432, 8000)
_XDS: Final = 18000
_LISTENERS: Final = (10080, 10443)
"""The ports of Envoy's proxies. Envoy Gateway adds 10000 to a Gateway's privileged ports."""

_PROXY_METRICS: Final = 19001
_OPERATOR_METRICS: Final = 8080
_ACCELERATOR_METRICS: Final = 9400

_KUBELET: Final = 10250
"""The kubelet's port. Prometheus scrapes no other port on nodes, because our chart values exclude the control plane."""

_HOSTED: Final = frozenset({"pagerduty", "slack"})
"""Types of notification channels that use a service on the internet."""

_EVERY_POD: Final[Mapping[str, Value]] = {}
_RAY_PODS: Final[Mapping[str, Value]] = {"podSelector": {"matchLabels": {"ray.io/is-ray-node": "yes"}}}
_DATABASES: Final[Mapping[str, Value]] = {
    "podSelector": {"matchExpressions": [{"key": "cnpg.io/cluster", "operator": "Exists"}]}
}


@record
class Policy:
    """Ingress and egress rules for an add-on's Pods with the given labels, or for all Pods in the add-on's
    namespace.
    """

    name: str
    labels: Mapping[str, Value] = _EVERY_POD
    ingress: tuple[Value, ...] = ()
    egress: tuple[Value, ...] = ()


def addon_namespace(addon: str, context: Context) -> str:
    """Return an add-on's namespace, which is set by the target for Prometheus and by the chart otherwise."""
    return context.target.telemetry.namespace if addon == "prometheus" else charts()[addon].namespace


def lower_addon_network(context: Context) -> Iterator[KubeObject]:
    """Yield network policies for the platform's own Pods and for each add-on that we install."""
    yield from context.platform.policies(context)
    for addon in installed_addons(context):
        where = addon_namespace(addon, context)
        for name, spec in CLOSED.items():
            yield _network_policy(name, where, spec, context)
        own = context.platform.installs.get(addon, AddOn())
        for at, policy in enumerate(_POLICIES[addon](context)):
            egress = (*policy.egress, *(own.egress(context) if at == 0 else ()))
            rules = without_empty({"ingress": list(policy.ingress), "egress": list(egress)})
            spec = {
                "podSelector": {"matchLabels": dict(policy.labels)} if policy.labels else {},
                "policyTypes": [direction.capitalize() for direction in rules],
                **rules,
            }
            yield _network_policy(policy.name, where, spec, context)


def _network_policy(name: str, where: str, spec: Manifest, context: Context) -> KubeObject:
    described = metadata(name, where, labels(context.system.metadata.name, name, component=COMPONENT))
    manifest = object_of("networking.k8s.io/v1", "NetworkPolicy", described, spec=spec)
    return KubeObject(target_path(context.system, context.placement), manifest)


def _name_label(name: str) -> dict[str, Value]:
    return {"app.kubernetes.io/name": name}


def _kuberay(context: Context) -> tuple[Policy, ...]:
    """Let the operator submit jobs to heads and check Serve proxies, and let Prometheus scrape RayJob states."""
    clusters: dict[str, Value] = {
        "to": [{**every_namespace(), **_RAY_PODS}],
        "ports": ports(PORTS["dashboard"], SERVE_PORT),
    }
    scraped: Value = {"from": [prometheus_pods(context)], "ports": ports(_OPERATOR_METRICS)}
    ingress = (scraped,) if reads_operator(context) else ()
    return (Policy("kuberay-operator", ingress=ingress, egress=(reach_api(context), clusters)),)


def _external_secrets(context: Context) -> tuple[Policy, ...]:
    """Allow the controller to read secret stores, and the API server to call the webhook."""
    api = (reach_api(context),)
    return (
        Policy("external-secrets", _name_label("external-secrets"), egress=(*api, *_secret_stores(context))),
        Policy(
            "external-secrets-webhook",
            _name_label("external-secrets-webhook"),
            ingress=({"ports": ports(_SECRETS_WEBHOOK)},),
            egress=api,
        ),
        Policy("external-secrets-cert-controller", _name_label("external-secrets-cert-controller"), egress=api),
    )


def _secret_stores(context: Context) -> tuple[Value, ...]:
    """Allow all addresses in `egress`, because the cluster's operator may run secret stores at any of them."""
    secrets = secrets_of(context.plan.on(context.placement), context)
    if all(store_of(secret.ref, context).via != "external-secrets" for secret in secrets):
        return ()
    return ({"to": [every_namespace(), *outside(context)]},)


def _cloudnative_pg(context: Context) -> tuple[Policy, ...]:
    """Allow the API server to call the webhook, and the operator to check each instance's status."""
    instances: dict[str, Value] = {"to": [{**every_namespace(), **_DATABASES}], "ports": ports(*_DATABASE_PORTS)}
    webhook: dict[str, Value] = {"ports": ports(_DATABASE_WEBHOOK)}
    return (Policy("cloudnative-pg", ingress=(webhook,), egress=(reach_api(context), instances)),)


def _prometheus(context: Context) -> tuple[Policy, ...]:
    """Allow Prometheus to scrape all namespaces and accept pushed metrics."""
    prometheus, grafana = pods("prometheus"), pods("grafana")
    api = reach_api(context)
    policies = [
        Policy(
            "prometheus",
            _name_label("prometheus"),
            ingress=(
                {"from": [prometheus], "ports": ports(PROMETHEUS_PORT, _RELOADER)},
                {"from": [grafana, *_pushing(context)], "ports": ports(PROMETHEUS_PORT)},
            ),
            egress=({"to": [every_namespace()]}, api, *_remote_write(context), *reach_nodes((_KUBELET,), context)),
        ),
        *([_alertmanager(context)] if has_alertmanager(context) else []),
        Policy(
            "prometheus-operator",
            {"app": "kube-prometheus-stack-operator"},
            ingress=({"from": [prometheus], "ports": ports(_PROMETHEUS_OPERATOR)},),
            egress=(api,),
        ),
    ]
    if not context.target.edge:
        policies.append(
            Policy(
                "grafana",
                _name_label("grafana"),
                ingress=({"from": [prometheus], "ports": ports(_GRAFANA)},),
                egress=({"to": [prometheus], "ports": ports(PROMETHEUS_PORT)}, api),
            )
        )
    if shows_jobs(context):
        policies.append(
            Policy(
                "kube-state-metrics",
                _name_label("kube-state-metrics"),
                ingress=({"from": [prometheus], "ports": ports(_KUBE_STATE_METRICS)},),
                egress=(api,),
            )
        )
    return tuple(policies)


def _alertmanager(context: Context) -> Policy:
    """Allow only Prometheus to call Alertmanager, whose replicas tell each other which notifications they have sent."""
    prometheus, alertmanager = pods("prometheus"), pods("alertmanager")
    gossip: list[Value] = [{"protocol": protocol, "port": _GOSSIP} for protocol in ("TCP", "UDP")]
    return Policy(
        "alertmanager",
        _name_label("alertmanager"),
        ingress=(
            {"from": [prometheus], "ports": ports(_ALERTMANAGER, _RELOADER)},
            {"from": [alertmanager], "ports": gossip},
        ),
        egress=({"to": [alertmanager], "ports": gossip}, *_receivers(context)),
    )


def _pushing(context: Context) -> list[Value]:
    """Select the Pods that push metrics: monitors, promoters and pipeline drivers of all modelyard systems."""
    monitor: dict[str, str] = {COMPONENT_LABEL: MONITOR_COMPONENT}
    promoter: dict[str, str] = {COMPONENT_LABEL: PROMOTER_COMPONENT}
    driver: dict[str, str] = {COMPONENT_LABEL: PIPELINE_COMPONENT, "ray.io/node-type": "head"}
    systems: dict[str, Value] = {
        "namespaceSelector": {"matchExpressions": [{"key": SYSTEM, "operator": "Exists"}]},
    }
    return [
        {**where, "podSelector": {"matchLabels": dict(labelled)}}
        for labelled in (monitor, promoter, driver)
        for where in (namespace(context.namespace), systems)
    ]


def _remote_write(context: Context) -> list[Value]:
    url = context.target.telemetry.remote_write
    return reach(url, context) if url else []


def _receivers(context: Context) -> list[Value]:
    """Allow egress to the channels' services regardless of `egress`, since a spec can't list hosted addresses.

    Without a hosted channel, HTTPS is still allowed within `egress`, because other systems may use this Alertmanager.
    """
    everywhere = anywhere(context)
    channels = [channel.value for channel in context.plan.of(Channel, context.placement)]
    hosted = any(channel.type in _HOSTED for channel in channels)
    rules: list[Value] = [{"to": everywhere if hosted else outside(context), "ports": ports(443)}]
    for channel in channels:
        if channel.type == "email":
            rules += reach(f"smtp://{channel.smarthost}", context, everywhere)
        elif channel.type == "webhook":
            rules.append({"to": [every_namespace(), *everywhere]})  # the channel's address is a secret
    return list({str(rule): rule for rule in rules}.values())


def _envoy_gateway(context: Context) -> tuple[Policy, ...]:
    """Allow proxies to connect to their controller and to servers in any namespace, and Prometheus to scrape them."""
    proxy: dict[str, Value] = {"app.kubernetes.io/managed-by": "envoy-gateway", "app.kubernetes.io/component": "proxy"}
    controller: dict[str, Value] = {"control-plane": "envoy-gateway"}
    scraped: list[Value] = [{"from": [prometheus_pods(context)], "ports": ports(_PROXY_METRICS)}]
    return (
        Policy(
            "envoy-gateway",
            controller,
            ingress=({"from": [{"podSelector": {"matchLabels": proxy}}], "ports": ports(_XDS)},),
            egress=(reach_api(context),),
        ),
        Policy("certgen", {"batch.kubernetes.io/job-name": "certgen"}, egress=(reach_api(context),)),
        Policy(
            "proxies",
            proxy,
            ingress=({"ports": ports(*_LISTENERS)}, *(scraped if context.monitored else ())),
            egress=(
                {"to": [{"podSelector": {"matchLabels": controller}}], "ports": ports(_XDS)},
                {"to": [{**every_namespace(), **_RAY_PODS}], "ports": ports(SERVE_PORT)},
            ),
        ),
    )


def _dcgm_exporter(context: Context) -> tuple[Policy, ...]:
    """Allow Prometheus to scrape the exporter, which asks a socket on the node which Pods use a GPU."""
    scraped: Value = {"from": [prometheus_pods(context)], "ports": ports(_ACCELERATOR_METRICS)}
    return (Policy("dcgm-exporter", ingress=(scraped,)),)


def _controller(name: str) -> Callable[[Context], tuple[Policy, ...]]:
    """Return a function that yields the policy of a controller that may only call the Kubernetes API."""
    return lambda context: (Policy(name, egress=(reach_api(context),)),)


def _closed(context: Context) -> tuple[Policy, ...]:
    """Allow no connections, because the add-on's Pods use only a socket on their node."""
    return ()


_POLICIES: Final[Mapping[str, Callable[[Context], tuple[Policy, ...]]]] = {
    "kuberay": _kuberay,
    "prometheus": _prometheus,
    "external-secrets": _external_secrets,
    "cloudnative-pg": _cloudnative_pg,
    "envoy-gateway": _envoy_gateway,
    "cluster-autoscaler": _controller("cluster-autoscaler"),
    "karpenter": _controller("karpenter"),
    "nvidia-device-plugin": _closed,
    "dcgm-exporter": _dcgm_exporter,
}
