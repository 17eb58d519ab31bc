"""Tests keys, storage accounts, registries and databases in the Azure stand-in."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.clouds.azure.cloud import Cloud
from testbed.clouds.azure.databases import DATABASE, SERVER
from testbed.clouds.azure.keys import DISKS, SECRET
from testbed.clouds.azure.storage import ACCOUNT, CONTAINER, POLICY, REGISTRY, SERVICE
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values
from tests.testbed.azure.world import (
    ENCRYPTION,
    HERE,
    IN_GROUP,
    World,
    a_key,
    a_vault,
    account_inputs,
    an_identity,
    grant,
    server_inputs,
)


@pytest.fixture
def vault(world: World) -> Values:
    return a_vault(world)


@pytest.fixture
def key(world: World, vault: Values) -> Values:
    return a_key(world, vault, "data", "wrapKey", "unwrapKey")


@pytest.fixture
def identity(world: World, key: Values) -> Values:
    """Return the identity that is allowed to use the key."""
    data_identity = an_identity(world, "data")
    grant(world, "right", data_identity, ENCRYPTION, key["id"])
    return data_identity


@pytest.fixture
def inputs(vault: Values, identity: Values) -> dict[str, Any]:
    return account_inputs(vault, identity)


def _container(world: World) -> Values:
    return world.make("raw", CONTAINER, **IN_GROUP, accountName="fraudlake", containerName="raw")


def test_vaults_are_kept_after_their_deletion(world: World, vault: Values, cloud: Cloud) -> None:
    assert vault["properties"]["vaultUri"] == f"https://{vault['name']}.vault.azure.net/"
    assert vault["name"].startswith("keys")
    properties = world.resources["keys"][2]["properties"]
    with pytest.raises(Refused, match='"enablePurgeProtection" cannot be set to false'):
        world.change("keys", properties={**properties, "enablePurgeProtection": False})
    with pytest.raises(Refused, match='"softDeleteRetentionInDays" has been set already'):
        world.change("keys", properties={**properties, "softDeleteRetentionInDays": 7})
    cloud.api.store.put("others' vaultName", "taken", {})
    with pytest.raises(Refused, match="VaultAlreadyExists"):
        world.make("taken", "azure-native:keyvault:Vault", **HERE, vaultName="taken", properties=properties)
    world.remove("keys")
    with pytest.raises(Refused, match="A vault with the same name already exists in deleted state"):
        world.make("again", "azure-native:keyvault:Vault", **HERE, vaultName=vault["name"], properties=properties)


def test_a_closed_vault_deletes_nothing_for_the_provider(world: World, vault: Values, key: Values) -> None:
    secret = {**IN_GROUP, "vaultName": vault["name"], "secretName": "login", "properties": {"value": "a"}}
    world.make("login", SECRET, **secret)
    world.change("login", properties={"value": "b"})

    for name in ("login", "data"):
        with pytest.raises(Refused, match="Public network access is disabled and request is not from a trusted serv"):
            world.remove(name)
    with pytest.raises(Refused, match=r"Changing property 'properties.keySize' is not allowed"):
        world.change("data", properties={**world.resources["data"][2]["properties"], "keySize": 2048})


def test_keys_open_for_whom_they_are_granted(
    world: World, vault: Values, key: Values, identity: Values, inputs: dict[str, Any]
) -> None:
    disks = {
        **HERE,
        "encryptionType": "EncryptionAtRestWithCustomerKey",
        "activeKey": {"keyUrl": key["keyUri"], "sourceVault": {"id": vault["id"]}},
        "identity": {"type": "UserAssigned", "userAssignedIdentities": [identity["id"]]},
    }
    world.make("disks", DISKS, **disks)
    world.remove("right")

    with pytest.raises(Refused, match=r"KeyVaultAccessForbidden.*Please grant get, wrap and unwrap key permissions"):
        world.make("more-disks", DISKS, **disks)
    with pytest.raises(Refused, match="KeyVaultAuthenticationFailure"):
        world.make("lake", ACCOUNT, **inputs)
    with pytest.raises(Refused, match="AzureKeyVaultMissingPermissions"):
        world.make("runs", SERVER, **server_inputs(key, identity))


def test_keys_must_be_recoverable(world: World) -> None:
    vault = a_vault(world, enablePurgeProtection=False)
    key, identity = a_key(world, vault, "data", "wrapKey", "unwrapKey"), an_identity(world, "data")
    grant(world, "right", identity, ENCRYPTION, key["id"])

    with pytest.raises(Refused, match="Keyvault policy recoverable is not set"):
        world.make("lake", ACCOUNT, **account_inputs(vault, identity))


def test_accounts(world: World, inputs: dict[str, Any], cloud: Cloud) -> None:
    world.make("lake", ACCOUNT, **inputs)
    _container(world)

    assert world.replaced_by("lake", isHnsEnabled=True) == ["isHnsEnabled"]
    encryption = {**inputs["encryption"], "requireInfrastructureEncryption": False}
    with pytest.raises(Refused, match=r"Changing property 'encryption.requireInfrastructureEncryption' is not allow"):
        world.change("lake", encryption=encryption)
    cloud.account_of_others("taken")
    with pytest.raises(Refused, match="The storage account named taken is already taken"):
        world.make("taken", ACCOUNT, **{**inputs, "accountName": "taken"})
    with pytest.raises(Refused, match=r"'Bad_Name' does not match"):
        world.make("bad", ACCOUNT, **{**inputs, "accountName": "Bad_Name"})
    cloud.upload("fraudlake", "a")
    world.remove("raw")
    assert cloud.api.store.all("blobs") == {}
    world.remove("lake")


def test_retained_versions(world: World, inputs: dict[str, Any], cloud: Cloud) -> None:
    policy: dict[str, Any] = {"immutabilityPeriodSinceCreationInDays": 30, "state": "Locked"}
    lock: dict[str, Any] = {"enabled": True, "immutabilityPolicy": policy}
    with pytest.raises(Refused, match="A policy is created unlocked"):
        world.make("lake", ACCOUNT, **inputs, immutableStorageWithVersioning=lock)
    unlocked = {**lock, "immutabilityPolicy": {**policy, "state": "Unlocked"}}
    world.make("lake", ACCOUNT, **inputs, immutableStorageWithVersioning=unlocked)
    _container(world)
    assert world.change("lake", immutableStorageWithVersioning=lock)[0] == ["immutableStorageWithVersioning"]
    with pytest.raises(Refused, match="Operation not allowed on immutability policy"):
        world.change("lake", immutableStorageWithVersioning=unlocked)
    with pytest.raises(Refused, match="Versions cannot be disabled while they are retained"):
        world.make("service", SERVICE, **IN_GROUP, accountName="fraudlake", blobServicesName="default")
    cloud.upload("fraudlake", "a")
    for name in ("lake", "raw"):
        with pytest.raises(Refused, match=r"[iI]mmutable|ImmutableStorage"):
            world.remove(name)


def test_rules_for_versions_need_versions(world: World, inputs: dict[str, Any]) -> None:
    world.make("lake", ACCOUNT, **inputs)
    _container(world)
    rules = [
        {
            "name": "versions",
            "type": "Lifecycle",
            "definition": {
                "actions": {"version": {"delete": {"daysAfterCreationGreaterThan": 30}}},
                "filters": {"blobTypes": ["blockBlob"], "prefixMatch": ["raw/"]},
            },
        }
    ]
    policy = {**IN_GROUP, "accountName": "fraudlake", "managementPolicyName": "default", "policy": {"rules": rules}}
    with pytest.raises(Refused, match="Rules for versions need versions"):
        world.make("policy", POLICY, **policy)
    world.make(
        "service", SERVICE, **IN_GROUP, accountName="fraudlake", blobServicesName="default", isVersioningEnabled=True
    )
    world.make("policy", POLICY, **policy)
    rules[0]["definition"]["filters"]["prefixMatch"] = ["other/"]  # type: ignore[index]
    with pytest.raises(Refused, match="A prefix starts with a container, unlike other/"):
        world.change("policy", policy={"rules": rules})


def test_registries(world: World) -> None:
    basic = {**HERE, "registryName": "fraudimages", "sku": {"name": "Basic"}, "publicNetworkAccess": "Disabled"}
    with pytest.raises(Refused, match="Network rules and retention need the SKU Premium"):
        world.make("images", REGISTRY, **basic)
    assert world.make("images", REGISTRY, **{**basic, "sku": {"name": "Premium"}})["loginServer"].endswith(
        ".azurecr.io"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sku": {"name": "Standard_B2s", "tier": "Burstable"}}, "not supported for Burstable SKU tier"),
        ({"sku": {"name": "Standard_B2s", "tier": "GeneralPurpose"}}, "is not one of tier GeneralPurpose"),
        ({"storage": {"storageSizeGB": 40}}, "Storage size 40 is not one of 32, 64"),
        ({"version": "9"}, "version: '9' is none of"),
        ({"backup": {"backupRetentionDays": 40}}, "from 7 to 35 days"),
        ({"administratorLoginPassword": "simple"}, "does not meet policy"),
    ],
)
def test_servers_that_azure_refuses(
    world: World, key: Values, identity: Values, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        world.make("runs", SERVER, **{**server_inputs(key, identity), **change})


def test_changes_of_a_server(world: World, key: Values, identity: Values, cloud: Cloud) -> None:
    server = world.make("runs", SERVER, **server_inputs(key, identity))

    assert server["fullyQualifiedDomainName"] == "fraud-runs.postgres.database.azure.com"
    assert world.change("runs", storage={"storageSizeGB": 128})[0] == ["storage"]
    with pytest.raises(Refused, match="Reducing storage from 128 to 64 GB is not supported"):
        world.change("runs", storage={"storageSizeGB": 64})
    with pytest.raises(Refused, match="Version 16 is not possible after '17'"):
        world.change("runs", version="16")
    assert world.replaced_by("runs", administratorLogin="other") == ["administratorLogin"]
    with pytest.raises(Refused, match=r"Changing property 'dataEncryption\.primaryKeyURI' is not allowed"):
        world.change("runs", dataEncryption={"type": "SystemManaged"})
    cloud.api.store.put("under way", server["id"], {})
    with pytest.raises(Refused, match="while server 'fraud-runs' is busy processing another operation"):
        world.make("database", DATABASE, **IN_GROUP, serverName="fraud-runs", databaseName="mlflow")
