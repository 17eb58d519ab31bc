"""Tests resource groups, identities, roles and role assignments in the Azure stand-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from testbed.clouds.azure.access import CREDENTIAL, ROLE
from testbed.clouds.azure.cloud import SUBSCRIPTION, Cloud
from testbed.clouds.azure.lifecycle import AzureLifecycle
from testbed.clouds.azure.network import NETWORK
from testbed.clouds.azure.provider import AZURE
from testbed.clouds.shared.refusal import Refused
from tests.testbed.azure.world import GROUP_ID, HERE, IN_GROUP, OPERATOR, ROLES, World, an_identity, grant

DATA = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"


def _role(world: World, guid: str, name: str, scope: str = GROUP_ID) -> dict[str, Any]:
    inputs: dict[str, Any] = {
        "roleDefinitionId": guid,
        "roleName": name,
        "scope": scope,
        "assignableScopes": [scope],
        "permissions": [{"actions": [], "notActions": [], "dataActions": [DATA], "notDataActions": []}],
    }
    return world.make(f"role-{guid}", ROLE, **inputs)


def test_another_subscription_or_tenant_is_refused(cloud: Cloud) -> None:
    lifecycle = AzureLifecycle(AZURE, cloud.folder)
    with pytest.raises(Refused, match="a subscription is not configured"):
        lifecycle.configure({})
    with pytest.raises(Refused, match="the login belongs to tenant"):
        lifecycle.configure({"subscriptionId": SUBSCRIPTION, "tenantId": "00000000-0000-0000-0000-000000000000"})


def test_resource_providers_must_be_registered(tmp_path: Path) -> None:
    lifecycle = AzureLifecycle(AZURE, Cloud(tmp_path).folder)
    lifecycle.configure({"subscriptionId": SUBSCRIPTION})

    with pytest.raises(Refused, match=r"not registered to use namespace 'Microsoft.Network'. See https://aka.ms/rps"):
        lifecycle.create(NETWORK, {**HERE, "virtualNetworkName": "net"})


def test_calls_need_a_group_a_parent_and_valid_content(world: World) -> None:
    with pytest.raises(Refused, match=r"404 Code=\"ResourceGroupNotFound\" Message=\"Resource group 'other'"):
        world.make("net", NETWORK, **{**HERE, "resourceGroupName": "other"})
    with pytest.raises(Refused, match=r"The Resource 'Microsoft.ManagedIdentity/userAssignedIdentities/nobody' under"):
        world.make("a", CREDENTIAL, **IN_GROUP, resourceName="nobody", issuer="https://a", subject="b", audiences=["c"])
    with pytest.raises(Refused, match=r"InvalidRequestContent.*location: string, not 5"):
        world.make("net", NETWORK, **{**HERE, "location": 5})


def test_names_and_locations_are_fixed_and_names_are_not_reused(world: World) -> None:
    identity = an_identity(world, "scorer")

    assert identity["id"] == f"{GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/scorer"
    assert world.replaced_by("scorer", location="northeurope") == ["location"]
    assert world.replaced_by("scorer", resourceName="other") == ["resourceName"]
    assert world.change("scorer", tags={"owner": "platform"})[0] == ["tags"]
    with pytest.raises(Refused, match="cannot create already existing resource"):
        an_identity(world, "scorer")


def test_credentials_of_an_identity(world: World) -> None:
    an_identity(world, "scorer")
    for number in range(20):
        world.make(
            f"credential-{number}",
            CREDENTIAL,
            **IN_GROUP,
            resourceName="scorer",
            issuer="https://issuer.example/",
            subject=f"system:serviceaccount:fraud:{number}",
            audiences=["api://AzureADTokenExchange"],
        )
    with pytest.raises(Refused, match="Issuer and subject combination already exists for this Managed Identity"):
        world.change("credential-0", subject="system:serviceaccount:fraud:1")
    with pytest.raises(Refused, match="Too many Federated Identity Credentials"):
        world.make(
            "more",
            CREDENTIAL,
            **IN_GROUP,
            resourceName="scorer",
            issuer="https://issuer.example/",
            subject="another",
            audiences=["api://AzureADTokenExchange"],
        )


def test_one_credential_of_an_identity_is_written_at_a_time(world: World, cloud: Cloud) -> None:
    scorer = an_identity(world, "scorer")
    cloud.api.store.put("under way", scorer["id"], {})

    with pytest.raises(Refused, match="Concurrent Federated Identity Credentials writes under the same managed"):
        world.make("a", CREDENTIAL, **IN_GROUP, resourceName="scorer", issuer="https://a", subject="b", audiences=["c"])


def test_assignments_name_what_exists_and_only_once(world: World) -> None:
    scorer, nodes = an_identity(world, "scorer"), an_identity(world, "nodes")
    grant(world, "first", scorer, OPERATOR, nodes["id"])

    with pytest.raises(Refused, match=r"RoleAssignmentExists.*The role assignment already exists"):
        grant(world, "second", scorer, OPERATOR, nodes["id"])
    with pytest.raises(Refused, match="RoleDefinitionDoesNotExist"):
        grant(world, "unknown", scorer, "00000000-0000-0000-0000-000000000000", nodes["id"])
    with pytest.raises(Refused, match=r"PrincipalNotFound.*does not exist in the directory"):
        grant(world, "nobody", {"principalId": "00000000-0000-0000-0000-000000000000"}, OPERATOR, nodes["id"])
    with pytest.raises(Refused, match="ResourceNotFound"):
        grant(world, "nowhere", scorer, OPERATOR, f"{nodes['id']}-2")
    assert world.replaced_by("first", principalId=nodes["principalId"]) == ["principalId"]
    with pytest.raises(Refused, match="Tenant ID, application ID, principal ID, and scope are not allowed to be upd"):
        world.change("first", roleDefinitionId=f"{ROLES}/4d97b98b-1d4f-4787-a291-c67834d212e7")
    world.remove("nodes")  # assignments on a resource are deleted with it
    assert world.lifecycle.read("azure-native:authorization:RoleAssignment", "", {}, {}) is None


def test_conditions_are_for_data_and_have_a_version(world: World) -> None:
    scorer = an_identity(world, "scorer")
    _role(world, "11111111-0000-4000-8000-000000000000", "reader")
    condition = {"condition": "@Resource[a:path] StringLike 'a'", "conditionVersion": "2.0"}

    grant(world, "good", scorer, "11111111-0000-4000-8000-000000000000", GROUP_ID, **condition)
    with pytest.raises(Refused, match="Conditions are not supported for the role Managed Identity Operator"):
        grant(world, "no-data", scorer, OPERATOR, GROUP_ID, **condition)
    with pytest.raises(Refused, match="8193 bytes"):
        grant(world, "long", scorer, OPERATOR, GROUP_ID, **{**condition, "condition": "a" * 8193})


def test_roles_have_their_own_names_and_outlive_no_assignment(world: World) -> None:
    scorer = an_identity(world, "scorer")
    _role(world, "11111111-0000-4000-8000-000000000000", "reader")
    grant(world, "first", scorer, "11111111-0000-4000-8000-000000000000", scorer["id"])

    with pytest.raises(Refused, match="A custom role with the same name already exists in this directory"):
        _role(world, "22222222-0000-4000-8000-000000000000", "reader")
    with pytest.raises(Refused, match="There are existing role assignments referencing role"):
        world.remove("role-11111111-0000-4000-8000-000000000000")
    _role(world, "33333333-0000-4000-8000-000000000000", "other", scorer["id"])
    with pytest.raises(Refused, match="RoleAssignmentScopeNotAssignableToRoleDefinition"):
        grant(world, "wide", scorer, "33333333-0000-4000-8000-000000000000", GROUP_ID)
