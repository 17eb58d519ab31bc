"""Tests that each add-on that creates nodes or reads secrets has its own role."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.stacks.aws.clusters import CLUSTER
from tests.stacks.aws.programs import Resources, elsewhere, inputs, of, policy, registered
from tests.stacks.programs import Refused

RIGHTS = "aws:iam/rolePolicy:RolePolicy"
IMPORT = "from modelyard_stacks.aws.platform import ClusterAutoscaler, Karpenter, SecretsReader"
PROGRAM = f"""{CLUSTER}
{IMPORT}

ClusterAutoscaler("scaler", cluster=cluster, key=key, namespace="kube-system", service_account="cluster-autoscaler")
SecretsReader(
    "secrets",
    cluster=cluster,
    key=key,
    namespace="external-secrets",
    service_account="external-secrets",
    secrets=["fraud/pagerduty"],
    arns=["arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-abcdef"],
)
Karpenter("karpenter", cluster=cluster, key=key, namespace="kube-system", service_account="karpenter")
"""
OWN = {"aws:ResourceTag/kubernetes.io/cluster/fraud-prod-main": "owned"}
INLINE_LIMIT = 10_240


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register the roles of all three add-ons."""
    return registered(tmp_path_factory.mktemp("platform"), PROGRAM)


def rights(resources: Resources, name: str) -> dict[str, dict[str, Any]]:
    return policy(inputs(resources, RIGHTS, name)["policy"])


def actions(statement: dict[str, Any]) -> list[str]:
    action: str | list[str] = statement["Action"]
    return [action] if isinstance(action, str) else action


def test_autoscaler_resizes_only_groups_of_its_cluster(resources: Resources) -> None:
    statement = rights(resources, "scaler")["SizeOwnGroups"]

    assert statement["Resource"] == (
        "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:*:autoScalingGroupName/*"
    )
    assert statement["Condition"] == {
        "StringEquals": {"aws:ResourceTag/k8s.io/cluster-autoscaler/fraud-prod-main": "owned"}
    }
    assert rights(resources, "scaler")["ReadNodeGroups"]["Resource"] == (
        "arn:aws:eks:eu-central-1:123456789012:nodegroup/fraud-prod-main/*"
    )


def test_secrets_reader_reads_named_secrets_and_lists_none(resources: Resources) -> None:
    statements = rights(resources, "secrets")

    assert {sid: each["Action"] for sid, each in statements.items()} == {
        "ReadSecrets": "secretsmanager:GetSecretValue",
        "DecryptSecrets": "kms:Decrypt",
    }
    assert statements["ReadSecrets"]["Resource"] == [
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:fraud/pagerduty-??????",
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-abcdef",
    ]


@pytest.mark.parametrize("name", ["scaler", "karpenter"])
def test_permissions_on_all_resources_are_read_only(name: str, resources: Resources) -> None:
    everywhere = [each for each in rights(resources, name).values() if each["Resource"] == "*"]

    assert everywhere
    for each in everywhere:
        assert all(action.partition(":")[2].startswith(("Describe", "Get", "List")) for action in actions(each)), each


def test_karpenter_changes_only_resources_tagged_with_its_cluster(resources: Resources) -> None:
    statements = rights(resources, "karpenter")

    for sid in ("StartFromOwnTemplates", "EndOwnMachines", "NameOwnMachines"):
        assert statements[sid]["Condition"]["StringEquals"] == OWN
    for sid in ("StartTagged", "TagWhatIsStarted"):
        assert (
            statements[sid]["Condition"]["StringEquals"].items()
            >= {
                "aws:RequestTag/kubernetes.io/cluster/fraud-prod-main": "owned",
                "aws:RequestTag/eks:eks-cluster-name": "fraud-prod-main",
            }.items()
        )


def test_karpenter_write_permissions_require_a_tag_or_one_resource(resources: Resources) -> None:
    for sid, each in rights(resources, "karpenter").items():
        reads = all(action.partition(":")[2].startswith(("Describe", "Get", "List")) for action in actions(each))
        arns = [each["Resource"]] if isinstance(each["Resource"], str) else each["Resource"]
        named = not any("*" in resource for resource in arns)
        tagged = any("Tag/" in key for condition in each.get("Condition", {}).values() for key in condition)
        if sid != "StartFrom":  # images, snapshots, subnets and security groups are only used
            assert reads or named or tagged, sid


