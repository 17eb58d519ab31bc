"""Google Cloud services as Kubernetes objects: volumes, secrets and databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from modelyard.program import Call, Ref
from modelyard.spec import Store
from modelyard_targets.cloud.services import managed_database, program_object, secrets_store
from modelyard_targets.gcp.check_cluster import STORAGE_CLASS
from modelyard_targets.gcp.machines import PERSISTENT_DISK
from modelyard_targets.gcp.options import nodes_cidr
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.platform import Argument, ManagedDatabase

if TYPE_CHECKING:
    from modelyard.handover import SecretCommands


def storage_classes(context: Context) -> Iterator[Call]:
    """Yield the default storage class, i.e. balanced Persistent Disks using the infrastructure project's key."""
    document: dict[str, Argument] = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "pd.csi.storage.gke.io",
        "parameters": {"type": PERSISTENT_DISK, "disk-encryption-kms-key": Ref("infrastructure", key="key_id")},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }
    yield program_object("storage_class", STORAGE_CLASS, document, "cluster")


def secret_store(context: Context) -> Iterator[Call]:
    """Yield the ClusterSecretStore for Secret Manager, limited to this system's namespaces.

    External Secrets authenticates using its own ServiceAccount, which can't read any other secrets. The store is a
    component call instead of a manifest because the project may only be known while the program runs.
    """
    yield from secrets_store(context, {"gcpsm": {"projectID": Ref("infrastructure", key="project")}})


def database(store: Store, context: Context) -> ManagedDatabase:
    """Return the Cloud SQL database, whose address and secret name are outputs of the infrastructure project."""
    return managed_database(store, context, nodes_cidr(context.target), has_authority=True)


COPY_IDENTITY: Final = (
    "`gcloud storage buckets add-iam-policy-binding gs://BUCKET --role roles/storage.objectUser --member"
    " principal://iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/PROJECT.svc.id.goog"
    "/subject/ns/{namespace}/sa/{account}` gives it access to a bucket by Workload Identity Federation, where PROJECT"
    " and NUMBER are those of the cluster"
)
"""Source: cloud.google.com/kubernetes-engine/docs/how-to/workload-identity, 2026-12-01."""


def secret_commands(name: str, context: Context) -> SecretCommands:
    """Return gcloud commands for reading, creating and writing a secret.

    Source: cloud.google.com/sdk/gcloud/reference/secrets, 2026-12-01.
    """
    from shlex import quote

    from modelyard.handover import SecretCommands

    secret, command = f'{quote(name)} --project "$project"', "gcloud secrets"
    place = f"--replication-policy=user-managed --locations={context.target.region}"
    return SecretCommands(
        read=f"{command} versions access latest --secret {secret}",
        make=f"{command} describe {secret} > /dev/null || {command} create {secret} {place}",
        write=f"{command} versions add {secret} --data-file=-",
        output="project",
    )
