"""Private, encrypted object stores, each of which is a storage account with one container."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias, TypedDict

import pulumi
from pulumi_azure_native import storage

from .endpoints import private_endpoint
from .existing import ClusterNetwork
from .group import ResourceGroup, protected
from .key import Key
from .network import AdoptedNetwork, Network

Redundancy: TypeAlias = Literal["LRS", "ZRS"]

_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_DELETED_CONTAINER_DAYS = 7
_NONCURRENT_DAYS = 30


class ObjectLock(TypedDict):
    """How long objects are retained, for everyone or except for users who may change the account."""

    mode: Literal["compliance", "governance"]
    days: int


class ObjectStore(pulumi.ComponentResource):
    """A storage account with one container, encrypted with our key. Access is controlled only by Entra ID roles.

    There are no account keys and no public blobs. With a `network`, the account is reached at private endpoints, and
    nowhere else unless it is `shared`. Without one, it is reached at its public address.

    With `versioned`, overwritten or deleted objects are kept for at least another 30 days. Lifecycle rules delete
    objects older than `retention_days`, and objects in each folder in `expire` after its number of days. With `lock`,
    every version is retained for the given days, so overwriting an object keeps its earlier content. Azure makes the
    `compliance` policy final only in a second step: once the stack setting `lockRetention` is true, nobody can undo it.
    Until then, every `up` warns.
    """

    account: pulumi.Output[str]
    container: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        group: ResourceGroup,
        key: Key,
        account: str,
        container: str,
        network: Network | AdoptedNetwork | ClusterNetwork | None = None,
        shared: bool = False,
        versioned: bool = True,
        retention_days: int | None = None,
        expire: Mapping[str, int] | None = None,
        lock: ObjectLock | None = None,
        redundancy: Redundancy = "LRS",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if not _ACCOUNT.fullmatch(account):
            raise pulumi.RunError(f"storage account {account}: a name must have 3 to 24 lower-case letters and digits")
        super().__init__("modelyard:azure:ObjectStore", name, None, group.options(opts))
        self._title, self._group = name, group
        self._within = pulumi.ResourceOptions(parent=self)
        keeps_versions = versioned or lock is not None
        created = self._account(account, key, redundancy, is_public=network is None or shared, lock=lock)
        self.account = created.name
        settings = self._service(keeps_versions)
        box = storage.BlobContainer(
            name,
            storage.BlobContainerArgs(
                resource_group_name=group.group,
                account_name=created.name,
                container_name=container,
                public_access=storage.PublicAccess.NONE,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[settings], protect=protected()),
        )
        self.container = box.name
        self._expire(container, list(_rules(container, keeps_versions, lock, retention_days, expire or {})), settings)
        if network is not None:
            self._connect(network, created.id)
        self.register_outputs({"account": self.account, "container": self.container})

    def _account(
        self, account: str, key: Key, redundancy: Redundancy, *, is_public: bool, lock: ObjectLock | None
    ) -> storage.StorageAccount:
        return storage.StorageAccount(
            self._title,
            storage.StorageAccountArgs(
                resource_group_name=self._group.group,
                location=self._group.region_name,
                account_name=account,
                kind="StorageV2",
                sku=storage.SkuArgs(name=f"Standard_{redundancy}"),
                access_tier=storage.AccessTier.HOT,
                is_hns_enabled=False,  # excludes versions, and cannot be changed
                minimum_tls_version="TLS1_2",  # TLS 1.0 by default
                enable_https_traffic_only=True,
                allow_shared_key_access=False,  # on by default; anyone with the key may do everything
                default_to_o_auth_authentication=True,
                allow_blob_public_access=False,
                allow_cross_tenant_replication=False,
                allowed_copy_scope="AAD",
                is_local_user_enabled=False,
                is_sftp_enabled=False,
                public_network_access="Enabled" if is_public else "Disabled",
                network_rule_set=storage.NetworkRuleSetArgs(
                    default_action=storage.DefaultAction.ALLOW if is_public else storage.DefaultAction.DENY,
                    bypass="None",
                ),
                identity=storage.IdentityArgs(type="UserAssigned", user_assigned_identities=[key.identity_id]),
                encryption=_encrypted(key),
                immutable_storage_with_versioning=retained(lock, account) if lock is not None else None,
                tags=self._group.common_tags,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=list(key.ready), protect=protected()),
        )

    def _service(self, keeps_versions: bool) -> storage.BlobServiceProperties:
        """Configure versioning.

        Earlier versions are deleted by content age, and kept by Azure for a while after that.
        """
        deleted = storage.DeleteRetentionPolicyArgs(
            enabled=keeps_versions, days=_NONCURRENT_DAYS if keeps_versions else None
        )
        return storage.BlobServiceProperties(
            self._title,
            storage.BlobServicePropertiesArgs(
                resource_group_name=self._group.group,
                account_name=self.account,
                blob_services_name="default",
                is_versioning_enabled=keeps_versions,
                delete_retention_policy=deleted,
                container_delete_retention_policy=storage.DeleteRetentionPolicyArgs(
                    enabled=True, days=_DELETED_CONTAINER_DAYS
                ),
            ),
            self._within,
        )

    def _expire(
        self, container: str, rules: list[storage.ManagementPolicyRuleArgs], settings: storage.BlobServiceProperties
    ) -> None:
        if rules:
            storage.ManagementPolicy(
                self._title,
                storage.ManagementPolicyArgs(
                    resource_group_name=self._group.group,
                    account_name=self.account,
                    management_policy_name="default",
                    policy=storage.ManagementPolicySchemaArgs(rules=rules),
                ),
                # rules for versions are refused until versioning is enabled
                pulumi.ResourceOptions(parent=self, depends_on=[settings]),
            )

    def _connect(self, network: Network | AdoptedNetwork | ClusterNetwork, account_id: pulumi.Output[str]) -> None:
        """Connect only the Blob API.

        Without a hierarchical namespace, the account's other API, at `.dfs.`, refuses accounts that keep deleted blobs.
        """
        private_endpoint(
            f"{self._title}-blob",
            group=self._group,
            network=network,
            target=account_id,
            part="blob",
            opts=self._within,
        )


def _encrypted(key: Key) -> storage.EncryptionArgs:
    """Encrypt with the newest version of the key, which Azure checks for every day."""
    return storage.EncryptionArgs(
        key_source="Microsoft.Keyvault",
        key_vault_properties=storage.KeyVaultPropertiesArgs(key_name=key.key_name, key_vault_uri=key.vault_uri),
        encryption_identity=storage.EncryptionIdentityArgs(encryption_user_assigned_identity=key.identity_id),
        require_infrastructure_encryption=True,
        services=storage.EncryptionServicesArgs(
            blob=storage.EncryptionServiceArgs(enabled=True, key_type="Account"),
            file=storage.EncryptionServiceArgs(enabled=True, key_type="Account"),
        ),
    )


def retained(lock: ObjectLock, account: str) -> storage.ImmutableStorageAccountArgs:
    """Return the retention policy. Azure creates policies unlocked, and allows locking them afterwards.

    Source: https://learn.microsoft.com/en-us/azure/storage/blobs/immutable-version-level-worm-policies, 2026-11-27.
    """
    is_final = lock["mode"] == "compliance" and pulumi.Config().get_bool("lockRetention") is True
    if lock["mode"] == "compliance" and not is_final:
        pulumi.log.warn(
            f"storage account {account}: its lock of mode compliance is not final and can still be removed. To make it"
            " final, run `pulumi config set lockRetention true`, then `pulumi up` again."
        )
    return storage.ImmutableStorageAccountArgs(
        enabled=True,
        immutability_policy=storage.AccountImmutabilityPolicyPropertiesArgs(
            immutability_period_since_creation_in_days=lock["days"],
            allow_protected_append_writes=False,
            state="Locked" if is_final else "Unlocked",
        ),
    )


def _rules(
    container: str,
    versioned: bool,
    lock: ObjectLock | None,
    retention_days: int | None,
    expire: Mapping[str, int],
) -> Iterator[storage.ManagementPolicyRuleArgs]:
    for number, (folder, days) in enumerate(sorted(expire.items())):
        yield _rule(f"folder{number}", f"{container}/{folder}/", _after(days))
    if retention_days is not None:
        yield _rule("retention", f"{container}/", _after(retention_days))
    if versioned:
        days = max(_NONCURRENT_DAYS, lock["days"] if lock is not None else 0)
        yield _rule(
            "versions",
            f"{container}/",
            storage.ManagementPolicyActionArgs(
                version=storage.ManagementPolicyVersionArgs(
                    delete=storage.DateAfterCreationArgs(days_after_creation_greater_than=days)
                )
            ),
        )


def _after(days: int) -> storage.ManagementPolicyActionArgs:
    return storage.ManagementPolicyActionArgs(
        base_blob=storage.ManagementPolicyBaseBlobArgs(
            delete=storage.DateAfterModificationArgs(days_after_modification_greater_than=days)
        )
    )


def _rule(name: str, prefix: str, actions: storage.ManagementPolicyActionArgs) -> storage.ManagementPolicyRuleArgs:
    return storage.ManagementPolicyRuleArgs(
        name=name,
        enabled=True,
        type="Lifecycle",
        definition=storage.ManagementPolicyDefinitionArgs(
            actions=actions,
            filters=storage.ManagementPolicyFilterArgs(blob_types=["blockBlob"], prefix_match=[prefix]),
        ),
    )
