"""A cloud's secrets and database logins as Kubernetes objects in the workloads program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.manifest import labels
from modelyard.plan import Kind, Secret
from modelyard.program import Call, Ref
from modelyard.spec import Store
from modelyard_targets.kube.access.secrets import OWN_STORE, own_kind, own_place, own_readers, own_store, store_of
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import managed_stores
from modelyard_targets.kube.placement.platform import SERVICE, SERVICE_FOLDER, Argument, ManagedDatabase, as_literal

SECRETS_MANAGER: Final = OWN_STORE
"""The ClusterSecretStore for the cloud's own secrets service. Its name is the `via` of a secret store."""

_LOGIN_REFRESH: Final = "5m"
"""The refresh interval of database logins. After a rotation, new connections fail until the new password has arrived.
"""

_SERVICES: Final = f"[{SERVICE}]\nuser={{{{ .username }}}}\npassword={{{{ .password }}}}\n"
_REQUIRED: Final = "sslmode=require\n"
"""A line that requires TLS, because libpq's default would fall back to a plain-text connection to any server."""

_AUTHORITY: Final = "authority.pem"
_VERIFIED: Final = f"sslmode=verify-ca\nsslrootcert={SERVICE_FOLDER}/{_AUTHORITY}\n"
"""Lines that also require a certificate from the server's own authority, which signs only for that server.

`verify-full`, which also checks the name, would prove nothing more, and clients connect to an address.
"""

_POSTGRESQL: Final = 5432


def has_own_store(context: Context) -> bool:
    """Return whether a placement reads secrets from the cloud's own service.

    This applies both to secrets in the spec and to database logins.
    """
    secrets = context.plan.of(Secret, context.placement)
    requested = any(store_of(secret.value.ref, context).via == SECRETS_MANAGER for secret in secrets)
    return requested or bool(managed_stores(context.plan, context.placement, Kind.DATABASE))


def secrets_store(context: Context, provider: Mapping[str, Argument]) -> Iterator[Call]:
    """Yield the ClusterSecretStore for the cloud's own service, limited to this system's namespaces.

    `provider` describes how to reach the service. External Secrets authenticates using its own identity, which can't
    read any other secrets.
    """
    if not has_own_store(context):
        return
    document: dict[str, Argument] = {
        "apiVersion": "external-secrets.io/v1",
        "kind": own_kind(context),
        "metadata": {
            **own_place(context),
            "labels": labels(context.system.metadata.name, SECRETS_MANAGER, component="secret"),
        },
        "spec": {**own_readers(context), "provider": provider},
    }
    yield program_object("secret_store", own_store(context), document, "")


def managed_database(store: Store, context: Context, network: str, *, has_authority: bool = False) -> ManagedDatabase:
    """Return a database in the cloud, within the `network` range. Its login is JSON in the secret service.

    The database's address and secret name are outputs of the infrastructure project. If the cloud has a certificate
    authority for each database, its certificate is an output too.
    """
    output, secret = store.called.replace("-", "_"), f"{store.called}-login"
    secret_ref = Ref("infrastructure", key=f"{output}_secret")
    data: list[Argument] = [
        {"secretKey": key, "remoteRef": {"key": secret_ref, "property": key}} for key in ("username", "password")
    ]
    certificate = Ref("infrastructure", key=f"{output}_authority")
    authority: dict[str, Argument] = {_AUTHORITY: certificate} if has_authority else {}
    # with `Merge`, the Secret has both keys in addition to these
    more: dict[str, Argument] = {
        "services": _SERVICES + (_VERIFIED if has_authority else _REQUIRED),
        **authority,
        "host": Ref("infrastructure", key=f"{output}_host"),
    }
    template: dict[str, Argument] = {"mergePolicy": "Merge", "data": more}
    document: dict[str, Argument] = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {
            "name": secret,
            "namespace": context.namespace,
            "labels": labels(context.system.metadata.name, secret, f"stores.{store.name}", "database"),
        },
        "spec": {
            "refreshInterval": _LOGIN_REFRESH,
            "secretStoreRef": {"kind": own_kind(context), "name": own_store(context)},
            "target": {"name": secret, "creationPolicy": "Owner", "deletionPolicy": "Retain", "template": template},
            "data": data,
        },
    }
    return ManagedDatabase(
        host=Ref("infrastructure", key=f"{output}_host"),
        port=_POSTGRESQL,
        network=network,
        secret=secret,
        login=program_object(f"{store.called}_login", f"{context.namespace}/{secret}", document, "registry"),
        files=("services", *authority),
    )


def program_object(variable: str, name: str, document: Mapping[str, Argument], group: str) -> Call:
    """Build an object in the workloads program, since some of its values are only known at run time."""
    arguments = (("cluster", Ref("cluster")), ("document", as_literal(document)))
    return Call(variable, "kubernetes.Object", name, arguments, group)
