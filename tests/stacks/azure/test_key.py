"""Tests that keys and vaults are private, never purged, and usable only by identities with permission."""

from __future__ import annotations

import re
from typing import Any

import pulumi
import pytest

from modelyard_stacks.azure.settings import blocks
from modelyard_stacks.azure.vaults import vault_title
from tests.stacks.aws.programs import Resources, inputs, needs, of
from tests.stacks.azure.programs import IN_GROUP, KEY, VAULT, configured, elsewhere, registered_together

STORE = "azure-native:keyvault:Vault"
KEYS = "azure-native:keyvault:Key"
ASSIGNMENT = "azure-native:authorization:RoleAssignment"
DISKS = "azure-native:compute:DiskEncryptionSet"
ENDPOINT = "azure-native:network:PrivateEndpoint"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Resources]:
    """Register keys with and without a cluster, and a secrets vault reachable from one public address."""
    return registered_together(
        tmp_path_factory.mktemp("key"),
        {
            "cluster": (KEY, ""),
            "stores": (KEY.replace(", cluster=True", ""), "protect: false"),
            "secrets": (VAULT, "vaultClients: '[\"198.51.100.0/24\"]'"),
            "closed": (VAULT, ""),
        },
    )


@pytest.fixture(scope="module")
def resources(programs: dict[str, Resources]) -> Resources:
    """Return a cluster's key registrations."""
    return programs["cluster"]


def vault(resources: Resources, name: str) -> dict[str, Any]:
    properties: dict[str, Any] = inputs(resources, STORE, name)["properties"]
    return properties


def test_a_vault_is_closed_and_decides_by_roles(programs: dict[str, Resources]) -> None:
    for key_vault in (vault(programs["cluster"], "fraud-prod-keys"), vault(programs["closed"], "fraud-pr-secrets")):
        assert key_vault["publicNetworkAccess"] == "disabled"
        assert key_vault["networkAcls"] == {"bypass": "AzureServices", "defaultAction": "Deny", "ipRules": []}
        assert key_vault["enableRbacAuthorization"] is True
        assert "accessPolicies" not in key_vault


def test_nobody_purges_a_vault_or_its_keys(resources: Resources) -> None:
    key_vault = vault(resources, "fraud-prod-keys")

    assert (key_vault["enableSoftDelete"], key_vault["enablePurgeProtection"]) == (True, True)
    assert key_vault["softDeleteRetentionInDays"] == 90
    assert all(resources[f"{STORE} {name}"]["protect"] for name in of(resources, STORE))
    assert all(resources[f"{KEYS} {name}"]["protect"] for name in of(resources, KEYS))


def test_protection_ends_with_a_setting(programs: dict[str, Resources]) -> None:
    assert not programs["stores"][f"{STORE} fraud-prod-keys"]["protect"]
    assert not programs["stores"][f"{KEYS} fraud-prod-main-data"]["protect"]


def test_a_vault_is_named_anew_at_every_creation(resources: Resources) -> None:
    """A deleted vault's name stays reserved, so Pulumi appends eight digits, within the limit of 24 characters."""
    assert "vaultName" not in inputs(resources, STORE, "fraud-prod-keys")
    for name in ("f", "fraud-prod-main", "f" * 40, "fraud-prod---x"):
        for use in ("keys", "secrets"):
            assert re.fullmatch(r"[a-z](?!.*--)[a-z0-9-]{2,23}", f"{vault_title(name, use)}0a1b2c3d")


def test_the_key_gets_a_new_version_every_quarter(resources: Resources) -> None:
    assert inputs(resources, KEYS, "fraud-prod-main-data")["properties"] == {
        "kty": "RSA",
        "keySize": 3072,
        "keyOps": ["wrapKey", "unwrapKey"],
        "rotationPolicy": {
            "lifetimeActions": [{"action": {"type": "rotate"}, "trigger": {"timeAfterCreate": "P90D"}}],
        },
    }


def test_the_key_of_a_clusters_secrets_is_another_that_nobody_rotates(programs: dict[str, Resources]) -> None:
    """The key that encrypts Kubernetes Secrets isn't rotated, because AKS refers to one version of it."""
    properties = inputs(programs["cluster"], KEYS, "fraud-prod-main-secrets")["properties"]

    assert properties["keyOps"] == ["encrypt", "decrypt"]
    assert "rotationPolicy" not in properties
    assert list(of(programs["stores"], KEYS)) == ["fraud-prod-main-data"]


def test_one_identity_may_use_the_key_of_data_and_nothing_else(resources: Resources) -> None:
    assignment = inputs(resources, ASSIGNMENT, "fraud-prod-main-data")

    assert list(of(resources, ASSIGNMENT)) == ["fraud-prod-main-data"]
    assert assignment["roleDefinitionId"].endswith("/e147488a-f6f5-4113-8e2d-b22465e65bf6")
    assert assignment["scope"] == f"{IN_GROUP}/Microsoft.KeyVault/vaults/fraud-prod-keys/keys/fraud-prod-main-data"


def test_disks_use_the_newest_version_of_the_key(programs: dict[str, Resources]) -> None:
    disk_set = inputs(programs["cluster"], DISKS, "fraud-prod-main")

    assert disk_set["activeKey"] == {
        "keyUrl": "https://fraud-prod-keys.vault.azure.net/keys/fraud-prod-main-data",
        "sourceVault": {"id": f"{IN_GROUP}/Microsoft.KeyVault/vaults/fraud-prod-keys"},
    }
    assert disk_set["rotationToLatestKeyVersionEnabled"] is True
    assert f"{ASSIGNMENT} fraud-prod-main-data" in needs(programs["cluster"], DISKS, "fraud-prod-main")
    assert not of(programs["stores"], DISKS)


def test_secrets_are_reached_inside_the_network(programs: dict[str, Resources]) -> None:
    endpoint = inputs(programs["closed"], ENDPOINT, "fraud-prod-main-secrets")

    assert endpoint["privateLinkServiceConnections"] == [
        {
            "name": "vault",
            "groupIds": ["vault"],
            "privateLinkServiceId": f"{IN_GROUP}/Microsoft.KeyVault/vaults/fraud-pr-secrets",
        }
    ]
    assert vault(programs["closed"], "fraud-pr-secrets")["softDeleteRetentionInDays"] == 7


def test_people_reach_the_vault_from_the_addresses_of_a_setting(programs: dict[str, Resources]) -> None:
    key_vault = vault(programs["secrets"], "fraud-pr-secrets")

    assert key_vault["publicNetworkAccess"] == "enabled"
    assert key_vault["networkAcls"]["defaultAction"] == "Deny"
    assert key_vault["networkAcls"]["ipRules"] == [{"value": "198.51.100.0/24"}]
    assert vault(programs["secrets"], "fraud-prod-keys")["publicNetworkAccess"] == "disabled"


@pytest.mark.parametrize(
    ("clients", "message"),
    [
        ("[]", "the setting vaultClients is a list: pulumi config set --path 'vaultClients\\[0\\]' 198.51.100.0/24"),
        ('"198.51.100.0/24"', "the setting vaultClients is a list"),
        ('["198.51.100.1/24"]', "the setting vaultClients has CIDR blocks such as 198.51.100.0/24"),
    ],
)
def test_addresses_of_another_form_are_refused(clients: str, message: str) -> None:
    with configured(vaultClients=clients), pytest.raises(pulumi.RunError, match=message):
        blocks("vaultClients", "198.51.100.0/24")


def test_everything_belongs_to_the_subscription(programs: dict[str, Resources]) -> None:
    assert not any(elsewhere(resources) for resources in programs.values())
