"""Database logins for workloads."""

from __future__ import annotations

import json
import secrets

import pulumi
from pulumi_gcp import secretmanager, sql

from .database import Database
from .key import Key
from .project import Project

_PASSWORD_BYTES = 32


class DatabaseLogin(pulumi.ComponentResource):
    """A login for one database, with a generated password stored in Secret Manager.

    The secret has the keys `username` and `password`. The password is generated once. To replace it at the next `up`,
    change the number in the stack setting `loginVersion`. The stack's state also contains the password, encrypted.
    """

    title: str
    secret: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        project: Project,
        key: Key,
        database: Database,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:gcp:DatabaseLogin", name, None, project.options(opts))
        self.title = name
        self._within = pulumi.ResourceOptions(parent=self)
        secret = self._secret(name, project, key, database)
        version = self._stored_password(name, secret, database.name)
        sql.User(
            name,
            sql.UserArgs(
                instance=database.identifier,
                name=database.name,
                type="BUILT_IN",
                password=pulumi.Output.secret(version.secret_data.apply(_password)),
                # PostgreSQL cannot delete a user that owns tables; it is deleted with its instance
                deletion_policy="ABANDON",
            ),
            self._within,
        )
        self.secret = secret.secret_id
        self.register_outputs({"secret": self.secret})

    def _secret(self, name: str, project: Project, key: Key, database: Database) -> secretmanager.Secret:
        encryption = secretmanager.SecretReplicationUserManagedReplicaCustomerManagedEncryptionArgs(kms_key_name=key.id)
        replica = secretmanager.SecretReplicationUserManagedReplicaArgs(
            location=project.region_name, customer_managed_encryption=encryption
        )
        return secretmanager.Secret(
            name,
            secretmanager.SecretArgs(
                secret_id=pulumi.Output.concat(database.identifier, "-login"),
                # by default Google chooses the regions
                replication=secretmanager.SecretReplicationArgs(
                    user_managed=secretmanager.SecretReplicationUserManagedArgs(replicas=[replica])
                ),
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[*project.ready, key.granted("secretmanager")]),
        )

    def _stored_password(self, name: str, secret: secretmanager.Secret, user: str) -> secretmanager.SecretVersion:
        """Store the password. The database user's password is read from it, so both agree after an interruption."""
        number = pulumi.Config().get_int("loginVersion") or 1
        login = json.dumps({"username": user, "password": secrets.token_urlsafe(_PASSWORD_BYTES)})
        return secretmanager.SecretVersion(
            f"{name}-{number}",
            secretmanager.SecretVersionArgs(secret=secret.id, secret_data=pulumi.Output.secret(login)),
            # each run generates a password, but the first one is kept
            pulumi.ResourceOptions(parent=self, ignore_changes=["secretData"]),
        )


def _password(login: str | None) -> str:
    if not login:
        raise pulumi.RunError("this login has no password in the stack's state: increase the setting loginVersion")
    password: object = json.loads(login)["password"]
    return str(password)
