"""The role for nodes that a program adds to an existing cluster."""

from __future__ import annotations

import pulumi
from pulumi_aws import iam

from .existing import ExistingCluster
from .policies import role_prefix, trust

_POLICIES = {
    "worker": "AmazonEKSWorkerNodePolicy",
    "images": "AmazonEC2ContainerRegistryPullOnly",
    "network": "AmazonEKS_CNI_Policy",
}


class NodeRole(pulumi.ComponentResource):
    """A role that lets nodes join the cluster, fetch roles for Pods and pull images.

    EKS admits the role with its first node group, and doesn't describe the role of existing nodes. This role also has
    the permissions of the network plugin, since it's unknown whether the plugin has its own role. Nodes must wait for
    `ready`.
    """

    arn: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, *, cluster: ExistingCluster, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("modelyard:aws:NodeRole", name, None, cluster.account.options(opts))
        child = pulumi.ResourceOptions(parent=self)
        role = iam.Role(
            f"{name}-node",
            iam.RoleArgs(
                name_prefix=role_prefix(name, "node"),
                description=f"Nodes of {name} in another cluster",
                assume_role_policy=trust("ec2.amazonaws.com"),
            ),
            child,
        )
        self.arn = role.arn
        self.ready = tuple(
            iam.RolePolicyAttachment(
                f"{name}-node-{use}",
                iam.RolePolicyAttachmentArgs(role=role.name, policy_arn=cluster.account.managed_policy(policy)),
                child,
            )
            for use, policy in _POLICIES.items()
        )
        self.register_outputs({"arn": self.arn})
