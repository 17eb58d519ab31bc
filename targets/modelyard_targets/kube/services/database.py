"""PostgreSQL databases, which can be run by CloudNativePG, managed by the cloud, or adopted by address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.manifest import WORKLOAD, cpu_text, labels, memory_text, metadata, object_of
from modelyard.plan import Kind, Resource
from modelyard.program import Ref
from modelyard.records import record
from modelyard.spec import Store
from modelyard.stack import Manifest, Value
from modelyard_targets.kube.network.policies import namespace, network_policy, ports, prometheus_pods, reach_api
from modelyard_targets.kube.placement.context import Context, KubeObject, database_name, mirrored
from modelyard_targets.kube.placement.placed import managed_stores
from modelyard_targets.kube.pods.frame import support_place, tolerations
from modelyard_targets.kube.pods.platform_sizes import database_size

COMPONENT: Final = "database"
PORT: Final = 5432
STATUS_PORT: Final = 8000
METRICS_PORT: Final = 9187
PROTECT: Final = "modelyard.dev/protect"
"""The annotation on resources with data, which the component library protects from `destroy`."""

IMAGE: Final = "ghcr.io/cloudnative-pg/postgresql:18.6-system-trixie"
"""The PostgreSQL image, pinned to the default of operator 1.30.0 (its pkg/versions, read 2026-11-24)."""


@record
class Login:
    """A database's address, and the Secret with its login."""

    host: str | Ref  # a Ref if the address is only known while the program runs
    port: int
    database: str
    secret: str
    username_key: str
    password_key: str


def databases_here(context: Context) -> tuple[Resource[Store], ...]:
    """Return the databases that run as Pods in the cluster."""
    managed = managed_stores(context.plan, context.placement, Kind.DATABASE)
    return tuple(store for store in managed if context.platform.database(store.value, context) is None)


def login_of(store: Store, context: Context) -> Login:
    """Return the address and login for clients in the cluster.

    For an adopted database, the address in the spec has the form `host[:port]/database`.
    """
    if store.adopt:
        address, _, database = store.adopt.partition("/")
        host, _, port = address.partition(":")
        secret = context.secret(store.credentials).name if store.credentials else ""
        return Login(host, int(port or PORT), database or store.called, secret, "username", "password")
    managed = context.platform.database(store, context)
    if managed is not None:
        return Login(managed.host, managed.port, database_name(store), managed.secret, "username", "password")
    host = f"{store.called}-rw.{context.namespace}.svc.cluster.local"
    return Login(host, PORT, database_name(store), f"{store.called}-app", "username", "password")


def instances(name: str) -> dict[str, Value]:
    """Select the Pods of a database by CloudNativePG's label."""
    return {"podSelector": {"matchLabels": {"cnpg.io/cluster": name}}}


def lower_database(resource: Resource[Store], context: Context, operator_namespace: str) -> Iterator[KubeObject]:
    """Yield a database's network policy, Cluster and PodMonitor.

    Adopted and cloud-managed databases need none of them.
    """
    store = resource.value
    if store.adopt or context.platform.database(store, context) is not None:
        return
    yield _policy(resource, context, operator_namespace)
    yield KubeObject(resource.origin, _cluster(resource, store, context))
    if context.monitored:
        yield KubeObject(resource.origin, _scraped(resource, context))


def _cluster(resource: Resource, store: Store, context: Context) -> Manifest:
    size = database_size(context.system, context.target)
    resources: dict[str, Value] = {"cpu": cpu_text(size.cpu_millis), "memory": memory_text(size.memory_bytes)}
    place = support_place(context)
    labelled = labels(context.system.metadata.name, store.called, f"stores.{store.name}", COMPONENT)
    storage: dict[str, Value] = {"size": memory_text(store.size_bytes or 0)}
    if context.target.storage_class:
        storage["storageClass"] = context.target.storage_class
    affinity: dict[str, Value] = {"enablePodAntiAffinity": True, "topologyKey": "kubernetes.io/hostname"}
    if place.selector:
        affinity["nodeSelector"] = dict(place.selector)
    if place.tolerations:
        affinity["tolerations"] = tolerations(place.tolerations)
    pull = context.target.images.pull_secret
    owner = database_name(store)
    spec: dict[str, Value] = {
        "instances": store.replicas or 1,
        "imageName": mirrored(IMAGE, context.target),
        "imagePullPolicy": "IfNotPresent",
        **({"imagePullSecrets": [{"name": pull}]} if pull else {}),
        "bootstrap": {"initdb": {"database": owner, "owner": owner}},
        "storage": storage,
        "resources": {"requests": dict(resources), "limits": dict(resources)},
        "affinity": affinity,
        "enableSuperuserAccess": False,
        "inheritedMetadata": {"labels": labelled},
    }
    described = metadata(store.called, context.namespace, labelled, {PROTECT: "true"})
    return object_of("postgresql.cnpg.io/v1", "Cluster", described, spec=spec)


def _scraped(resource: Resource, context: Context) -> Manifest:
    """Build the PodMonitor for metrics such as replication lag, as the operator's own field is deprecated."""
    labelled = labels(context.system.metadata.name, resource.name, resource.workload, COMPONENT)
    labelled = {**labelled, **dict(context.target.telemetry.prometheus_labels)}
    spec: dict[str, Value] = {
        "selector": {"matchLabels": {"cnpg.io/cluster": resource.name}},
        "podTargetLabels": [WORKLOAD],
        "podMetricsEndpoints": [{"port": "metrics"}],
    }
    described = metadata(f"database-{resource.name}", context.namespace, labelled)
    return object_of("monitoring.coreos.com/v1", "PodMonitor", described, spec=spec)


def _policy(resource: Resource, context: Context, operator_namespace: str) -> KubeObject:
    """Build the policy that allows ingress from the registry, other instances, the operator and Prometheus."""
    own = instances(resource.name)
    registry = {"modelyard.dev/system": context.system.metadata.name, "modelyard.dev/component": "registry"}
    clients: dict[str, Value] = {"podSelector": {"matchLabels": registry}}
    ingress: list[Value] = [
        {"from": [own], "ports": ports(PORT, STATUS_PORT)},
        {"from": [clients], "ports": ports(PORT)},
        {"from": [namespace(operator_namespace)], "ports": ports(STATUS_PORT, PORT)},
    ]
    if context.monitored:
        ingress.append({"from": [prometheus_pods(context)], "ports": ports(METRICS_PORT)})
    egress: list[Value] = [{"to": [own], "ports": ports(PORT, STATUS_PORT)}, reach_api(context)]
    selector: dict[str, Value] = {"cnpg.io/cluster": resource.name}
    return network_policy(resource, resource.name, selector, context, ingress=ingress, egress=egress)
