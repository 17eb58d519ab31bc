"""Tests that object stores are private, encrypted with our key, have no access keys, and use retention."""

from __future__ import annotations

from typing import Any, Literal

import pulumi
import pytest

from modelyard_stacks.azure.storage import ObjectStore, retained
from tests.stacks.aws.programs import Resources, inputs, needs, of
from tests.stacks.azure.programs import IN_GROUP, NETWORK, NOTHING, configured, elsewhere, registered_together

ACCOUNT = "azure-native:storage:StorageAccount"
CONTAINER = "azure-native:storage:BlobContainer"
SERVICE = "azure-native:storage:BlobServiceProperties"
POLICY = "azure-native:storage:ManagementPolicy"
ENDPOINT = "azure-native:network:PrivateEndpoint"


def store(rest: str) -> str:
    return f"""{NETWORK}
from modelyard_stacks.azure.storage import ObjectStore

ObjectStore("lake", group=group, key=key, account="fraudlake1a2b3c", container="lake", {rest})
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Resources]:
    """Register several stores: private, shared, without a network, without versions, and with each kind of lock."""
    lock = 'network=network, lock={"mode": "MODE", "days": 2557}'
    return registered_together(
        tmp_path_factory.mktemp("store"),
        {
            "private": (store("network=network, retention_days=3650"), ""),
            "shared": (store("network=network, shared=True"), ""),
            "alone": (store('redundancy="ZRS"'), "protect: false"),
            "unversioned": (store('network=network, versioned=False, expire={"captures/a": 90, "audit": 366}'), ""),
            "nothing": (store("network=network, versioned=False"), ""),
            "governance": (store(lock.replace("MODE", "governance")), "lockRetention: true"),
            "compliance": (store(lock.replace("MODE", "compliance")), ""),
            "final": (store(lock.replace("MODE", "compliance")), "lockRetention: true"),
        },
    )


@pytest.fixture(scope="module")
def account(programs: dict[str, Resources]) -> dict[str, Any]:
    """Return the registered inputs of the private store's account."""
    return inputs(programs["private"], ACCOUNT, "lake")


def rules(resources: Resources) -> dict[str, tuple[dict[str, Any], list[str]]]:
    policy = inputs(resources, POLICY, "lake")
    assert policy["managementPolicyName"] == "default", "Azure knows no other"
    return {
        each["name"]: (each["definition"]["actions"], each["definition"]["filters"]["prefixMatch"])
        for each in policy["policy"]["rules"]
    }


