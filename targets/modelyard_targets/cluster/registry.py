"""The registry that runs here: MLflow by its Helm chart. What is not the chart's lies in the manifests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.manifest import cpu_text, labels, memory_text, metadata, object_of
from modelyard.plan import RegistryServer, Resource
from modelyard.spec import Store
from modelyard.stack import Value
from modelyard_targets.cluster.context import REGISTRY_PORT, Context, Made, bucket_name, mirrored, region_of
from modelyard_targets.cluster.database import instances, login_of
from modelyard_targets.cluster.environment import S3_CHECKSUMS, pair_of
from modelyard_targets.cluster.fixed import REGISTRY_NAME
from modelyard_targets.cluster.network import network_policy, ports, reach, reach_identity, reach_store
from modelyard_targets.cluster.platform import SERVICE, Given, ManagedDatabase
from modelyard_targets.cluster.platform_sizes import registry_replicas, registry_size
from modelyard_targets.cluster.pods import support_place, tolerations

COMPONENT: Final = "registry"
NAME: Final = REGISTRY_NAME
"""Name of its Service and its Pods; what workloads call and policies select."""

IMAGE: Final = "docker.io/burakince/mlflow"
FLASK_SECRET: Final = f"{NAME}-flask-server-secret-key"
"""The chart makes this Secret in a hook, with a value that is new each time: the program makes it instead, once."""

FLASK_KEY: Final = "MLFLOW_FLASK_SERVER_SECRET_KEY"
_USER = 1001
_SERVICES_FOLDER = "/etc/postgresql-services"


def lower_registry(resource: Resource, context: Context) -> Iterator[Made]:
    """Who may reach the registry, what it reaches, and how many drains leave; nothing for an adopted one."""
    server = _server(resource)
    if server.registry.adopt:
        return
    clients: dict[str, Value] = {"podSelector": {"matchLabels": {"modelyard.dev/system": context.system.metadata.name}}}
    egress: list[Value] = []
    if server.database is not None:
        egress += _reach_database(server.database, context)
    if server.artifacts is not None:
        egress += reach_store(server.artifacts, context)
    egress += reach_identity("registry", context)
    ingress: list[Value] = [{"from": [clients], "ports": ports(REGISTRY_PORT)}]
    selector: dict[str, Value] = {"app.kubernetes.io/name": NAME}
    yield network_policy(resource, NAME, selector, context, ingress=ingress, egress=egress)
    if registry_replicas(context.system, context.target) > 1:
        labelled = labels(context.system.metadata.name, resource.name, resource.workload, COMPONENT)
        budget: dict[str, Value] = {"minAvailable": 1, "selector": {"matchLabels": selector}}
        described = metadata(NAME, context.namespace, labelled)
        yield Made(resource.origin, object_of("policy/v1", "PodDisruptionBudget", described, spec=budget))


def _reach_database(store: Store, context: Context) -> list[Value]:
    """The instances of a database of ours and no other Pod beside them; an adopted one by its address."""
    login = login_of(store, context)
    if store.adopt:
        return reach(f"postgresql://{login.host}:{login.port}", context)
    managed = context.platform.database(store, context)
    if managed is not None:
        return [{"to": [{"ipBlock": {"cidr": managed.network}}], "ports": ports(managed.port)}]
    return [{"to": [instances(store.called)], "ports": [{"protocol": "TCP", "port": login.port}]}]


def registry_values(resource: Resource, account: str, context: Context) -> dict[str, Given]:
    """Values of the chart community-charts/mlflow 1.11.5."""
    size = registry_size(context.system, context.target)
    asked: dict[str, Value] = {"cpu": cpu_text(size.cpu_millis), "memory": memory_text(size.memory_bytes)}
    place = support_place(context)
    image: dict[str, Value] = {"repository": mirrored(IMAGE, context.target)}
    pull = context.target.images.pull_secret
    values: dict[str, Given] = {
        "fullnameOverride": NAME,
        "replicaCount": registry_replicas(context.system, context.target),
        "image": image,
        "initImages": {"mlflowDbMigration": image},
        "serviceAccount": {"create": False, "name": account},
        "podSecurityContext": {
            "fsGroup": _USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "extraPodLabels": _pod_labels(context),
        "service": {"port": REGISTRY_PORT},
        "resources": {"requests": dict(asked), "limits": dict(asked)},
        "serverAllowedHosts": _hosts(context),
        "backendStore": _backend(_server(resource), context),
        "artifactRoot": _artifacts(_server(resource), context),
    }
    environment = _environment(_server(resource), context)
    managed = _managed(_server(resource), context)
    if managed is not None:
        environment |= {"PGSERVICE": SERVICE, "PGSERVICEFILE": f"{_SERVICES_FOLDER}/services"}
        file: dict[str, Value] = {"secretName": managed.secret, "items": [{"key": "services", "path": "services"}]}
        values["extraVolumes"] = [{"name": "services", "secret": file}]
        # the folder and not the file alone: what is mounted by `subPath` stays as it was
        values["extraVolumeMounts"] = [{"name": "services", "mountPath": _SERVICES_FOLDER, "readOnly": True}]
    if environment:
        values["extraEnvVars"] = environment
    if pull:
        values["imagePullSecrets"] = [{"name": pull}]
    if place.selector:
        values["nodeSelector"] = dict(place.selector)
    if place.tolerations:
        values["tolerations"] = tolerations(place.tolerations)
    return values


def _managed(server: RegistryServer, context: Context) -> ManagedDatabase | None:
    """The database that a cloud runs: it changes the password, and MLflow has to follow without being started anew."""
    return context.platform.database(server.database, context) if server.database is not None else None


def _server(resource: Resource) -> RegistryServer:
    assert isinstance(resource.value, RegistryServer)
    return resource.value


def _pod_labels(context: Context) -> dict[str, Value]:
    ours = labels(context.system.metadata.name, NAME, "registry", COMPONENT)
    return {key: value for key, value in ours.items() if not key.startswith("app.kubernetes.io/name")}


def _hosts(context: Context) -> list[Value]:
    """MLflow answers only requests to a name that it knows: its Service's, and localhost for a port-forward."""
    own = f"{NAME}.{context.namespace}"
    names = (NAME, own, f"{own}.svc", f"{own}.svc.cluster.local")
    return [*(f"{name}:{REGISTRY_PORT}" for name in names), "localhost:*", "127.0.0.1:*"]


