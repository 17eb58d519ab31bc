"""Google Cloud services as Kubernetes objects: volumes, secrets and databases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.manifest import labels
from modelyard.plan import Kind, Secret
from modelyard.program import Call, Ref
from modelyard.spec import Store
from modelyard_targets.gcp.check_cluster import STORAGE_CLASS
from modelyard_targets.gcp.machines import PERSISTENT_DISK
from modelyard_targets.gcp.options import nodes_cidr
from modelyard_targets.kube.access.secrets import store_of
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import managed_stores
from modelyard_targets.kube.placement.platform import SERVICE, SERVICE_FOLDER, Given, ManagedDatabase, as_literal

SECRETS_MANAGER: Final = "secrets-manager"
"""The ClusterSecretStore for Secret Manager. Its name is the `via` of a secret store."""

_LOGIN_REFRESH: Final = "5m"
"""The refresh interval of logins. After a rotation, new connections fail until the new password has arrived."""

_AUTHORITY: Final = "authority.pem"
_SERVICES: Final = f"""\
[{SERVICE}]
user={{{{ .username }}}}
password={{{{ .password }}}}
sslmode=verify-ca
sslrootcert={SERVICE_FOLDER}/{_AUTHORITY}
"""
"""The service file requires TLS and the certificate of this instance: libpq's default accepts any server, unencrypted.

The authority signs for one instance only, so `verify-full`, whose name the address does not match, would prove no more.
Source: https://docs.cloud.google.com/sql/docs/postgres/authorize-ssl, 2026-11-27.
"""

_POSTGRESQL: Final = 5432


def storage_classes(context: Context) -> Iterator[Call]:
    """Yield the default storage class: balanced Persistent Disks, encrypted with the infrastructure project's key."""
    document: dict[str, Given] = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "pd.csi.storage.gke.io",
        "parameters": {"type": PERSISTENT_DISK, "disk-encryption-kms-key": Ref("infrastructure", key="key_id")},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }
    yield _object("storage_class", STORAGE_CLASS, document, "cluster")


def secret_store(context: Context) -> Iterator[Call]:
    """Yield the ClusterSecretStore for Secret Manager, limited to this system's namespaces.

    External Secrets authenticates with its own ServiceAccount, which may read no other secrets. The store is a call
    instead of a manifest, because the project may be known only while the program runs.
    """
    secrets = context.plan.of(Secret, context.placement)
    requested = any(store_of(secret.value.ref, context).via == SECRETS_MANAGER for secret in secrets)
    if not requested and not managed_stores(context.plan, context.placement, Kind.DATABASE):
        return
    spaces: list[Given] = list(dict.fromkeys((context.namespace, context.target.telemetry.namespace)))
    document: dict[str, Given] = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ClusterSecretStore",
        "metadata": {
            "name": SECRETS_MANAGER,
            "labels": labels(context.system.metadata.name, SECRETS_MANAGER, component="secret"),
        },
        "spec": {
            "conditions": [{"namespaces": spaces}],
            "provider": {"gcpsm": {"projectID": Ref("infrastructure", key="project")}},
        },
    }
    yield _object("secret_store", SECRETS_MANAGER, document, "")


def database(store: Store, context: Context) -> ManagedDatabase:
    """Return the Cloud SQL database, whose address and secret name are outputs of the infrastructure project."""
    output, secret = store.called.replace("-", "_"), f"{store.called}-login"
    named = Ref("infrastructure", key=f"{output}_secret")
    data: list[Given] = [
        {"secretKey": key, "remoteRef": {"key": named, "property": key}} for key in ("username", "password")
    ]
    # with `Merge`, the Secret has both keys in addition to these
    more: dict[str, Given] = {
        "services": _SERVICES,
        _AUTHORITY: Ref("infrastructure", key=f"{output}_authority"),
        "host": Ref("infrastructure", key=f"{output}_host"),
    }
    template: dict[str, Given] = {"mergePolicy": "Merge", "data": more}
    document: dict[str, Given] = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {
            "name": secret,
            "namespace": context.namespace,
            "labels": labels(context.system.metadata.name, secret, f"stores.{store.name}", "database"),
        },
        "spec": {
            "refreshInterval": _LOGIN_REFRESH,
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": SECRETS_MANAGER},
            "target": {"name": secret, "creationPolicy": "Owner", "deletionPolicy": "Retain", "template": template},
            "data": data,
        },
    }
    return ManagedDatabase(
        host=Ref("infrastructure", key=f"{output}_host"),
        port=_POSTGRESQL,
        network=nodes_cidr(context.target),
        secret=secret,
        login=_object(f"{store.called}_login", f"{context.namespace}/{secret}", document, "registry"),
        files=("services", _AUTHORITY),
    )


def _object(variable: str, name: str, document: Mapping[str, Given], group: str) -> Call:
    arguments = (("cluster", Ref("cluster")), ("document", as_literal(document)))
    return Call(variable, "kubernetes.Object", name, arguments, group)
