"""AWS services as Kubernetes objects: volumes, secrets, databases and load balancers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from modelyard.manifest import labels, object_of
from modelyard.program import Call, Ref
from modelyard.spec import Store, target_path
from modelyard.stack import Value
from modelyard_targets.aws.check_cluster import STORAGE_CLASS
from modelyard_targets.aws.login import login_name
from modelyard_targets.aws.options import vpc_of
from modelyard_targets.cloud.existing_platform import account_reference
from modelyard_targets.cloud.services import SECRETS_MANAGER, has_own_store
from modelyard_targets.kube.access.secrets import own_kind, own_place, own_readers, own_store
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.placement.platform import SERVICE, Argument, ManagedDatabase, as_literal

if TYPE_CHECKING:
    from modelyard.handover import SecretCommands

_LOGIN_REFRESH: Final = "5m"
"""The refresh interval of database logins. RDS rotates them weekly, and the old passwords stop working immediately."""

_SERVICES: Final = f"[{SERVICE}]\nuser={{{{ .username }}}}\npassword={{{{ .password }}}}\n"
_POSTGRESQL: Final = 5432
_BALANCER: Final = "service.beta.kubernetes.io/aws-load-balancer"


def storage_classes(context: Context) -> Iterator[Call]:
    """Yield the default storage class, which is gp3 encrypted with the infrastructure project's key."""
    document: dict[str, Argument] = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "ebs.csi.aws.com",
        "parameters": {"type": "gp3", "encrypted": "true", "kmsKeyId": Ref("infrastructure", key="key_arn")},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }
    yield _object("storage_class", STORAGE_CLASS, document, "cluster")


def secret_stores(context: Context) -> Iterator[KubeObject]:
    """Yield the ClusterSecretStore for Secrets Manager, limited to this system's namespaces."""
    if not has_own_store(context):
        return
    described: dict[str, Value] = {
        **own_place(context),
        "labels": labels(context.system.metadata.name, SECRETS_MANAGER, component="secret"),
    }
    service: dict[str, Value] = {"service": "SecretsManager", "region": context.target.region}
    if context.target.cluster.adopt:
        service["auth"] = {"jwt": {"serviceAccountRef": dict(account_reference(context))}}
    spec: dict[str, Value] = {**own_readers(context), "provider": {"aws": service}}
    manifest = object_of("external-secrets.io/v1", own_kind(context), described, spec=spec)
    yield KubeObject(target_path(context.system, context.placement), manifest)


def database(store: Store, context: Context) -> ManagedDatabase:
    """Return the RDS database, whose address and secret name are outputs of the infrastructure project."""
    output, secret = store.called.replace("-", "_"), f"{store.called}-login"
    secret_ref = Ref("infrastructure", key=f"{output}_secret")
    data: list[Argument] = [
        {"secretKey": key, "remoteRef": {"key": secret_ref, "property": key}} for key in ("username", "password")
    ]
    # with `Merge`, the Secret has both keys in addition to the service file and the host
    more: dict[str, Argument] = {"services": _SERVICES, "host": Ref("infrastructure", key=f"{output}_host")}
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
        network=vpc_of(context.target).cidr,
        secret=secret,
        login=_object(f"{store.called}_login", f"{context.namespace}/{secret}", document, "registry"),
        rotation=login_name(store),
    )


def gateway_annotations(exposure: str, context: Context) -> Mapping[str, str]:
    """Configure a network load balancer in every zone, internal unless the exposure is public.

    The EKS default is a public load balancer.
    """
    return {
        f"{_BALANCER}-type": "nlb",
        f"{_BALANCER}-internal": "false" if exposure == "public" else "true",
        f"{_BALANCER}-cross-zone-load-balancing-enabled": "true",
    }


def _object(variable: str, name: str, document: Mapping[str, Argument], group: str) -> Call:
    arguments = (("cluster", Ref("cluster")), ("document", as_literal(document)))
    return Call(variable, "kubernetes.Object", name, arguments, group)


COPY_IDENTITY: Final = (
    "`aws eks create-pod-identity-association --cluster-name CLUSTER --namespace {namespace} --service-account"
    " {account} --role-arn ROLE` gives it an IAM role, which EKS Pod Identity may assume and which may open the"
    " buckets and use their KMS keys"
)
"""Source: docs.aws.amazon.com/eks/latest/userguide/pod-id-association.html, 2026-12-01."""


def secret_commands(name: str, context: Context) -> SecretCommands:
    """Return AWS CLI commands for reading, creating and writing a secret.

    Source: docs.aws.amazon.com/cli, secretsmanager, 2026-12-01.
    """
    from shlex import quote

    from modelyard.handover import SecretCommands

    command, secret = f"aws secretsmanager --region {context.target.region}", quote(name)
    return SecretCommands(
        read=f"{command} get-secret-value --secret-id {secret} --query SecretString --output text",
        make=f"{command} describe-secret --secret-id {secret} > /dev/null || {command} create-secret --name {secret}",
        write=f"{command} put-secret-value --secret-id {secret} --secret-string file:///dev/stdin",
    )