def _backend(server: RegistryServer, context: Context) -> dict[str, Given]:
    assert server.database is not None
    login = login_of(server.database, context)
    return {
        "databaseMigration": True,
        "postgres": {"enabled": True, "host": login.host, "port": login.port, "database": login.database},
        "existingDatabaseSecret": {
            "name": login.secret,
            "usernameKey": login.username_key,
            "passwordKey": login.password_key,
        },
    }


def _artifacts(server: RegistryServer, context: Context) -> dict[str, Value]:
    """Workloads write artifacts themselves, each with its own rights; the server only points there."""
    assert server.artifacts is not None
    bucket: dict[str, Value] = {
        "enabled": True,
        "bucket": bucket_name(server.artifacts, context.system),
        "path": server.registry.artifact_path,
    }
    pair = pair_of(server.artifacts, "registry", context)
    if pair is not None:
        bucket["existingSecret"] = {
            "name": pair.secret,
            "keyOfAccessKeyId": pair.access_key_id,
            "keyOfSecretAccessKey": pair.secret_access_key,
        }
    return {"s3": bucket}


def _environment(server: RegistryServer, context: Context) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if server.artifacts is not None and server.artifacts.endpoint:
        found["MLFLOW_S3_ENDPOINT_URL"] = server.artifacts.endpoint
        found.update(S3_CHECKSUMS)
    if server.artifacts is not None and region_of(server.artifacts, context.system):
        found["AWS_DEFAULT_REGION"] = region_of(server.artifacts, context.system)
    return found
