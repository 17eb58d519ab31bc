"""Storage accounts with their containers, and image registries."""

from __future__ import annotations

from typing import Any

from testbed.clouds.azure.api import Api, last, refused
from testbed.clouds.azure.keys import encrypts
from testbed.clouds.azure.kinds import kind, unique
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.stored import at
from testbed.clouds.shared.values import Values

_PREFIX = "azure-native:storage:"
ACCOUNT = f"{_PREFIX}StorageAccount"
CONTAINER = f"{_PREFIX}BlobContainer"
SERVICE = f"{_PREFIX}BlobServiceProperties"
POLICY = f"{_PREFIX}ManagementPolicy"
REGISTRY = "azure-native:containerregistry:Registry"
BLOBS = "blobs"


def _account(api: Api, values: Values, before: Values) -> Values:
    return {"primaryEndpoints": {"blob": f"https://{values['accountName']}.blob.core.windows.net/"}}


def _key(values: Values) -> tuple[Any, Any]:
    encryption = values.get("encryption") or {}
    if encryption.get("keySource") != "Microsoft.Keyvault":
        return None, None
    key = encryption["keyVaultProperties"]
    uri = f"{str(key['keyVaultUri']).rstrip('/')}/keys/{key['keyName']}"
    return uri, encryption["encryptionIdentity"]["encryptionUserAssignedIdentity"]


def _denied(key: str, identity: str) -> Refused:
    """Return the error for an identity that may not use the encryption key.

    Source: https://learn.microsoft.com/en-us/azure/storage/common/customer-managed-keys-overview, 2026-11-27.
    """
    return refused(
        403,
        "KeyVaultAuthenticationFailure",
        "The operation failed because of authentication issue on the keyvault. For more information, see -"
        f" https://aka.ms/storagekeyvaultaccesspolicy ({identity}, {key})",
    )


def _lock(api: Api, values: Values) -> None:
    """Reject invalid immutability policies.

    A policy is created unlocked, a locked policy is final, and its period can only grow. Source:
    https://learn.microsoft.com/en-us/azure/storage/blobs/immutable-version-level-worm-policies, 2026-11-27.
    """
    path, days = "immutableStorageWithVersioning.immutabilityPolicy", "immutabilityPeriodSinceCreationInDays"
    before = api.find(ACCOUNT, api.filled(KINDS[ACCOUNT].path, values))
    (old,), (new,) = (at(each or {}, path) or [{}] for each in (before, values))
    if new and values.get("isHnsEnabled"):
        raise refused(409, "ConflictFeatureEnabled", "Versions and a hierarchical namespace exclude each other.")
    if before is None and new.get("state") == "Locked":
        raise refused(400, "InvalidRequestPropertyValue", "A policy is created unlocked, and locked afterwards.")
    if old.get("state") == "Locked" and (new.get("state") != "Locked" or new[days] < old[days]):
        raise refused(409, "OperationNotAllowedOnLockedPolicy", "Operation not allowed on immutability policy.")


def _protected(api: Api, identifier: str, values: Values) -> None:
    """Refuse to delete an account whose versions are retained.

    Wording: Azure/azure-powershell, issue 26148, and Azure/azure-sdk-for-python, pull request 46106, read 2026-11-27.
    """
    name = last(identifier)
    blobs = [blob for blob, each in api.store.all(BLOBS).items() if each["account"] == name]
    if blobs and at(values, "immutableStorageWithVersioning.enabled") == [True]:
        raise refused(
            409,
            "AccountProtectedFromDeletion",
            f"{name} is protected from deletion due to ImmutableStorageWithVersioning.",
        )


def _protected_container(api: Api, identifier: str, values: Values) -> None:
    """Refuse to delete a container with blobs whose versions are retained.

    Wording: Azure/azure-sdk-for-python, issue 22255, read 2026-11-27.
    """
    account = api.find(ACCOUNT, identifier.partition("/blobServices/")[0]) or {}
    has_blobs = any(each["container"] == identifier for each in api.store.all(BLOBS).values())
    if has_blobs and at(account, "immutableStorageWithVersioning.enabled") == [True]:
        raise refused(
            409,
            "ContainerImmutableStorageWithVersioningEnabled",
            "The requested operation is not allowed as the container has a immutable storage with versioning enabled.",
        )


def _drop(api: Api, identifier: str) -> None:
    """Delete the blobs of a deleted container."""
    if api.find(CONTAINER, identifier) is None:
        for blob, each in api.store.all(BLOBS).items():
            if each["container"] == identifier:
                api.store.take(BLOBS, blob)


