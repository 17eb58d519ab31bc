"""Permissions for Karpenter's controller to manage machines with this cluster's tags and to read offerings.

The actions called by Karpenter 1.14 and the tags it sets are documented at
https://karpenter.sh/docs/reference/cloudformation/, 2026-11-24.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .account import Account
from .policies import Conditions, Reasoned, Statement

_MADE = ("fleet", "instance", "launch-template", "network-interface", "spot-instances-request", "volume")
_STARTING = ["ec2:CreateFleet", "ec2:RunInstances"]


def controller_statements(
    account: Account, cluster: str, cluster_arn: str, node_role_arn: str, queue_arn: str, key_arn: str
) -> Iterable[Statement]:
    """Return the controller's statements, each of which names its resources or requires tags.

    The controller can only create resources that have the tags of this cluster and of a NodePool, and can only change
    and terminate those.
    """
    yield from _machines(account, cluster)
    yield _profile(account, node_role_arn)
    yield _spot(account)
    yield from _disks(account, key_arn)
    yield {"Sid": "FindCluster", "Effect": "Allow", "Action": "eks:DescribeCluster", "Resource": cluster_arn}
    yield {
        "Sid": "HearOfInterruptions",
        "Effect": "Allow",
        "Action": ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"],
        "Resource": queue_arn,
    }
    yield {
        "Sid": "ReadMessages",
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": key_arn,
        "Condition": {"StringEquals": {"kms:ViaService": f"sqs.{account.region_name}.{account.dns_suffix}"}},
    }
    yield {
        "Sid": "ReadImageNames",
        "Effect": "Allow",
        "Action": "ssm:GetParameter",
        "Resource": f"arn:{account.partition}:ssm:{account.region_name}::parameter/aws/service/*",
    }


def reading_everywhere(account: Account) -> Sequence[Reasoned]:
    """Return statements for actions that can only be allowed for all resources.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/.
    """
    offers = [
        "ec2:DescribeCapacityReservations",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceStatus",
        "ec2:DescribeInstanceTypeOfferings",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribePlacementGroups",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSpotPriceHistory",
        "ec2:DescribeSubnets",
    ]
    region: Conditions = {"StringEquals": {"aws:RequestedRegion": account.region_name}}
    return (
        (
            {"Sid": "ReadOffers", "Effect": "Allow", "Action": offers, "Resource": "*", "Condition": region},
            "EC2's describe actions support no resources",
        ),
        (
            {"Sid": "ReadPrices", "Effect": "Allow", "Action": "pricing:GetProducts", "Resource": "*"},
            "the price list is the same for all accounts and regions",
        ),
        (
            {"Sid": "ListProfiles", "Effect": "Allow", "Action": "iam:ListInstanceProfiles", "Resource": "*"},
            "listing profiles supports no resources, and the controller looks for profiles that it created",
        ),
    )


def _machines(account: Account, cluster: str) -> Iterable[Statement]:
    yield {
        "Sid": "StartFrom",
        "Effect": "Allow",
        "Action": _STARTING,
        "Resource": [
            *(f"arn:{account.partition}:ec2:{account.region_name}::{kind}/*" for kind in ("image", "snapshot")),
            *(account.arn("ec2", f"{kind}/*") for kind in ("security-group", "subnet")),
        ],
    }
    yield {
        "Sid": "StartFromOwnTemplates",
        "Effect": "Allow",
        "Action": _STARTING,
        "Resource": account.arn("ec2", "launch-template/*"),
        "Condition": _own(cluster),
    }
    resources = [account.arn("ec2", f"{kind}/*") for kind in _MADE]
    yield {
        "Sid": "StartTagged",
        "Effect": "Allow",
        "Action": [*_STARTING, "ec2:CreateLaunchTemplate"],
        "Resource": resources,
        "Condition": _to_be_own(cluster),
    }
    tagged = _to_be_own(cluster)
    creating = ["CreateFleet", "CreateLaunchTemplate", "RunInstances"]
    yield {
        "Sid": "TagWhatIsStarted",
        "Effect": "Allow",
        "Action": "ec2:CreateTags",
        "Resource": resources,
        "Condition": {**tagged, "StringEquals": {**tagged["StringEquals"], "ec2:CreateAction": creating}},
    }
    yield {
        "Sid": "NameOwnMachines",
        "Effect": "Allow",
        "Action": "ec2:CreateTags",
        "Resource": account.arn("ec2", "instance/*"),
        "Condition": {
            **_own(cluster),
            "StringEqualsIfExists": {"aws:RequestTag/eks:eks-cluster-name": cluster},
            "ForAllValues:StringEquals": {"aws:TagKeys": ["Name", "eks:eks-cluster-name", "karpenter.sh/nodeclaim"]},
        },
    }
    yield {
        "Sid": "EndOwnMachines",
        "Effect": "Allow",
        "Action": ["ec2:DeleteLaunchTemplate", "ec2:TerminateInstances"],
        "Resource": [account.arn("ec2", f"{kind}/*") for kind in ("instance", "launch-template")],
        "Condition": _own(cluster),
    }


def _spot(account: Account) -> Statement:
    """Allow creating Spot's service-linked role, which is needed for an account's first Spot request.

    Node groups don't need this permission, since the role of Auto Scaling has it. Without the service-linked role, EC2
    responds with AuthFailure.ServiceLinkedRoleCreationNotPermitted and starts nothing. Source:
    https://karpenter.sh/docs/troubleshooting/#missing-service-linked-role, 2026-11-25.
    """
    name = "role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot"
    return {
        "Sid": "MakeRoleOfSpot",
        "Effect": "Allow",
        "Action": "iam:CreateServiceLinkedRole",
        "Resource": account.arn("iam", name, regional=False),
        "Condition": {"StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"}},
    }


def _profile(account: Account, node_role_arn: str) -> Statement:
    """Allow passing only the node role to machines through the instance profile."""
    return {
        "Sid": "GiveNodesTheirRole",
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": node_role_arn,
        "Condition": {"StringEquals": {"iam:PassedToService": f"ec2.{account.dns_suffix}"}},
    }


def _disks(account: Account, key_arn: str) -> Iterable[Statement]:
    """Allow EC2 to use our key for encrypted disks on behalf of the principal starting the machine.

    Source: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html, 2026-11-24.
    """
    via = {"kms:ViaService": f"ec2.{account.region_name}.{account.dns_suffix}"}
    yield {
        "Sid": "EncryptDisks",
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncrypt*"],
        "Resource": key_arn,
        "Condition": {"StringEquals": via},
    }
    yield {
        "Sid": "LendTheKeyToDisks",
        "Effect": "Allow",
        "Action": "kms:CreateGrant",
        "Resource": key_arn,
        "Condition": {"StringEquals": via, "Bool": {"kms:GrantIsForAWSResource": "true"}},
    }


def _own(cluster: str) -> Conditions:
    return {
        "StringEquals": {f"aws:ResourceTag/kubernetes.io/cluster/{cluster}": "owned"},
        "StringLike": {"aws:ResourceTag/karpenter.sh/nodepool": "*"},
    }


def _to_be_own(cluster: str) -> Conditions:
    return {
        "StringEquals": {
            f"aws:RequestTag/kubernetes.io/cluster/{cluster}": "owned",
            "aws:RequestTag/eks:eks-cluster-name": cluster,
        },
        "StringLike": {"aws:RequestTag/karpenter.sh/nodepool": "*"},
    }
