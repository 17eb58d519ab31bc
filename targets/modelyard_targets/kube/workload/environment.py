"""What the containers of a workload get from outside: addresses, credentials, and the files that describe them."""

from __future__ import annotations

from typing import Final

from modelyard.manifest import config_map, env, env_from_secret, labels, metadata
from modelyard.plan import Job, ModelServer, Resource
from modelyard.records import record
from modelyard.source import Json
from modelyard.spec import Inference, SecretRef, Store
from modelyard.stack import Value
from modelyard.writers.json_text import json_text
from modelyard_targets.kube.placement.context import Context, Made, region_of
from modelyard_targets.kube.placement.fixed import OBJECT_STORE_KEYS
from modelyard_targets.kube.storage.bundles import experiment_name
from modelyard_targets.kube.storage.crossing import crossing_to
from modelyard_targets.kube.workload.describe import DESCRIPTION_FOLDER, TOKEN_FOLDER, stores_of, uses_registry
from modelyard_targets.kube.workload.describe_parts import store_variable
from modelyard_targets.kube.workload.registry_access import login_of


@record
class KeyPair:
    """The two keys of a Secret that open a store."""

    secret: str
    access_key_id: str
    secret_access_key: str

    def variables(self, prefix: str) -> list[Value]:
        """Both as variables of the environment."""
        return [
            env_from_secret(f"{prefix}ACCESS_KEY_ID", self.secret, self.access_key_id),
            env_from_secret(f"{prefix}SECRET_ACCESS_KEY", self.secret, self.secret_access_key),
        ]


S3_CHECKSUMS: Final = {
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
}
"""Since 2025 the AWS SDKs add checksums to every request that many S3-compatible services refuse or do not know
(docs.aws.amazon.com/sdkref, "Data Integrity Protections for Amazon S3", read 2026-11-24).
"""


def variables(resource: Resource, context: Context) -> list[Value]:
    """Environment of every container of ours in a workload: where its registry and stores are, and how they open."""
    found: list[Value] = []
    if uses_registry(resource, context):
        found += _registry_variables(resource, context)
        value = resource.value
        if isinstance(value, Job) and value.pipeline.type == "training" and value.model is not None:
            found.append(env("MLFLOW_EXPERIMENT_NAME", experiment_name(value.model, context)))
    stores = stores_of(resource.workload, context)
    for store in stores:
        found += _store_variables(store, resource.workload, context)
    if any(store.endpoint for store in (*stores, *_artifacts(resource, context))):
        found += [env(name, value) for name, value in S3_CHECKSUMS.items()]
    return found


def _artifacts(resource: Resource, context: Context) -> tuple[Store, ...]:
    """The store that the registry of a workload keeps its artifacts in."""
    registry = context.system.registry
    if registry is None or not registry.artifacts or not uses_registry(resource, context):
        return ()
    return (context.system.stores[registry.artifacts],)


def _registry_variables(resource: Resource, context: Context) -> list[Value]:
    found: list[Value] = [env("MLFLOW_TRACKING_URI", context.registry_uri)]
    registry = context.system.registry
    if registry is None:
        return found
    login = login_of(resource, context)
    if registry.adopt and registry.credentials is not None:
        found += _registry_credentials(registry.credentials, context)
    elif login is not None:
        found += login.variables()
    if registry.artifacts:
        found += _artifact_variables(context.system.stores[registry.artifacts], resource.workload, context)
    return found


def _registry_credentials(ref: SecretRef, context: Context) -> list[Value]:
    if ref.key:
        token = context.secret(ref)
        return [env_from_secret("MLFLOW_TRACKING_TOKEN", token.name, token.key)]
    user, password = context.secret(ref, "username"), context.secret(ref, "password")
    return [
        env_from_secret("MLFLOW_TRACKING_USERNAME", user.name, user.key),
        env_from_secret("MLFLOW_TRACKING_PASSWORD", password.name, password.key),
    ]


def _artifact_variables(store: Store, workload: str, context: Context) -> list[Value]:
    """MLflow opens its artifacts by the standard variables of S3 alone."""
    found: list[Value] = []
    if store.endpoint:
        found += [env("AWS_ENDPOINT_URL", store.endpoint), env("MLFLOW_S3_ENDPOINT_URL", store.endpoint)]
    region = region_of(store, context.system)
    if region:
        found.append(env("AWS_DEFAULT_REGION", region))
    pair = pair_of(store, workload, context)
    return [*found, *(pair.variables("AWS_") if pair is not None else ())]


def _store_variables(store: Store, workload: str, context: Context) -> list[Value]:
    pair = pair_of(store, workload, context)
    return pair.variables(store_variable(store.name, "")) if pair is not None else []


def pair_of(store: Store, workload: str, context: Context) -> KeyPair | None:
    """The keys that open a store: the spec's, or those of a crossing; None where an identity does."""
    credentials = store.credentials_of(workload)
    if credentials is not None:
        return KeyPair(context.secret(credentials).name, *OBJECT_STORE_KEYS)
    crossing = crossing_to(store, workload, context)
    return KeyPair(crossing.secret, *crossing.keys) if crossing is not None else None


def description_name(resource: Resource) -> str:
    """The ConfigMap with a workload's description."""
    return f"{resource.name}-description"


def description(resource: Resource, described: dict[str, Json], component: str, context: Context) -> Made:
    """The ConfigMap that holds what the runtime reads."""
    labelled = labels(context.system.metadata.name, resource.name, resource.workload, component)
    meta = metadata(description_name(resource), context.namespace, labelled)
    return Made(resource.origin, config_map(meta, {"workload.json": json_text(described)}))


def description_volume(resource: Resource) -> dict[str, Value]:
    """The volume of the description."""
    return {"name": "description", "configMap": {"name": description_name(resource)}}


def description_mount() -> dict[str, Value]:
    """Where the description is mounted, as a folder, so that a change reaches a Pod that runs."""
    return {"name": "description", "mountPath": DESCRIPTION_FOLDER, "readOnly": True}


def token_volumes(server: ModelServer, context: Context) -> list[Value]:
    """The tokens of the callers of a server's endpoints, a file for each caller that follows its Secret."""
    sources: list[Value] = []
    members: dict[str, Inference] = {one.inference.name: one.inference for one in server.applications}
    for name, inference in members.items():
        for caller in inference.endpoint.auth.callers:
            secret = context.secret(caller.token)
            items: list[Value] = [{"key": secret.key, "path": f"{name}/{caller.name}"}]
            sources.append({"secret": {"name": secret.name, "items": items}})
    return [{"name": "tokens", "projected": {"sources": sources}}] if sources else []


def token_mount() -> dict[str, Value]:
    """Where tokens are mounted."""
    return {"name": "tokens", "mountPath": TOKEN_FOLDER, "readOnly": True}


def service_account(resource: Resource, context: Context, launcher: bool = False) -> str:
    """The ServiceAccount that a workload runs as."""
    identity = context.identity(resource.workload, launcher)
    assert identity is not None
    return identity.name
