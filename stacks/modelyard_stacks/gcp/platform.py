"""Permissions for add-ons. Their charts are in the workloads project."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_gcp import secretmanager

from .adopted import AdoptedCluster
from .cluster import Cluster
from .login import DatabaseLogin

_READ = "roles/secretmanager.secretAccessor"


class SecretsReader(pulumi.ComponentResource):
    """The permissions of External Secrets, which can read the given secrets in Secret Manager but can't list any.

    `secrets` are the IDs of existing secrets, and `logins` are secrets created by this program.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster | AdoptedCluster,
        namespace: str,
        service_account: str,
        secrets: Sequence[str] = (),
        logins: Sequence[DatabaseLogin] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:gcp:SecretsReader", name, None, cluster.project.options(opts))
        if not secrets and not logins:
            raise pulumi.RunError(f"{name}: a reader needs at least one secret")
        member = cluster.project.pods_of(namespace, service_account)
        named_secrets: list[tuple[str, pulumi.Input[str]]] = [(secret, secret) for secret in secrets]
        for title, secret in (*named_secrets, *((login.title, login.secret) for login in logins)):
            secretmanager.SecretIamMember(
                f"{name}-{title}",
                secretmanager.SecretIamMemberArgs(
                    project=cluster.project.project_id, secret_id=secret, role=_READ, member=member
                ),
                # the workload identity pool is created with the project's first cluster
                pulumi.ResourceOptions(parent=self, depends_on=list(cluster.ready)),
            )
        self.register_outputs({})
