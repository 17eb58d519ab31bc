"""Tests an existing EKS cluster, its Pod Identity agent, and the role that reads a system's secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.stacks.programs import Refused, of_type, project, registrations

PROGRAM = """
from modelyard_stacks.aws.account import Account
from modelyard_stacks.aws.existing import ClusterNetwork, ExistingCluster, IdentityAgent
from modelyard_stacks.aws.identity import Identity
from modelyard_stacks.aws.key import Key
from modelyard_stacks.aws.tokens import SystemSecretsReader

account = Account("main", region="eu-central-1", account_id="123456789012", tags={})
key = Key("tenant-main", account=account)
cluster = ExistingCluster("tenant-main", account=account, cluster="platform")
IdentityAgent("tenant-main", cluster=cluster)
access = [{"bucket": "lake", "prefix": "clicks/", "mode": "read"}]
Identity("fit", cluster=cluster, key=key, namespace="tenant", service_account="fit", access=access)
SystemSecretsReader(
    "tenant-main", cluster=cluster, key=key, namespace="tenant", service_account="reader", secrets=SECRETS
)
"""


def test_what_a_system_adds_to_an_existing_cluster(tmp_path: Path) -> None:
    """The agent outlives the stack, roles are named after the system, and only one ServiceAccount reads the secrets."""
    (resources,) = registrations(project(tmp_path, PROGRAM.replace("SECRETS", '["token"]')))

    assert of_type(resources, "aws:eks/cluster:Cluster") == []
    (agent,) = of_type(resources, "aws:eks/addon:Addon")
    assert agent["inputs"]["clusterName"] == "platform"
    assert agent["inputs"]["addonVersion"] == "v1.3.10-eksbuild.2"
    assert agent["ignoreChanges"] == ["addonVersion"]
    (pods,) = of_type(resources, "aws:eks/podIdentityAssociation:PodIdentityAssociation")
    assert (pods["inputs"]["clusterName"], pods["inputs"]["serviceAccount"]) == ("platform", "fit")
    roles = {each["name"]: each["inputs"] for each in of_type(resources, "aws:iam/role:Role")}
    assert {each["namePrefix"] for each in roles.values()} == {"tenant-main-fit-", "tenant-main-secrets-"}
    (statement,) = json.loads(roles["tenant-main-secrets"]["assumeRolePolicy"])["Statement"]
    assert statement["Principal"]["Federated"].startswith("arn:aws:iam::123456789012:oidc-provider/oidc.eks.")
    assert {key.rpartition(":")[2]: value for key, value in statement["Condition"]["StringEquals"].items()} == {
        "aud": "sts.amazonaws.com",
        "sub": "system:serviceaccount:tenant:reader",
    }


def test_a_role_that_reads_nothing_is_refused(tmp_path: Path) -> None:
    """A role that reads no secrets could only be a mistake in the program."""
    with pytest.raises(Refused, match="a role needs at least one permission to read"):
        registrations(project(tmp_path, PROGRAM.replace("SECRETS", "[]")))
