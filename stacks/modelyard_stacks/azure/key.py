"""The key that encrypts all data at rest, and the identity services use to access it."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import authorization, compute, keyvault, managedidentity

from .group import ResourceGroup, protected
from .roles import ENCRYPTION_USER, assign
from .vaults import closed_vault

_BITS = 3072
_ROTATION = "P90D"
_KEPT_DAYS = 90


class Key(pulumi.ComponentResource):
    """A customer-managed key in its own vault, which gets a new version every 90 days.

    Stores, disks and databases use it with one identity that has no other permissions. They must wait for `ready`.
    Losing the key means losing everything it encrypts, so it is protected, the vault can't be purged, and both can be
    recovered for 90 days after `destroy`. The vault's name has a suffix so that a later `up` creates a new vault.

    With `cluster`, a cluster's disks can be encrypted, and there is a second key for Kubernetes Secrets. AKS refers to
    a specific version of that key, so it is not rotated.
    """

    vault_id: pulumi.Output[str]
    vault_uri: pulumi.Output[str]
    vault_name: pulumi.Output[str]
    key_name: pulumi.Output[str]
    uri: pulumi.Output[str]
    identity_id: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]

    def __init__(
        self,
        name: str,
        *,
        group: ResourceGroup,
        cluster: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:azure:Key", name, None, group.options(opts))
        self.title = name
        self._group = group
        self._lasting = pulumi.ResourceOptions(parent=self, protect=protected())
        vault = closed_vault(name, "keys", group=group, kept_days=_KEPT_DAYS, opts=self._lasting)
        self.vault_id, self.vault_name = vault.id, vault.name
        self.vault_uri = vault.properties.apply(lambda properties: properties.vault_uri or "")
        key = self._key(f"{name}-data", ["wrapKey", "unwrapKey"], rotated=True)
        self.key_name, self.uri = key.name, key.key_uri
        identity = self._identity()
        self.identity_id = identity.id
        right = self._may_use(identity, key)
        self.ready = (right,)
        self._disks = self._disk_encryption(right) if cluster else None
        self._secrets = self._key(f"{name}-secrets", ["encrypt", "decrypt"], rotated=False) if cluster else None
        self.register_outputs({"id": self.uri})

    @property
    def id(self) -> pulumi.Output[str]:
        """Return the address of the key, without a version."""
        return self.uri

    @property
    def disks(self) -> compute.DiskEncryptionSet:
        """Return the disk encryption set for a cluster's disks."""
        if self._disks is None:
            raise pulumi.RunError(f"key {self.title}: a cluster uses it, so it needs cluster=True")
        return self._disks

    @property
    def secrets(self) -> keyvault.Key:
        """Return the key for a cluster's Secrets."""
        if self._secrets is None:
            raise pulumi.RunError(f"key {self.title}: a cluster uses it, so it needs cluster=True")
        return self._secrets

    def _key(self, title: str, operations: list[str], *, rotated: bool) -> keyvault.Key:
        return keyvault.Key(
            title,
            keyvault.KeyArgs(
                resource_group_name=self._group.group,
                vault_name=self.vault_name,
                key_name=title,
                properties=keyvault.KeyPropertiesArgs(
                    kty="RSA",
                    key_size=_BITS,
                    key_ops=operations,
                    rotation_policy=_every_quarter() if rotated else None,
                ),
                tags=self._group.common_tags,
            ),
            # deleting a key requires access to the closed vault; it is deleted with the vault
            pulumi.ResourceOptions.merge(self._lasting, pulumi.ResourceOptions(retain_on_delete=True)),
        )

    def _identity(self) -> managedidentity.UserAssignedIdentity:
        return managedidentity.UserAssignedIdentity(
            f"{self.title}-data",
            managedidentity.UserAssignedIdentityArgs(
                resource_group_name=self._group.group,
                location=self._group.region_name,
                tags=self._group.common_tags,
            ),
            self._lasting,
        )

    def _may_use(
        self, identity: managedidentity.UserAssignedIdentity, key: keyvault.Key
    ) -> authorization.RoleAssignment:
        return assign(
            f"{self.title}-data",
            group=self._group,
            role=ENCRYPTION_USER,
            principal=identity.principal_id,
            scope=key.id,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _disk_encryption(self, right: authorization.RoleAssignment) -> compute.DiskEncryptionSet:
        return compute.DiskEncryptionSet(
            self.title,
            compute.DiskEncryptionSetArgs(
                resource_group_name=self._group.group,
                location=self._group.region_name,
                encryption_type="EncryptionAtRestWithCustomerKey",
                active_key=compute.KeyForDiskEncryptionSetArgs(
                    key_url=self.uri, source_vault=compute.SourceVaultArgs(id=self.vault_id)
                ),
                rotation_to_latest_key_version_enabled=True,
                identity=compute.EncryptionSetIdentityArgs(
                    type="UserAssigned", user_assigned_identities=[self.identity_id]
                ),
                tags=self._group.common_tags,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[right], protect=protected()),
        )


def _every_quarter() -> keyvault.RotationPolicyArgs:
    return keyvault.RotationPolicyArgs(
        lifetime_actions=[
            keyvault.LifetimeActionArgs(
                action=keyvault.ActionArgs(type=keyvault.KeyRotationPolicyActionType.ROTATE),
                trigger=keyvault.TriggerArgs(time_after_create=_ROTATION),
            )
        ]
    )