def _versions(api: Api, values: Values) -> None:
    """Reject blob settings that contradict those of the account, e.g. versions with a hierarchical namespace.

    Source: https://learn.microsoft.com/en-us/azure/storage/blobs/versioning-overview, read 2026-11-27.
    """
    account = api.find(ACCOUNT, api.filled(KINDS[ACCOUNT].path, values)) or {}
    locked = at(account, "immutableStorageWithVersioning.enabled") == [True]
    if values.get("blobServicesName") != "default":
        raise refused(400, "InvalidRequestPropertyValue", "The name of the service is default.")
    if values.get("isVersioningEnabled") and account.get("isHnsEnabled"):
        raise refused(409, "ConflictFeatureEnabled", "Versions and a hierarchical namespace exclude each other.")
    if locked and not values.get("isVersioningEnabled"):
        raise refused(409, "ConflictFeatureEnabled", "Versions cannot be disabled while they are retained.")
    deleted = values.get("deleteRetentionPolicy") or {}
    if bool(deleted.get("enabled")) != bool(deleted.get("days")):
        raise refused(400, "InvalidRequestPropertyValue", "A policy has days if, and only if, it is enabled.")


def _rules(api: Api, values: Values) -> None:
    """Reject invalid lifecycle rules, e.g. rules for versions if versioning is off.

    Source: https://learn.microsoft.com/en-us/azure/storage/blobs/lifecycle-management-overview, 2026-11-27.
    """
    service = api.find(SERVICE, api.filled(KINDS[SERVICE].path, {**values, "blobServicesName": "default"})) or {}
    if at(values, "policy.rules.definition.actions.version") and not service.get("isVersioningEnabled"):
        raise refused(400, "InvalidRequestPropertyValue", "Rules for versions need versions.")
    names = at(values, "policy.rules.name")
    if values.get("managementPolicyName") != "default" or len(set(names)) < len(names) or len(names) > 100:
        raise refused(400, "InvalidRequestPropertyValue", "The policy is default, with at most 100 rules of own names.")
    containers = {last(each) for each in api.all(CONTAINER) if f"/storageAccounts/{values['accountName']}/" in each}
    for prefix in at(values, "policy.rules.definition.filters.prefixMatch"):
        if containers and str(prefix).partition("/")[0] not in containers:
            raise refused(400, "InvalidRequestPropertyValue", f"A prefix starts with a container, unlike {prefix}.")


def _registry(api: Api, values: Values, before: Values) -> Values:
    return {"loginServer": f"{str(values['registryName']).lower()}.azurecr.io"}


def _premium(api: Api, values: Values) -> None:
    """Reject Premium features on registries with another SKU.

    Source: https://learn.microsoft.com/en-us/azure/container-registry/container-registry-skus, 2026-11-27.
    """
    if values["sku"]["name"] != "Premium" and (
        values.get("networkRuleSet") or at(values, "policies.retentionPolicy") or values.get("publicNetworkAccess")
    ):
        raise refused(400, "FeatureNotSupported", "Network rules and retention need the SKU Premium.")


KINDS = {
    ACCOUNT: kind(
        ACCOUNT,
        longest=24,
        fixed=frozenset(
            {"isHnsEnabled", *(f"encryption.services.{each}.keyType" for each in ("blob", "file", "queue", "table"))}
        ),
        frozen=frozenset(
            {"encryption.requireInfrastructureEncryption", "immutableStorageWithVersioning.enabled", "isNfsV3Enabled"}
        ),
        assign=_account,
        rules=(
            unique(
                ACCOUNT, "accountName", "StorageAccountAlreadyTaken", "The storage account named {} is already taken."
            ),
            encrypts(_key, _denied),
            _lock,
        ),
        guards=(_protected,),
    ),
    CONTAINER: kind(CONTAINER, tracked=False, guards=(_protected_container,), after=_drop),
    # a part of the account, which the provider adopts and does not delete
    SERVICE: kind(SERVICE, tracked=False, rules=(_versions,), shared=True, stays=lambda values: True),
    POLICY: kind(POLICY, tracked=False, rules=(_rules,)),
    REGISTRY: kind(
        REGISTRY,
        longest=50,
        frozen=frozenset({"zoneRedundancy"}),
        assign=_registry,
        rules=(
            unique(REGISTRY, "registryName", "AlreadyInUse", "The registry DNS name {}.azurecr.io is already in use."),
            _premium,
        ),
    ),
}
