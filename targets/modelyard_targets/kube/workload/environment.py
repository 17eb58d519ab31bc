"""Environment variables and file mounts of workloads, covering addresses, credentials, descriptions and tokens."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.manifest import config_map, env, env_from_secret, labels, metadata
from modelyard.plan import ModelServer, Resource
from modelyard.source import Json
from modelyard.spec import Inference, SecretRef, Store
from modelyard.stack import Value
from modelyard.writers.json_text import repeated_json_text
from modelyard_targets.kube.data.bundles import experiment_name
from modelyard_targets.kube.data.openings import credentials_of, opening_of
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.storage.buckets import driver_of
from modelyard_targets.kube.workload.describe import DESCRIPTION_FOLDER, TOKEN_FOLDER, stores_of, uses_registry
from modelyard_targets.kube.workload.describe_parts import store_variable
from modelyard_targets.kube.workload.foreign import foreign_variables
from modelyard_targets.kube.workload.registry_access import login_of, trained_by


def variables(resource: Resource, context: Context) -> list[Value]:
    """Return the variables with addresses and credentials for the registry and stores used by a workload."""
    environment: list[Value] = []
    if uses_registry(resource, context):
        environment += _registry_variables(resource, context)
        trained = trained_by(resource)
        if trained is not None:
            environment.append(env("MLFLOW_EXPERIMENT_NAME", experiment_name(trained, context)))
    stores = stores_of(resource.workload, context)
    for store in stores:
        environment += _store_variables(store, resource.workload, context)
    settings: dict[str, str] = {}
    for store in (*stores, *_artifacts(resource, context)):
        settings |= driver_of(store, context.system).settings if store.endpoint else {}
    environment += (env(name, value) for name, value in settings.items())
    return with_identities(environment, resource.workload, context)


def with_identities(existing: list[Value], workload: str, context: Context) -> list[Value]:
    """Add variables for a workload's identities in other clouds, without overriding existing ones."""
    known = {str(each["name"]) for each in existing if isinstance(each, Mapping)}
    added = (each for each in foreign_variables(workload, context) if isinstance(each, Mapping))
    return [*existing, *(each for each in added if str(each["name"]) not in known)]


def _artifacts(resource: Resource, context: Context) -> tuple[Store, ...]:
    """Return the registry's artifact store if a workload uses the registry."""
    registry = context.system.registry
    if registry is None or not registry.artifacts or not uses_registry(resource, context):
        return ()
    return (context.system.stores[registry.artifacts],)


def _registry_variables(resource: Resource, context: Context) -> list[Value]:
    environment: list[Value] = [env("MLFLOW_TRACKING_URI", context.registry_uri)]
    registry = context.system.registry
    if registry is None:
        return environment
    login = login_of(resource, context)
    if registry.adopt and registry.credentials is not None:
        environment += _registry_credentials(registry.credentials, context)
    elif login is not None:
        environment += login.variables()
    if registry.artifacts:
        store = context.system.stores[registry.artifacts]
        environment += driver_of(store, context.system).client(opening_of(store, resource.workload, context))
    return environment


def _registry_credentials(ref: SecretRef, context: Context) -> list[Value]:
    if ref.key:
        token = context.secret(ref)
        return [env_from_secret("MLFLOW_TRACKING_TOKEN", token.name, token.key)]
    user, password = context.secret(ref, "username"), context.secret(ref, "password")
    return [
        env_from_secret("MLFLOW_TRACKING_USERNAME", user.name, user.key),
        env_from_secret("MLFLOW_TRACKING_PASSWORD", password.name, password.key),
    ]


def _store_variables(store: Store, workload: str, context: Context) -> list[Value]:
    credentials = credentials_of(store, workload, context)
    return list(driver_of(store, context.system).key_variables(credentials, store_variable(store.name, "")))


def description_name(resource: Resource) -> str:
    """Return the name of the ConfigMap with a workload's description."""
    return f"{resource.name}-description"


def description(resource: Resource, described: dict[str, Json], component: str, context: Context) -> KubeObject:
    """Build the ConfigMap with a workload's description."""
    labelled = labels(context.system.metadata.name, resource.name, resource.workload, component)
    meta = metadata(description_name(resource), context.namespace, labelled)
    return KubeObject(resource.origin, config_map(meta, {"workload.json": repeated_json_text(described)}))


def description_volume(resource: Resource) -> dict[str, Value]:
    """Return the volume with the description."""
    return {"name": "description", "configMap": {"name": description_name(resource)}}


def description_mount() -> dict[str, Value]:
    """Return the mount for the description.

    It's a folder, since running Pods never see changes to files mounted individually.
    """
    return {"name": "description", "mountPath": DESCRIPTION_FOLDER, "readOnly": True}


def token_volumes(server: ModelServer, context: Context) -> list[Value]:
    """Return a volume with one token file per caller. Files are updated when a Secret changes."""
    sources: list[Value] = []
    members: dict[str, Inference] = {
        application.inference.name: application.inference for application in server.applications
    }
    for name, inference in members.items():
        for caller in inference.endpoint.auth.callers:
            secret = context.secret(caller.token)
            items: list[Value] = [{"key": secret.key, "path": f"{name}/{caller.name}"}]
            sources.append({"secret": {"name": secret.name, "items": items}})
    return [{"name": "tokens", "projected": {"sources": sources}}] if sources else []


def token_mount() -> dict[str, Value]:
    """Return the tokens' mount."""
    return {"name": "tokens", "mountPath": TOKEN_FOLDER, "readOnly": True}


def service_account(resource: Resource, context: Context, launcher: bool = False) -> str:
    """Return the name of the ServiceAccount for a workload or its launcher."""
    identity = context.identity(resource.workload, launcher)
    assert identity is not None
    return identity.name
