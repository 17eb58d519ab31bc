"""Tests that roles can use another project's resources without registering them again."""

from __future__ import annotations

import pytest

from tests.stacks.aws.programs import ACCOUNT, Resources, inputs, of, policy, registered

PROGRAM = f"""{ACCOUNT}
from modelyard_stacks.aws.adopted import AdoptedCluster, AdoptedKey
from modelyard_stacks.aws.identity import Identity

key = AdoptedKey("fraud-prod-main", account=account, arn="arn:aws:kms:eu-central-1:123456789012:key/1234")
cluster = AdoptedCluster("fraud-prod-main", account=account, cluster_name="fraud-prod-main")
Identity(
    "retrain",
    cluster=cluster,
    key=key,
    namespace="fraud",
    service_account="retrain",
    access=[{{"bucket": "lake", "prefix": "transactions", "mode": "read", "key": key.arn}}],
)
"""


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a role that uses the cluster and the key of another project."""
    return registered(tmp_path_factory.mktemp("adopted"), PROGRAM)


def test_adopted_resources_are_not_created_again(resources: Resources) -> None:
    assert of(resources, "aws:eks/cluster:Cluster") == {}
    assert of(resources, "aws:kms/key:Key") == {}


def test_role_is_only_for_pods_of_the_adopted_cluster(resources: Resources) -> None:
    trust = policy(inputs(resources, "aws:iam/role:Role", "retrain")["assumeRolePolicy"])["Pods"]
    association = inputs(resources, "aws:eks/podIdentityAssociation:PodIdentityAssociation", "retrain")

    cluster = trust["Condition"]["StringEquals"]["aws:RequestTag/eks-cluster-arn"]
    assert cluster.startswith("arn:aws:eks:eu-central-1:")
    assert cluster.endswith(":cluster/fraud-prod-main")
    assert association["clusterName"] == "fraud-prod-main"


def test_role_may_use_the_adopted_key(resources: Resources) -> None:
    rights = policy(inputs(resources, "aws:iam/rolePolicy:RolePolicy", "retrain")["policy"])

    assert "arn:aws:kms:eu-central-1:123456789012:key/1234" in str(rights["DecryptObjects"]["Resource"])
