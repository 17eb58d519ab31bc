"""Roles of add-ons that create nodes or read secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.stacks.aws.clusters import CLUSTER
from tests.stacks.aws.programs import Found, elsewhere, inputs, of, policy, registered
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
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Register all three add-on roles."""
    return registered(tmp_path_factory.mktemp("platform"), PROGRAM)


def rights(found: Found, name: str) -> dict[str, dict[str, Any]]:
    return policy(inputs(found, RIGHTS, name)["policy"])


def actions(statement: dict[str, Any]) -> list[str]:
    action: str | list[str] = statement["Action"]
    return [action] if isinstance(action, str) else action


def test_the_autoscaler_sizes_groups_of_its_cluster_only(found: Found) -> None:
    statement = rights(found, "scaler")["SizeOwnGroups"]

    assert statement["Resource"] == (
        "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:*:autoScalingGroupName/*"
    )
    assert statement["Condition"] == {
        "StringEquals": {"aws:ResourceTag/k8s.io/cluster-autoscaler/fraud-prod-main": "owned"}
    }
    assert rights(found, "scaler")["ReadNodeGroups"]["Resource"] == (
        "arn:aws:eks:eu-central-1:123456789012:nodegroup/fraud-prod-main/*"
    )


def test_the_reader_reads_what_it_is_told_and_lists_nothing(found: Found) -> None:
    statements = rights(found, "secrets")

    assert {sid: each["Action"] for sid, each in statements.items()} == {
        "ReadSecrets": "secretsmanager:GetSecretValue",
        "DecryptSecrets": "kms:Decrypt",
    }
    assert statements["ReadSecrets"]["Resource"] == [
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:fraud/pagerduty-??????",
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-abcdef",
    ]


@pytest.mark.parametrize("name", ["scaler", "karpenter"])
def test_what_is_allowed_everywhere_only_reads(name: str, found: Found) -> None:
    everywhere = [each for each in rights(found, name).values() if each["Resource"] == "*"]

    assert everywhere
    for each in everywhere:
        assert all(action.partition(":")[2].startswith(("Describe", "Get", "List")) for action in actions(each)), each


def test_karpenter_ends_and_changes_only_what_carries_the_tag_of_its_cluster(found: Found) -> None:
    statements = rights(found, "karpenter")

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


def test_every_change_that_karpenter_may_make_is_bound_to_a_tag_or_to_one_resource(found: Found) -> None:
    for sid, each in rights(found, "karpenter").items():
        reads = all(action.partition(":")[2].startswith(("Describe", "Get", "List")) for action in actions(each))
        resources = [each["Resource"]] if isinstance(each["Resource"], str) else each["Resource"]
        named = not any("*" in resource for resource in resources)
        tagged = any("Tag/" in key for condition in each.get("Condition", {}).values() for key in condition)
        if sid != "StartFrom":  # images, snapshots, subnets and security groups are used, not changed
            assert reads or named or tagged, sid


def test_karpenter_finds_the_group_of_the_cluster(found: Found) -> None:
    assert inputs(found, "aws:ec2/tag:Tag", "karpenter") == {
        "resourceId": "sg-cluster",
        "key": "karpenter.sh/discovery",
        "value": "fraud-prod-main",
    }


def test_karpenter_hands_out_the_role_of_the_nodes_and_no_other(found: Found) -> None:
    statement = rights(found, "karpenter")["GiveNodesTheirRole"]

    assert statement["Resource"] == "arn:aws:iam:::Role/fraud-prod-main-node"
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}


def test_karpenter_starts_nodes_with_a_profile_that_it_need_not_make(found: Found) -> None:
    """The network has no endpoint for IAM, so creating profiles would require access to the internet."""
    every = [action for each in rights(found, "karpenter").values() for action in actions(each)]

    assert inputs(found, "aws:iam/instanceProfile:InstanceProfile", "karpenter") == {"role": "fraud-prod-main-node"}
    assert [action for action in every if action.startswith("iam:")] == [
        "iam:PassRole",
        "iam:CreateServiceLinkedRole",  # called by EC2, not by Karpenter
        "iam:ListInstanceProfiles",
    ]


def test_karpenter_may_have_the_role_of_spot_made_and_no_other(found: Found) -> None:
    """In a fresh account, the first Spot request creates it; without it, EC2 starts no Spot instances."""
    statement = rights(found, "karpenter")["MakeRoleOfSpot"]

    assert statement["Resource"] == (
        "arn:aws:iam::123456789012:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot"
    )
    assert statement["Condition"] == {"StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"}}


def test_karpenter_lends_the_key_to_disks_only(found: Found) -> None:
    assert rights(found, "karpenter")["LendTheKeyToDisks"]["Condition"] == {
        "StringEquals": {"kms:ViaService": "ec2.eu-central-1.amazonaws.com"},
        "Bool": {"kms:GrantIsForAWSResource": "true"},
    }


def test_a_policy_fits_in_its_role_however_long_the_names(tmp_path: Path) -> None:
    """IAM does not count white space in a role's inline policies."""
    found = registered(tmp_path, PROGRAM.replace("fraud-prod-main", "f" * 63))

    text = json.dumps(json.loads(inputs(found, RIGHTS, "karpenter")["policy"]), separators=(",", ":"))

    assert len(text) < INLINE_LIMIT


def test_the_queue_is_encrypted_and_only_events_of_this_account_fill_it(found: Found) -> None:
    statements = policy(inputs(found, "aws:sqs/queuePolicy:QueuePolicy", "karpenter")["policy"])

    assert inputs(found, "aws:sqs/queue:Queue", "karpenter") == {
        "messageRetentionSeconds": 300,
        "kmsMasterKeyId": "arn:aws:kms:::Key/fraud-prod-main",
    }
    assert statements["Events"]["Principal"] == {"Service": "events.amazonaws.com"}
    assert statements["Events"]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:events:eu-central-1:123456789012:rule/*"},
    }
    assert [sid for sid, each in statements.items() if each["Effect"] == "Allow"] == ["Events"]
    assert not elsewhere(found)


def test_every_way_in_which_a_node_goes_is_told(found: Found) -> None:
    rules = of(found, "aws:cloudwatch/eventRule:EventRule")
    targets = of(found, "aws:cloudwatch/eventTarget:EventTarget")

    assert {kind for each in rules.values() for kind in json.loads(each["inputs"]["eventPattern"])["detail-type"]} == {
        "AWS Health Event",
        "EC2 Capacity Reservation Instance Interruption Warning",
        "EC2 Instance Rebalance Recommendation",
        "EC2 Instance State-change Notification",
        "EC2 Spot Instance Interruption Warning",
    }
    assert {each["inputs"]["rule"] for each in targets.values()} == set(rules)
    assert {each["inputs"]["arn"] for each in targets.values()} == {"arn:aws:sqs:::Queue/karpenter"}


def test_a_reader_of_nothing_is_refused(tmp_path: Path) -> None:
    program = (
        f'{CLUSTER}\n{IMPORT}\n\nSecretsReader("s", cluster=cluster, key=key, namespace="n", service_account="s")\n'
    )

    with pytest.raises(Refused, match="s: a role that may read nothing is not made"):
        registered(tmp_path, program)
