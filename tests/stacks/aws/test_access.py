"""Tests who administers an EKS cluster, and which networks can reach its API."""

from __future__ import annotations

from collections.abc import Iterator

import pulumi
import pytest
from pulumi.runtime import set_all_config

from modelyard_stacks.aws.access import admins, api_clients
from tests.stacks.aws.programs import CLUSTER, Resources, inputs, of, registered

NAME = "fraud-prod-main"
ENTRY = "aws:eks/accessEntry:AccessEntry"
ASSOCIATION = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
PLATFORM = "arn:aws:iam::123456789012:role/teams/platform"
NAMED = f"""\
admins: '["{PLATFORM}"]'
apiClients: '["10.99.0.0/16"]'
"""


@pytest.fixture(scope="module")
def restricted(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a cluster with stack settings that list administrators and API clients."""
    return registered(tmp_path_factory.mktemp("named"), CLUSTER, NAMED)


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a cluster without stack settings."""
    return registered(tmp_path_factory.mktemp("found"), CLUSTER)


@pytest.fixture(autouse=True)
def no_settings() -> Iterator[None]:
    """Remove all stack settings after each test."""
    yield
    set_all_config({})


def test_deployer_is_administrator_by_default(resources: Resources) -> None:
    assert inputs(resources, ENTRY, f"{NAME}-deployer") == {
        "clusterName": NAME,
        "principalArn": "arn:aws:iam::123456789012:role/deployer",
    }
    assert len(of(resources, ENTRY)) == 1


def test_deployment_by_another_role_keeps_the_administrators(resources: Resources) -> None:
    assert resources[f"{ENTRY} {NAME}-deployer"]["ignoreChanges"] == ["principalArn"]
    assert resources[f"{ASSOCIATION} {NAME}-deployer"]["ignoreChanges"] == ["principalArn"]


def test_only_named_principals_are_administrators(restricted: Resources) -> None:
    assert {each["inputs"]["principalArn"] for each in of(restricted, ENTRY).values()} == {PLATFORM}
    (association,) = of(restricted, ASSOCIATION).values()
    assert association["inputs"]["policyArn"] == ("arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy")
    assert association["inputs"]["accessScope"] == {"type": "cluster"}
    assert association["ignoreChanges"] == []


def test_connected_networks_can_reach_the_api(restricted: Resources) -> None:
    blocks = {name: each["inputs"]["cidrIpv4"] for name, each in of(restricted, RULE).items() if "-api" in name}

    assert blocks == {f"{NAME}-api": "10.0.0.0/16", f"{NAME}-api-1": "10.99.0.0/16"}


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("admins", '{"a": 1}', "the setting admins is a list"),
        ("admins", "[]", "the setting admins is a list"),
        ("admins", '["platform"]', "the setting admins must be ARNs of roles and users, not platform"),
        ("apiClients", "[1]", "the setting apiClients is a list"),
    ],
)
def test_settings_of_the_wrong_type_are_refused(setting: str, value: str, message: str) -> None:
    set_all_config({f"{pulumi.get_project()}:{setting}": value})

    with pytest.raises(pulumi.RunError, match=message):
        admins() if setting == "admins" else api_clients()
