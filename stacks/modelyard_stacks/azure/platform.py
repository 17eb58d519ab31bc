"""Permissions for add-ons. Their charts are in the workloads project."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from .adopted import AdoptedCluster
from .cluster import Cluster
from .federation import PodIdentity
from .group import ResourceGroup
from .login import DatabaseLogin
from .roles import SECRETS_USER, assign
from .vault import Vault


class SecretsReader(pulumi.ComponentResource):
    """The identity of External Secrets, which can only read the given secrets in the vault.

    `secrets` are the names of existing secrets, and `logins` are logins created by this program. `client_id` goes into
    an annotation on its ServiceAccount.
    """

    client_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        group: ResourceGroup,
        cluster: Cluster | AdoptedCluster,
        vault: Vault,
        namespace: str,
        service_account: str,
        secrets: Sequence[str] = (),
        logins: Sequence[DatabaseLogin] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if not secrets and not logins:
            raise pulumi.RunError(f"{name}: a reader needs at least one secret")
        super().__init__("modelyard:azure:SecretsReader", name, None, group.options(opts))
        within = pulumi.ResourceOptions(parent=self)
        title = f"{name}-secrets"
        identity = PodIdentity(
            title, cluster=cluster, namespace=namespace, service_account=service_account, opts=within
        )
        self.client_id = identity.client_id
        named_secrets = [(secret, pulumi.Output.from_input(secret)) for secret in secrets]
        for what, secret in (*named_secrets, *((login.title, login.secret) for login in logins)):
            assign(
                f"{title}-{what}",
                group=group,
                role=SECRETS_USER,
                principal=identity.principal_id,
                scope=pulumi.Output.concat(vault.id, "/secrets/", secret),
                opts=within,
            )
        self.register_outputs({"clientId": self.client_id})