def older(days: int) -> dict[str, Any]:
    return {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": days}}}


def versions(days: int) -> dict[str, Any]:
    return {"version": {"delete": {"daysAfterCreationGreaterThan": days}}}


def test_roles_alone_decide_and_nothing_can_be_public(programs: dict[str, Resources], account: dict[str, Any]) -> None:
    assert account["allowSharedKeyAccess"] is False
    assert account["allowBlobPublicAccess"] is False
    assert account["isLocalUserEnabled"] is False
    assert account["isSftpEnabled"] is False
    assert account["allowCrossTenantReplication"] is False
    assert account["defaultToOAuthAuthentication"] is True
    assert inputs(programs["private"], CONTAINER, "lake")["publicAccess"] == "None"


def test_connections_are_encrypted(account: dict[str, Any]) -> None:
    assert account["enableHttpsTrafficOnly"] is True
    assert account["minimumTlsVersion"] == "TLS1_2"


def test_it_answers_inside_the_network_alone(programs: dict[str, Resources], account: dict[str, Any]) -> None:
    endpoints = {name: each["inputs"] for name, each in of(programs["private"], ENDPOINT).items()}
    connections = {name: each["privateLinkServiceConnections"][0] for name, each in endpoints.items()}

    assert account["publicNetworkAccess"] == "Disabled"
    assert account["networkRuleSet"] == {"defaultAction": "Deny", "bypass": "None"}
    assert {name: each["groupIds"] for name, each in connections.items()} == {"lake-blob": ["blob"]}
    assert all(
        each["privateLinkServiceId"].endswith("/storageAccounts/fraudlake1a2b3c") for each in connections.values()
    )


def test_a_shared_store_also_has_its_public_address(programs: dict[str, Resources]) -> None:
    account = inputs(programs["shared"], ACCOUNT, "lake")

    assert account["publicNetworkAccess"] == "Enabled"
    assert account["networkRuleSet"]["defaultAction"] == "Allow"
    assert account["allowSharedKeyAccess"] is False
    assert set(of(programs["shared"], ENDPOINT)) == {"lake-blob"}


def test_a_store_without_a_network_has_its_public_address_alone(programs: dict[str, Resources]) -> None:
    account = inputs(programs["alone"], ACCOUNT, "lake")

    assert account["publicNetworkAccess"] == "Enabled"
    assert account["sku"] == {"name": "Standard_ZRS"}
    assert not of(programs["alone"], ENDPOINT)


def test_it_is_encrypted_with_the_newest_version_of_our_key(
    programs: dict[str, Resources], account: dict[str, Any]
) -> None:
    identity = f"{IN_GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/fraud-prod-main-data"
    encryption = account["encryption"]

    assert account["identity"] == {"type": "UserAssigned", "userAssignedIdentities": [identity]}
    assert encryption["keySource"] == "Microsoft.Keyvault"
    assert encryption["encryptionIdentity"] == {"encryptionUserAssignedIdentity": identity}
    assert encryption["keyVaultProperties"] == {
        "keyName": "fraud-prod-main-data",
        "keyVaultUri": "https://fraud-prod-keys.vault.azure.net/",
    }
    assert encryption["requireInfrastructureEncryption"] is True
    right = "azure-native:authorization:RoleAssignment fraud-prod-main-data"
    assert right in needs(programs["private"], ACCOUNT, "lake")


def test_account_and_container_are_protected(programs: dict[str, Resources]) -> None:
    for kind in (ACCOUNT, CONTAINER):
        assert programs["private"][f"{kind} lake"]["protect"]
        assert not programs["alone"][f"{kind} lake"]["protect"]


def test_versions_exclude_a_hierarchy_of_folders(programs: dict[str, Resources], account: dict[str, Any]) -> None:
    service = inputs(programs["private"], SERVICE, "lake")

    assert account["isHnsEnabled"] is False
    assert service["isVersioningEnabled"] is True
    assert service["blobServicesName"] == "default", "Azure knows no other"


def test_what_is_overwritten_is_kept_for_a_month_at_least(programs: dict[str, Resources]) -> None:
    """Overwritten data is kept for at least a month.

    Rules go by the age of a version's content, so an old version would be deleted one day after it was replaced.
    """
    service = inputs(programs["private"], SERVICE, "lake")

    assert rules(programs["private"]) == {
        "retention": (older(3650), ["lake/"]),
        "versions": (versions(30), ["lake/"]),
    }
    assert service["deleteRetentionPolicy"] == {"enabled": True, "days": 30}
    assert service["containerDeleteRetentionPolicy"] == {"enabled": True, "days": 7}
    assert f"{SERVICE} lake" in needs(programs["private"], POLICY, "lake")


def test_captures_expire_below_their_folder_alone(programs: dict[str, Resources]) -> None:
    """Servers need no permission to delete captures, because the account does that."""
    resources = programs["unversioned"]

    assert rules(resources) == {
        "folder0": (older(366), ["lake/audit/"]),
        "folder1": (older(90), ["lake/captures/a/"]),
    }
    assert inputs(resources, SERVICE, "lake")["isVersioningEnabled"] is False
    assert inputs(resources, SERVICE, "lake")["deleteRetentionPolicy"] == {"enabled": False}


def test_a_store_that_deletes_nothing_has_no_policy(programs: dict[str, Resources]) -> None:
    assert not of(programs["nothing"], POLICY)


@pytest.mark.parametrize(
    ("program", "state"), [("governance", "Unlocked"), ("compliance", "Unlocked"), ("final", "Locked")]
)
def test_a_lock_holds_for_every_version_and_is_final_in_a_second_step(
    program: str, state: str, programs: dict[str, Resources]
) -> None:
    resources = programs[program]

    assert inputs(resources, ACCOUNT, "lake")["immutableStorageWithVersioning"] == {
        "enabled": True,
        "immutabilityPolicy": {
            "immutabilityPeriodSinceCreationInDays": 2557,
            "allowProtectedAppendWrites": False,
            "state": state,
        },
    }
    assert inputs(resources, SERVICE, "lake")["isVersioningEnabled"] is True
    assert rules(resources) == {"versions": (versions(2557), ["lake/"])}


@pytest.mark.parametrize(
    ("mode", "setting", "warned"),
    [("compliance", "", True), ("compliance", "false", True), ("compliance", "true", False), ("governance", "", False)],
)
def test_every_up_warns_until_a_lock_that_should_be_final_is_final(
    mode: Literal["compliance", "governance"], setting: str, warned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)

    with configured(**({"lockRetention": setting} if setting else {})):
        retained({"mode": mode, "days": 2557}, "fraudlake1a2b3c")

    assert [
        "fraudlake1a2b3c" in each and "`pulumi config set lockRetention true`" in each for each in warnings
    ] == warned * [True]


@pytest.mark.parametrize("name", ["Bad_Name", "fraud-lake", "f" * 25, "fl"])
def test_a_name_that_azure_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(pulumi.RunError, match="a name must have 3 to 24 lower-case letters and digits"):
        ObjectStore("lake", group=NOTHING, key=NOTHING, account=name, container="lake")


def test_everything_belongs_to_the_subscription(programs: dict[str, Resources]) -> None:
    assert not elsewhere(programs["private"])
