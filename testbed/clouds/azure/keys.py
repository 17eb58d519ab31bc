"""Vaults with keys and secrets, and disk encryption."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from testbed.clouds.azure.access import allowed
from testbed.clouds.azure.api import Api, guid, last, not_found, refused
from testbed.clouds.azure.kinds import Rule, kind, unique
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.stored import at
from testbed.clouds.shared.values import Values

VAULT = "azure-native:keyvault:Vault"
KEY = "azure-native:keyvault:Key"
SECRET = "azure-native:keyvault:Secret"
DISKS = "azure-native:compute:DiskEncryptionSet"

_DELETED = "deleted vaults"
_KEYS = "Microsoft.KeyVault/vaults/keys"


def _vault(api: Api, values: Values, before: Values) -> Values:
    return {"properties": {"vaultUri": f"https://{values['vaultName']}.vault.azure.net/"}}


def _deleted(api: Api, values: Values) -> None:
    """Reject the name of a deleted vault. Wording: alan-turing-institute/data-safe-haven, issue 2523, 2026-11-27."""
    name = str(values["vaultName"])
    if api.store.get(_DELETED, name) is not None:
        raise refused(
            409,
            "ConflictError",
            "A vault with the same name already exists in deleted state. You need to either recover or purge existing"
            " key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft"
            " delete.",
        )


def _irreversible(api: Api, values: Values) -> None:
    """Refuse to disable purge protection or to change the retention of deleted vaults.

    Source: https://learn.microsoft.com/en-us/azure/key-vault/general/soft-delete-overview, read 2026-11-27.
    """
    before = (api.find(VAULT, api.filled(KINDS[VAULT].path, values)) or {}).get("properties", {})
    after = values["properties"]
    if before.get("enablePurgeProtection") and not after.get("enablePurgeProtection"):
        raise refused(
            400,
            "BadRequest",
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is'
            " an irreversible action.",
        )
    days = "softDeleteRetentionInDays"
    if before and before.get(days) != after.get(days):
        raise refused(400, "BadRequest", f'The property "{days}" has been set already and it can\'t be modified.')


def _tenant(api: Api, values: Values) -> None:
    """Reject a tenant other than the subscription's."""
    if values["properties"]["tenantId"] != api.tenant:
        raise refused(400, "BadRequest", f"The tenant {values['properties']['tenantId']} is not that of this vault.")


def _keep(api: Api, identifier: str) -> None:
    """Remember a deleted vault, since nobody can purge it and its name stays taken."""
    if api.find(VAULT, identifier) is None:
        api.store.put(_DELETED, last(identifier), {"id": identifier})


def _key(api: Api, values: Values, before: Values) -> Values:
    uri = f"https://{values['vaultName']}.vault.azure.net/keys/{values['keyName']}"
    version = before.get("keyUriWithVersion") or f"{uri}/{guid(uri, str(api.serial())).replace('-', '')}"
    return {"keyUri": uri, "keyUriWithVersion": version}


def _secret(api: Api, values: Values, before: Values) -> Values:
    uri = f"https://{values['vaultName']}.vault.azure.net/secrets/{values['secretName']}"
    return {"properties": {"secretUri": uri}}


def _data_plane(api: Api, identifier: str, values: Values) -> None:
    """Refuse to delete a key or secret from a vault without public access.

    The provider must call the vault itself, as Resource Manager has no such call: pulumi-azure-native,
    custom_keyvault.go. Wording: a vault's response, 2026-11-27.
    """
    vault = api.find(VAULT, "/".join(identifier.split("/")[:-2])) or {}
    if vault.get("properties", {}).get("publicNetworkAccess") == "disabled":
        raise refused(
            403,
            "Forbidden",
            "Public network access is disabled and request is not from a trusted service nor via an approved private"
            " link.",
        )


def key_at(api: Api, uri: str) -> str:
    """Return the ID of the key at an address, with or without a version. Raises Refused if there is none."""
    for identifier, each in api.all(KEY).items():
        if uri in (each["keyUri"], each["keyUriWithVersion"]):
            return identifier
    raise refused(404, "KeyNotFound", f"A key with (name/id) {last(uri)} was not found in this key vault.")


def encrypts(find: Callable[[Values], tuple[Any, Any]], denied: Callable[[str, str], Refused]) -> Rule:
    """Return a rule rejecting keys in another region, or keys the identity may not use to wrap and unwrap.

    `find` returns the key's address and the identity's ID, and `denied` returns the error for a key and an identity.
    """

    def rule(api: Api, values: Values) -> None:
        uri, identity = find(values)
        if uri is None:
            return
        key = key_at(api, str(uri))
        vault = api.find(VAULT, "/".join(key.split("/")[:-2]))
        if vault is None:
            raise not_found(key)
        protection = vault["properties"].get("enablePurgeProtection")
        if not protection or vault["location"] != values["location"]:
            raise refused(
                400, "KeyVaultPolicyError", "Keyvault policy recoverable is not set, or it is in another location."
            )
        if not all(
            allowed(api, str(identity), f"{_KEYS}/{action}", key, data=True)
            for action in ("read", "wrap/action", "unwrap/action")
        ):
            raise denied(key, str(identity))

    return rule


def _of_disks(values: Values) -> tuple[Any, Any]:
    return values["activeKey"]["keyUrl"], next(iter(at(values, "identity.userAssignedIdentities")[0]))


def _disks_denied(key: str, identity: str) -> Refused:
    """Return the error for an identity that may not use the key to encrypt disks.

    Wording: ansible-collections/azure, pull request 1676, read 2026-11-27.
    """
    return refused(
        400,
        "KeyVaultAccessForbidden",
        f"Unable to access key vault resource '{key}' to enable encryption at rest. Please grant get, wrap and unwrap"
        f" key permissions to user-assigned identity '{identity}'. Please visit https://aka.ms/keyvaultaccessssecmk for"
        " more information.",
    )


KINDS = {
    VAULT: kind(
        VAULT,
        longest=24,
        assign=_vault,
        rules=(
            _tenant,
            _deleted,
            _irreversible,
            unique(
                VAULT,
                "vaultName",
                "VaultAlreadyExists",
                "The vault name '{}' is already in use. Vault names are globally unique so it is possible that the name"
                " is already taken.",
            ),
        ),
        computed=frozenset({"properties.vaultUri"}),
        after=_keep,
    ),
    # an existing key is returned unchanged: keyvault.Key, createIfNotExist
    KEY: kind(
        KEY,
        tracked=False,
        assign=_key,
        frozen=frozenset({"properties.kty", "properties.keySize", "properties.keyOps", "properties.rotationPolicy"}),
        guards=(_data_plane,),
    ),
    SECRET: kind(SECRET, tracked=False, assign=_secret, guards=(_data_plane,)),
    DISKS: kind(
        DISKS,
        rules=(encrypts(_of_disks, _disks_denied),),
        references={"activeKey.sourceVault.id": VAULT},
        frozen=frozenset({"encryptionType"}),
        used=(409, "OperationNotAllowed", "Disk encryption set {0} cannot be deleted. It is in use by {1}."),
        blocked_by=("azure-native:containerservice:ManagedCluster",),
    ),
}
