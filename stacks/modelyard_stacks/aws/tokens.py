"""A role for clients that hold a ServiceAccount's tokens from the cluster without being one of its Pods."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_aws import iam

from .existing import ExistingCluster
from .identity import secret_arns, secret_statements
from .key import Key
from .policies import document, role_prefix, token_trust


class SystemSecretsReader(pulumi.ComponentResource):
    """The role a system's External Secrets store uses to read these secrets, given by name or ARN, but not list any.

    All systems on a cluster share External Secrets, so its own role could read the secrets of every system. Instead, it
    requests a token for the system's ServiceAccount, which names this role in an annotation. The account needs an IAM
    provider for the cluster's tokens.
    """

    role_arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        cluster: ExistingCluster,
        key: Key,
        namespace: str,
        service_account: str,
        secrets: Sequence[str] = (),
        arns: Sequence[pulumi.Input[str]] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:SystemSecretsReader", name, None, key.account.options(opts))
        all_arns = secret_arns(name, key.account, secrets, arns)
        within, title = pulumi.ResourceOptions(parent=self), f"{name}-secrets"
        role = iam.Role(
            title,
            iam.RoleArgs(
                name_prefix=role_prefix(cluster.title, "secrets"),
                description=f"External Secrets for {namespace}/{service_account}",
                assume_role_policy=token_trust(
                    cluster.issuer_arn(), cluster.issuer, namespace=namespace, service_account=service_account
                ),
            ),
            within,
        )
        policy = document(*secret_statements(key, all_arns))
        iam.RolePolicy(title, iam.RolePolicyArgs(role=role.name, policy=policy), within)
        self.role_arn = role.arn
        self.register_outputs({"role_arn": self.role_arn})
