"""Secrets: ExternalSecrets for those that External Secrets creates, and a list of those that must exist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from modelyard.manifest import labels, metadata, object_of
from modelyard.plan import Resource, Secret, of_type
from modelyard.records import record
from modelyard.source import Path
from modelyard.spec import SecretRef, SecretStore
from modelyard.stack import Manifest, Value
from modelyard_targets.kube.monitoring.channels import cluster_channel
from modelyard_targets.kube.placement.context import Context, KubeObject, secret_name
from modelyard_targets.kube.storage.buckets import driver_of

COMPONENT = "secret"
LOGIN_KEYS = ("username", "password")
CERTIFICATE_KEYS = ("tls.crt", "tls.key")

OWN_STORE = "secrets-manager"
"""The value of a secret's `via` if the secret is in the cloud's own secrets service."""


@record
class NeededSecret:
    """A Kubernetes Secret, its keys in use, and the workloads that use it."""

    name: str
    namespace: str
    ref: SecretRef  # the first reference to the Secret; other references may have a different key
    keys: tuple[str, ...]
    workloads: tuple[str, ...]
    origin: Path
    certificate: bool


def secrets_of(resources: Sequence[Resource], context: Context) -> tuple[NeededSecret, ...]:
    """Return each Secret used by the given resources, without duplicates and in order of first use."""
    by_name: dict[tuple[str, str], list[Resource[Secret]]] = {}
    for resource in of_type(resources, Secret):
        name = secret_name(resource.value.ref, context.target)
        for namespace in _namespaces(resource.value.ref, context):
            by_name.setdefault((namespace, name), []).append(resource)
    gateway = context.target.gateway
    certificate = gateway.certificate if gateway else None
    return tuple(
        NeededSecret(
            name=name,
            namespace=namespace,
            ref=uses[0].value.ref,
            keys=tuple(dict.fromkeys(key for use in uses for key in keys_of(use.value.ref, context))),
            workloads=tuple(dict.fromkeys(chain.from_iterable(use.value.workloads for use in uses))),
            origin=uses[0].origin,
            certificate=any(use.value.ref == certificate for use in uses),
        )
        for (namespace, name), uses in by_name.items()
    )


def keys_of(ref: SecretRef, context: Context) -> tuple[str, ...]:
    """Return the Secret keys a reference uses, either named or implied by the reference's location in the spec."""
    if ref.key:
        return (ref.key,)
    gateway = context.target.gateway
    if gateway is not None and gateway.certificate == ref:
        return CERTIFICATE_KEYS
    buckets = (store for store in context.system.stores.values() if store.type == "object" and store.opened_by(ref))
    bucket = next(buckets, None)
    if bucket is None:
        return LOGIN_KEYS
    return tuple(key.name for key in driver_of(bucket, context.system).keys)


def lower_secrets(resources: Sequence[Resource], context: Context) -> Iterator[KubeObject]:
    """Yield the platform's secret stores, and an ExternalSecret for each Secret that doesn't exist yet."""
    yield from context.platform.secret_stores(context)
    for secret in secrets_of(resources, context):
        store = store_of(secret.ref, context)
        if store.via != "existing":
            yield KubeObject(secret.origin, _external_secret(secret, store, context))


def existing_secrets(resources: Sequence[Resource], context: Context) -> tuple[NeededSecret, ...]:
    """Return the Secrets that must exist before deployment."""
    return tuple(secret for secret in secrets_of(resources, context) if store_of(secret.ref, context).via == "existing")


def store_of(ref: SecretRef, context: Context) -> SecretStore:
    """Return a reference's secret store. If the target doesn't declare it, the Secret must already exist."""
    declared = {store.name: store for store in context.target.secret_stores}
    return declared.get(ref.store, SecretStore(ref.store))


def store_kind(store: SecretStore, context: Context) -> str:
    """Return the kind of the External Secrets object for a secret store."""
    if store.via == OWN_STORE:
        return own_kind(context)
    return "ClusterSecretStore" if store.scope == "cluster" else "SecretStore"


def own_kind(context: Context) -> str:
    """Return the kind of the system's secret store in its cloud. Tenants get a namespaced one."""
    return "SecretStore" if context.target.tenancy == "shared" else "ClusterSecretStore"


def store_object(store: SecretStore, context: Context) -> str:
    """Return the name of the External Secrets object for a secret store."""
    return own_store(context) if store.via == OWN_STORE else store.store or store.name


def own_place(context: Context) -> dict[str, str]:
    """Return the metadata that identifies the system's secret store: its name and, if any, its namespace."""
    name = own_store(context)
    return (
        {"name": name} if own_kind(context) == "ClusterSecretStore" else {"name": name, "namespace": context.namespace}
    )


def own_readers(context: Context) -> dict[str, list[Value]]:
    """Return the namespaces that may read a cluster-scoped secret store: the system's and possibly Prometheus's.

    A cluster created by modelyard has no other systems, so the Prometheus namespace may always read the store there.
    """
    if own_kind(context) != "ClusterSecretStore":
        return {}
    spaces = [context.namespace, context.target.telemetry.namespace]
    if context.target.cluster.adopt:
        readers = {secret.namespace for secret in secrets_of(context.plan.on(context.placement), context)}
        spaces = [space for space in spaces if space == context.namespace or space in readers]
    namespaces: list[Value] = list(dict.fromkeys(spaces))
    return {"conditions": [{"namespaces": namespaces}]}


def own_store(context: Context) -> str:
    """Return the name of the system's secret store in its cloud, which is usually cluster-scoped.

    In a cluster shared with other systems, the name contains the namespace.
    """
    return f"{OWN_STORE}.{context.namespace}" if context.target.cluster.adopt else OWN_STORE


def _namespaces(ref: SecretRef, context: Context) -> tuple[str, ...]:
    """Return the namespaces that need a Secret.

    The Prometheus namespace needs the remote-write token. Both the Prometheus namespace and the system's need the key
    of the channel for cluster alerts. All other Secrets are only needed in the system's namespace.
    """
    telemetry = context.target.telemetry
    if ref == telemetry.secret:
        return (telemetry.namespace,)
    channel = cluster_channel(context)
    shared = channel is not None and channel.secret == ref
    return (context.namespace, telemetry.namespace) if shared else (context.namespace,)


def _external_secret(secret: NeededSecret, store: SecretStore, context: Context) -> Manifest:
    labelled = labels(context.system.metadata.name, secret.name, component=COMPONENT)
    own = store.via == OWN_STORE
    path = context.platform.secret_name(secret.ref.path) if own else secret.ref.path
    template: dict[str, Value] = {"template": {"type": "kubernetes.io/tls"}} if secret.certificate else {}
    return object_of(
        "external-secrets.io/v1",
        "ExternalSecret",
        metadata(secret.name, secret.namespace, labelled),
        spec={
            "refreshInterval": f"{store.refresh_s}s",
            "secretStoreRef": {"name": store_object(store, context), "kind": store_kind(store, context)},
            "target": {"name": secret.name, "creationPolicy": "Owner", "deletionPolicy": "Retain", **template},
            "data": [{"secretKey": key, "remoteRef": {"key": path, "property": key}} for key in secret.keys],
        },
    )