def test_cluster_security_group_is_tagged_for_karpenter(resources: Resources) -> None:
    assert inputs(resources, "aws:ec2/tag:Tag", "karpenter") == {
        "resourceId": "sg-cluster",
        "key": "karpenter.sh/discovery",
        "value": "fraud-prod-main",
    }


def test_karpenter_may_pass_only_the_node_role(resources: Resources) -> None:
    statement = rights(resources, "karpenter")["GiveNodesTheirRole"]

    assert statement["Resource"] == "arn:aws:iam:::Role/fraud-prod-main-node"
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}


def test_karpenter_uses_an_existing_instance_profile(resources: Resources) -> None:
    """Karpenter uses an existing profile because creating one would require internet access to reach IAM."""
    every = [action for each in rights(resources, "karpenter").values() for action in actions(each)]

    assert inputs(resources, "aws:iam/instanceProfile:InstanceProfile", "karpenter") == {"role": "fraud-prod-main-node"}
    assert [action for action in every if action.startswith("iam:")] == [
        "iam:PassRole",
        "iam:CreateServiceLinkedRole",  # called by EC2, not by Karpenter
        "iam:ListInstanceProfiles",
    ]


def test_karpenter_may_create_only_the_spot_service_role(resources: Resources) -> None:
    """In a new account, Karpenter must be able to create this service-linked role to start Spot instances."""
    statement = rights(resources, "karpenter")["MakeRoleOfSpot"]

    assert statement["Resource"] == (
        "arn:aws:iam::123456789012:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot"
    )
    assert statement["Condition"] == {"StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"}}


def test_karpenter_grants_the_key_only_for_disks(resources: Resources) -> None:
    assert rights(resources, "karpenter")["LendTheKeyToDisks"]["Condition"] == {
        "StringEquals": {"kms:ViaService": "ec2.eu-central-1.amazonaws.com"},
        "Bool": {"kms:GrantIsForAWSResource": "true"},
    }


def test_policy_with_long_names_fits_in_its_role(tmp_path: Path) -> None:
    """Even long names fit the size limit for inline policies, which ignores whitespace."""
    resources = registered(tmp_path, PROGRAM.replace("fraud-prod-main", "f" * 63))

    text = json.dumps(json.loads(inputs(resources, RIGHTS, "karpenter")["policy"]), separators=(",", ":"))

    assert len(text) < INLINE_LIMIT


def test_queue_is_encrypted_and_accepts_only_events_of_this_account(resources: Resources) -> None:
    statements = policy(inputs(resources, "aws:sqs/queuePolicy:QueuePolicy", "karpenter")["policy"])

    assert inputs(resources, "aws:sqs/queue:Queue", "karpenter") == {
        "messageRetentionSeconds": 300,
        "kmsMasterKeyId": "arn:aws:kms:::Key/fraud-prod-main",
    }
    assert statements["Events"]["Principal"] == {"Service": "events.amazonaws.com"}
    assert statements["Events"]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:events:eu-central-1:123456789012:rule/*"},
    }
    assert [sid for sid, each in statements.items() if each["Effect"] == "Allow"] == ["Events"]
    assert not elsewhere(resources)


def test_all_node_interruption_events_reach_the_queue(resources: Resources) -> None:
    rules = of(resources, "aws:cloudwatch/eventRule:EventRule")
    targets = of(resources, "aws:cloudwatch/eventTarget:EventTarget")

    assert {kind for each in rules.values() for kind in json.loads(each["inputs"]["eventPattern"])["detail-type"]} == {
        "AWS Health Event",
        "EC2 Capacity Reservation Instance Interruption Warning",
        "EC2 Instance Rebalance Recommendation",
        "EC2 Instance State-change Notification",
        "EC2 Spot Instance Interruption Warning",
    }
    assert {each["inputs"]["rule"] for each in targets.values()} == set(rules)
    assert {each["inputs"]["arn"] for each in targets.values()} == {"arn:aws:sqs:::Queue/karpenter"}


def test_secrets_reader_without_secrets_is_refused(tmp_path: Path) -> None:
    program = (
        f'{CLUSTER}\n{IMPORT}\n\nSecretsReader("s", cluster=cluster, key=key, namespace="n", service_account="s")\n'
    )

    with pytest.raises(Refused, match="s: a role needs at least one permission to read"):
        registered(tmp_path, program)
