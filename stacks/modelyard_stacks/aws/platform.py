"""Roles for add-ons that create nodes or read secrets. Their charts are in the workloads project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pulumi
from pulumi_aws import cloudwatch, ec2, iam, sqs

from .account import Account
from .cluster import Cluster
from .identity import pod_role, secret_arns, secret_statements
from .karpenter import controller_statements, reading_everywhere
from .key import Key
from .policies import Reasoned, Statement, document, tls_only

_QUEUE_SECONDS = 300
_EVENTS: Mapping[str, tuple[str, str]] = {
    "health": ("aws.health", "AWS Health Event"),
    "rebalance": ("aws.ec2", "EC2 Instance Rebalance Recommendation"),
    "reservation": ("aws.ec2", "EC2 Capacity Reservation Instance Interruption Warning"),
    "spot": ("aws.ec2", "EC2 Spot Instance Interruption Warning"),
    "state": ("aws.ec2", "EC2 Instance State-change Notification"),
}


class ClusterAutoscaler(pulumi.ComponentResource):
    """The role of the cluster autoscaler, which can read all groups but only resize those of this cluster."""

    role_arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        key: Key,
        namespace: str,
        service_account: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:ClusterAutoscaler", name, None, key.account.options(opts))
        role = pod_role(
            self,
            name,
            cluster=cluster,
            account=key.account,
            namespace=namespace,
            service_account=service_account,
            policy=pulumi.Output.from_input(cluster.name).apply(
                lambda cluster_name: _autoscaler(key.account, cluster_name)
            ),
        )
        self.role_arn = role.arn
        self.register_outputs({"role_arn": self.role_arn})


class SecretsReader(pulumi.ComponentResource):
    """The role of External Secrets, which can read the given secrets, by name or ARN, but can't list any."""

    role_arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        key: Key,
        namespace: str,
        service_account: str,
        secrets: Sequence[str] = (),
        arns: Sequence[pulumi.Input[str]] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:SecretsReader", name, None, key.account.options(opts))
        all_arns = secret_arns(name, key.account, secrets, arns)
        role = pod_role(
            self,
            name,
            cluster=cluster,
            account=key.account,
            namespace=namespace,
            service_account=service_account,
            policy=document(*secret_statements(key, all_arns)),
        )
        self.role_arn = role.arn
        self.register_outputs({"role_arn": self.role_arn})


class Karpenter(pulumi.ComponentResource):
    """Karpenter's prerequisites: the controller's role, discovery tag, instance profile, and interruption queue.

    The tag marks the security group for its nodes. The queue receives AWS's interruption notices. The nodes have the
    same role as the cluster's other nodes. EKS admits that role once a managed node group has it, and there is always
    such a group, since Karpenter itself must run somewhere. Source:
    https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html, 2026-11-24.

    Karpenter doesn't create instance profiles itself, because IAM's API has no VPC endpoint, so this would fail in a
    network without internet access. Source: https://github.com/aws/karpenter-provider-aws/issues/4985, 2026-11-25.
    """

    role_arn: pulumi.Output[str]
    profile_name: pulumi.Output[str]
    queue_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        key: Key,
        namespace: str,
        service_account: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:Karpenter", name, None, key.account.options(opts))
        # the security group that EKS creates has none of our tags; Karpenter finds it by this tag
        tag = ec2.TagArgs(resource_id=cluster.security_group_id, key="karpenter.sh/discovery", value=cluster.title)
        ec2.Tag(name, tag, pulumi.ResourceOptions(parent=self))
        profile = iam.InstanceProfile(
            name, iam.InstanceProfileArgs(role=cluster.node_role_name), pulumi.ResourceOptions(parent=self)
        )
        queue = self._queue(name, key)
        self.profile_name, self.queue_name = profile.name, queue.name
        inputs = pulumi.Output.all(cluster.name, cluster.arn, cluster.node_role_arn, queue.arn, key.arn)
        role = pod_role(
            self,
            name,
            cluster=cluster,
            account=key.account,
            namespace=namespace,
            service_account=service_account,
            policy=inputs.apply(
                lambda values: document(
                    *controller_statements(key.account, *values), everywhere=reading_everywhere(key.account)
                )
            ),
        )
        self.role_arn = role.arn
        outputs = {"role_arn": self.role_arn, "profile_name": self.profile_name, "queue_name": self.queue_name}
        self.register_outputs(outputs)

    def _queue(self, name: str, key: Key) -> sqs.Queue:
        within = pulumi.ResourceOptions(parent=self)
        queue = sqs.Queue(
            name,
            sqs.QueueArgs(message_retention_seconds=_QUEUE_SECONDS, kms_master_key_id=key.arn),
            within,
        )
        policy = document(*_queue_statements(key.account, queue.arn))
        sqs.QueuePolicy(name, sqs.QueuePolicyArgs(queue_url=queue.url, policy=policy), within)
        for event, (source, kind) in _EVENTS.items():
            pattern = pulumi.Output.json_dumps({"source": [source], "detail-type": [kind]})
            rule = cloudwatch.EventRule(
                f"{name}-{event}",
                cloudwatch.EventRuleArgs(description=f"{kind}, for {name}", event_pattern=pattern),
                within,
            )
            cloudwatch.EventTarget(f"{name}-{event}", cloudwatch.EventTargetArgs(rule=rule.name, arn=queue.arn), within)
        return queue


def _autoscaler(account: Account, cluster: str) -> pulumi.Output[str]:
    """Return the autoscaler's permissions. EKS tags its node groups' Auto Scaling groups with the cluster name.

    Source: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md,
    2026-11-24.
    """
    sizing: Statement = {
        "Sid": "SizeOwnGroups",
        "Effect": "Allow",
        "Action": ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
        "Resource": account.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/*"),
        "Condition": {"StringEquals": {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{cluster}": "owned"}},
    }
    labels: Statement = {
        "Sid": "ReadNodeGroups",
        "Effect": "Allow",
        "Action": "eks:DescribeNodegroup",
        "Resource": account.arn("eks", f"nodegroup/{cluster}/*"),
    }
    reading: Reasoned = (
        {
            "Sid": "ReadGroupsAndMachines",
            "Effect": "Allow",
            "Action": [
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeAutoScalingInstances",
                "autoscaling:DescribeLaunchConfigurations",
                "autoscaling:DescribeScalingActivities",
                "autoscaling:DescribeTags",
                "ec2:DescribeImages",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:GetInstanceTypesFromInstanceRequirements",
            ],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": account.region_name}},
        },
        "these actions support no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/",
    )
    return document(sizing, labels, everywhere=[reading])


def _queue_statements(account: Account, queue_arn: pulumi.Output[str]) -> Iterable[Statement]:
    yield {
        "Sid": "Events",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account.account_id},
            "ArnLike": {"aws:SourceArn": account.arn("events", "rule/*")},
        },
    }
    yield tls_only("sqs:*", queue_arn)
