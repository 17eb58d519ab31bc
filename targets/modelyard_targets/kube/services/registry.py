"""The built-in registry: MLflow in the runtime image behind a login (docs/decisions/0035-registry-login.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.manifest import config_map, env, env_from_secret, labels, metadata, object_of, resources
from modelyard.plan import RegistryServer, Resource
from modelyard.source import Json
from modelyard.spec import Store
from modelyard.stack import Manifest, Value
from modelyard.writers.json_text import json_text
from modelyard_targets.kube.data.openings import opening_of
from modelyard_targets.kube.network.policies import network_policy, ports, reach, reach_identity, reach_store
from modelyard_targets.kube.placement.context import REGISTRY_PORT, Context, KubeObject
from modelyard_targets.kube.placement.fixed import ADMIN_SECRET, REGISTRY_NAME
from modelyard_targets.kube.placement.platform import SERVICE, SERVICE_FOLDER, ManagedDatabase
from modelyard_targets.kube.pods.frame import container, pod_spec, support_place
from modelyard_targets.kube.pods.platform_sizes import registry_replicas, registry_size, registry_workers
from modelyard_targets.kube.services.database import instances, login_of
from modelyard_targets.kube.storage.buckets import driver_of
from modelyard_targets.kube.workload.describe import API_VERSION, DESCRIPTION_FOLDER
from modelyard_targets.kube.workload.describe_parts import digest
from modelyard_targets.kube.workload.environment import description_name, with_identities
from modelyard_targets.kube.workload.foreign import foreign_mounts, foreign_volumes
from modelyard_targets.kube.workload.ray_cluster import DIGEST
from modelyard_targets.kube.workload.registry_access import (
    LOGIN_KEYS,
    SESSION_KEY,
    described_access,
    logins,
)

COMPONENT: Final = "registry"
NAME: Final = REGISTRY_NAME
"""The name of the registry's Service and the name label of its Pods."""

LOGINS_FOLDER: Final = "/etc/modelyard-logins"


def lower_registry(resource: Resource[RegistryServer], context: Context) -> Iterator[KubeObject]:
    """Yield the objects that run MLflow, including its network policy and Service, unless the registry is adopted."""
    server = resource.value
    if server.registry.adopt:
        return
    yield _network(resource, server, context)
    described = _described(server, context)
    meta = metadata(description_name(resource), context.namespace, _labels(context))
    yield KubeObject(resource.origin, config_map(meta, {"workload.json": json_text(described)}))
    if registry_replicas(context.system, context.target) > 1:
        budget: dict[str, Value] = {"minAvailable": 1, "selector": {"matchLabels": _selector()}}
        yield KubeObject(resource.origin, _object("policy/v1", "PodDisruptionBudget", budget, context))
    port: dict[str, Value] = {"name": "http", "port": REGISTRY_PORT, "targetPort": "http"}
    service: dict[str, Value] = {"selector": _selector(), "ports": [port]}
    yield KubeObject(resource.origin, _object("v1", "Service", service, context))
    yield KubeObject(
        resource.origin, _object("apps/v1", "Deployment", _deployment(resource, described, context), context)
    )


def _network(resource: Resource, server: RegistryServer, context: Context) -> KubeObject:
    """Build the registry's network policy."""
    clients: dict[str, Value] = {"podSelector": {"matchLabels": {"modelyard.dev/system": context.system.metadata.name}}}
    egress: list[Value] = []
    if server.database is not None:
        egress += _reach_database(server.database, context)
    if server.artifacts is not None:
        egress += reach_store(server.artifacts, context)
    egress += reach_identity("registry", context)
    ingress: list[Value] = [{"from": [clients], "ports": ports(REGISTRY_PORT)}]
    return network_policy(resource, NAME, _selector(), context, ingress=ingress, egress=egress)


def _reach_database(store: Store, context: Context) -> list[Value]:
    """Allow egress to the registry's database: our own, in the cloud's network, or at an adopted address."""
    login = login_of(store, context)
    if store.adopt:
        return reach(f"postgresql://{login.host}:{login.port}", context)
    managed = context.platform.database(store, context)
    if managed is not None:
        return [{"to": [{"ipBlock": {"cidr": managed.network}}], "ports": ports(managed.port)}]
    return [{"to": [instances(store.called)], "ports": [{"protocol": "TCP", "port": login.port}]}]


def _described(server: RegistryServer, context: Context) -> dict[str, Json]:
    """Return the server's description for the runtime.

    MLflow only answers requests to known hosts, i.e. its Service and, for port forwarding, localhost.
    """
    assert server.artifacts is not None
    own = f"{NAME}.{context.namespace}"
    names = (NAME, own, f"{own}.svc", f"{own}.svc.cluster.local")
    hosts: list[Json] = [*(f"{name}:{REGISTRY_PORT}" for name in names), "localhost:*", "127.0.0.1:*"]
    described: dict[str, Json] = {
        "host": "0.0.0.0",
        "port": str(REGISTRY_PORT),
        "workers": str(registry_workers(context.system, context.target)),
        "allowedHosts": hosts,
        "artifacts": context.uri(server.artifacts, server.registry.artifact_path.rstrip("/")),
        **described_access(context),
    }
    return {"apiVersion": API_VERSION, "kind": "Workload", "address": "registry", "server": described}


