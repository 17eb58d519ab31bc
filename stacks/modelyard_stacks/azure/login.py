"""Database logins for workloads."""

from __future__ import annotations

import json
import secrets
from typing import cast

import pulumi
from pulumi_azure_native import keyvault

from .group import ResourceGroup
from .vault import Vault

_PASSWORD_BYTES = 32
_RESERVED = frozenset({"admin", "administrator", "azure_superuser", "guest", "public", "root"})
"""Source: https://learn.microsoft.com/en-us/rest/api/postgresql/servers/create-or-update, 2026-11-27."""


class DatabaseLogin(pulumi.ComponentResource):
    """A generated database login, stored in the vault for the workloads that need it.

    The secret has the keys `username` and `password`. The password is generated once and stored in the stack's state,
    encrypted. To replace it at the next `up`, change the number in the stack setting `loginVersion`.
    """

    title: str
    user: str
    secret: pulumi.Output[str]
    password: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        group: ResourceGroup,
        vault: Vault,
        user: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if user in _RESERVED or user.startswith(("pg_", "azure_")):
            raise pulumi.RunError(f"{name}: {user} is not a valid login name")
        super().__init__("modelyard:azure:DatabaseLogin", name, None, group.options(opts))
        self.title, self.user = name, user
        self.password = self._stored_password(name)
        login = self.password.apply(lambda password: json.dumps({"username": user, "password": password}))
        secret = keyvault.Secret(
            name,
            keyvault.SecretArgs(
                resource_group_name=group.group,
                vault_name=vault.vault_name,
                secret_name=f"{name}-login",
                properties=keyvault.SecretPropertiesArgs(value=pulumi.Output.secret(login)),
                tags=group.common_tags,
            ),
            # deleting a secret requires access to the closed vault; it is deleted with the vault
            pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        self.secret = secret.name
        self.register_outputs({"secret": self.secret})

    def _stored_password(self, name: str) -> pulumi.Output[str]:
        """Return the password from the first run, since a stash ignores the inputs of later runs.

        The vault and the server both read it from there, so they agree even after an interruption.
        """
        number = pulumi.Config().get_int("loginVersion") or 1
        stash = pulumi.Stash(
            f"{name}-{number}",
            input=pulumi.Output.secret(secrets.token_urlsafe(_PASSWORD_BYTES)),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["input"]),
        )
        return pulumi.Output.secret(cast("pulumi.Output[str]", stash.output))
