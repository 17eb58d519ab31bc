"""Database logins that workloads use instead of the master user's."""

from __future__ import annotations

import pulumi
from pulumi_aws import secretsmanager

from .account import Account
from .adopted import AdoptedCluster
from .cluster import Cluster
from .database import Database
from .identity import pod_role, secret_statements
from .key import Key
from .policies import Statement, document


class DatabaseLogin(pulumi.ComponentResource):
    """A secret for one database's login, and the role of the Pods that create the login and change its password.

    Only these Pods may read the master user's login. Workloads read the secret at `secret_arn`, which is empty until
    these Pods have run.
    """

    secret_arn: pulumi.Output[str]
    role_arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        account: Account,
        key: Key,
        cluster: Cluster | AdoptedCluster,
        database: Database,
        namespace: str,
        service_account: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:DatabaseLogin", name, None, account.options(opts))
        secret = secretsmanager.Secret(
            name,
            secretsmanager.SecretArgs(
                name=pulumi.Output.concat(database.identifier, "-login"),
                description=pulumi.Output.concat("Login of the database ", database.name, ", and of no other"),
                kms_key_id=key.arn,
                recovery_window_in_days=0,  # a new password can be generated, and the name must be free immediately
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.secret_arn = secret.arn
        statements = secret_statements(key, [database.secret_arn, secret.arn])
        role = pod_role(
            self,
            f"{name}-login",
            cluster=cluster,
            account=account,
            namespace=namespace,
            service_account=service_account,
            policy=document(*statements, *_changes(account, key, database, secret.arn)),
        )
        self.role_arn = role.arn
        self.register_outputs({"secret_arn": self.secret_arn, "role_arn": self.role_arn})


def _changes(
    account: Account, key: Key, database: Database, secret_arn: pulumi.Output[str]
) -> tuple[Statement, Statement, Statement]:
    return (
        {
            "Sid": "FindInstance",
            "Effect": "Allow",
            "Action": "rds:DescribeDBInstances",
            "Resource": account.arn("rds", pulumi.Output.concat("db:", database.identifier)),
        },
        {"Sid": "WriteLogin", "Effect": "Allow", "Action": "secretsmanager:PutSecretValue", "Resource": secret_arn},
        {
            "Sid": "EncryptLogin",
            "Effect": "Allow",
            "Action": "kms:GenerateDataKey",
            "Resource": key.arn,
            "Condition": {
                "StringEquals": {
                    "kms:ViaService": f"secretsmanager.{account.region_name}.{account.dns_suffix}",
                },
                "StringLike": {"kms:EncryptionContext:SecretARN": secret_arn},
            },
        },
    )