def _deployment(resource: Resource[RegistryServer], described: dict[str, Json], context: Context) -> dict[str, Value]:
    server = resource.value
    managed = _managed(server, context)
    services: dict[str, Value] = {"name": "services", "mountPath": SERVICE_FOLDER, "readOnly": True}
    size = registry_size(context.system, context.target)
    health: dict[str, Value] = {"httpGet": {"path": "/health", "port": "http"}, "timeoutSeconds": 10}
    serve = container(
        "mlflow",
        context.runtime_image,
        resources(size.cpu_millis, size.memory_bytes),
        environment=_environment(server, context),
        mounts=[
            {"name": "description", "mountPath": DESCRIPTION_FOLDER, "readOnly": True},
            {"name": "logins", "mountPath": LOGINS_FOLDER, "readOnly": True},
            # mount the folder, because `subPath` mounts are not updated
            *([services] if managed else []),
            *foreign_mounts("registry", context),
        ],
        command=["python", "-m", "modelyard_runtime", "registry"],
        ports=[{"name": "http", "containerPort": REGISTRY_PORT}],
        startupProbe={**health, "periodSeconds": 5, "failureThreshold": 120},
        livenessProbe={**health, "periodSeconds": 20},
        readinessProbe={**health, "periodSeconds": 10},
    )
    identity = context.identity("registry")
    assert identity is not None
    pod = pod_spec(
        [serve],
        context,
        account=identity.name,
        token=False,
        place=support_place(context),
        volumes=_volumes(resource, managed, context),
        topologySpreadConstraints=[
            {
                "maxSkew": 1,
                "topologyKey": key,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": _selector()},
            }
            for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
        ],
    )
    labelled = {**_labels(context), **context.identity_labels("registry")}
    template: dict[str, Value] = {"labels": labelled, "annotations": {DIGEST: digest(described)}}
    return {
        "replicas": registry_replicas(context.system, context.target),
        "selector": {"matchLabels": _selector()},
        "template": {"metadata": template, "spec": pod},
    }


def _volumes(resource: Resource, managed: ManagedDatabase | None, context: Context) -> list[Value]:
    """Return the volumes for the description, workload passwords and the cloud database login."""
    _, password = LOGIN_KEYS
    sources: list[Value] = [
        {"secret": {"name": login.secret, "items": [{"key": password, "path": login.user}]}}
        for login in logins(context)
    ]
    volumes: list[Value] = [
        {"name": "description", "configMap": {"name": description_name(resource)}},
        {"name": "logins", "projected": {"sources": sources}},
    ]
    if managed is not None:
        items: list[Value] = [{"key": file, "path": file} for file in managed.files]
        volumes.append({"name": "services", "secret": {"secretName": managed.secret, "items": items}})
    return [*volumes, *foreign_volumes("registry", context)]


def _environment(server: RegistryServer, context: Context) -> list[Value]:
    """Return the environment variables for the database, the artifact bucket and the administrator's login."""
    user, password = LOGIN_KEYS
    return [
        *_database(server, context),
        *with_identities(_artifacts(server, context), "registry", context),
        env_from_secret("MLFLOW_AUTH_ADMIN_USERNAME", ADMIN_SECRET, user),
        env_from_secret("MLFLOW_AUTH_ADMIN_PASSWORD", ADMIN_SECRET, password),
        env_from_secret("MLFLOW_FLASK_SERVER_SECRET_KEY", ADMIN_SECRET, SESSION_KEY),
        env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false"),
    ]


def _database(server: RegistryServer, context: Context) -> list[Value]:
    """Return the libpq variables. For a cloud database, libpq reads the password from a file on every connection."""
    assert server.database is not None
    login = login_of(server.database, context)
    where = [env("PGPORT", str(login.port)), env("PGDATABASE", login.database)]
    managed = _managed(server, context)
    if managed is not None:
        file = f"{SERVICE_FOLDER}/services"
        host = env_from_secret("PGHOST", managed.secret, "host")
        return [host, *where, env("PGSERVICE", SERVICE), env("PGSERVICEFILE", file)]
    return [
        env("PGHOST", str(login.host)),
        *where,
        env_from_secret("PGUSER", login.secret, login.username_key),
        env_from_secret("PGPASSWORD", login.secret, login.password_key),
    ]


def _artifacts(server: RegistryServer, context: Context) -> list[Value]:
    """Return the variables for the artifact store.

    The server only reads artifacts, as workloads write them directly.
    """
    store = server.artifacts
    assert store is not None
    return driver_of(store, context.system).server(opening_of(store, "registry", context))


def _managed(server: RegistryServer, context: Context) -> ManagedDatabase | None:
    """Return the registry's database if the cloud manages it, or None."""
    return context.platform.database(server.database, context) if server.database is not None else None


def _selector() -> dict[str, Value]:
    return {"app.kubernetes.io/name": NAME}


def _labels(context: Context) -> dict[str, Value]:
    return labels(context.system.metadata.name, NAME, "registry", COMPONENT)


def _object(version: str, kind: str, spec: dict[str, Value], context: Context) -> Manifest:
    return object_of(version, kind, metadata(NAME, context.namespace, _labels(context)), spec=spec)
