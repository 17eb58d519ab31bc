"""EKS add-ons with pinned versions and separate roles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import eks, iam

from .account import Account
from .key import Key
from .policies import document, pod_trust, role_prefix

_NAMESPACE = "kube-system"


@dataclass(frozen=True, slots=True)
class AddonRole:
    """An add-on's AWS role, with its ServiceAccount, its ARN, and the policies that grant its permissions."""

    service_account: str
    arn: pulumi.Output[str]
    rights: tuple[pulumi.Resource, ...]


def addon(
    name: str,
    addon_name: str,
    *,
    cluster_name: pulumi.Input[str],
    version: str,
    configuration: pulumi.Output[str] | None = None,
    role: AddonRole | None = None,
    depends_on: Sequence[pulumi.Resource] = (),
    opts: pulumi.ResourceOptions,
) -> eks.Addon:
    """Install exactly this version of an add-on.

    A version preinstalled by EKS is overwritten once, whereas later changes made on the cluster are preserved.
    """
    identities = [
        eks.AddonPodIdentityAssociationArgs(service_account=each.service_account, role_arn=each.arn)
        for each in (role,)
        if each is not None
    ]
    before = [*depends_on, *(role.rights if role is not None else ())]
    return eks.Addon(
        f"{name}-{addon_name}",
        eks.AddonArgs(
            cluster_name=cluster_name,
            addon_name=addon_name,
            addon_version=version,
            configuration_values=configuration,
            pod_identity_associations=identities or None,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="PRESERVE",
        ),
        pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=before)),
    )


def network_role(
    name: str, *, account: Account, cluster_arn: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> AddonRole:
    """Create a role that assigns IP addresses to Pods, so that neither nodes nor code escaping from a Pod can do so."""
    title, service_account = f"{name}-vpc-cni", "aws-node"
    role = _role(name, "vpc-cni", "Addresses of Pods", cluster_arn, service_account, opts)
    return AddonRole(
        service_account, role.arn, (_managed(title, role, account.managed_policy("AmazonEKS_CNI_Policy"), opts),)
    )


def volumes_role(
    name: str, *, account: Account, key: Key, cluster_arn: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> AddonRole:
    """Create the role that creates volumes for Pods.

    The AWS managed policy doesn't cover customer-managed keys, so the role also gets access to our key. Source:
    https://docs.aws.amazon.com/eks/latest/userguide/ebs-csi.html, 2026-11-24.
    """
    title, service_account = f"{name}-ebs-csi", "ebs-csi-controller-sa"
    role = _role(name, "ebs-csi", "Volumes of Pods", cluster_arn, service_account, opts)
    managed = _managed(title, role, account.managed_policy("service-role/AmazonEBSCSIDriverPolicy"), opts)
    encrypt = iam.RolePolicy(
        title,
        iam.RolePolicyArgs(
            role=role.id,
            policy=document(
                {
                    "Sid": "Encrypt",
                    "Effect": "Allow",
                    "Action": [
                        "kms:Decrypt",
                        "kms:DescribeKey",
                        "kms:GenerateDataKeyWithoutPlaintext",
                        "kms:ReEncrypt*",
                    ],
                    "Resource": key.arn,
                },
                {
                    "Sid": "LetDisksUseTheKey",
                    "Effect": "Allow",
                    "Action": "kms:CreateGrant",
                    "Resource": key.arn,
                    "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
                },
            ),
        ),
        opts,
    )
    return AddonRole(service_account, role.arn, (managed, encrypt))


def _role(
    name: str,
    use: str,
    description: str,
    cluster_arn: pulumi.Input[str],
    service_account: str,
    opts: pulumi.ResourceOptions,
) -> iam.Role:
    trusted = pod_trust(cluster_arn, namespace=_NAMESPACE, service_account=service_account)
    return iam.Role(
        f"{name}-{use}",
        iam.RoleArgs(name_prefix=role_prefix(name, use), description=description, assume_role_policy=trusted),
        opts,
    )


def _managed(title: str, role: iam.Role, policy_arn: str, opts: pulumi.ResourceOptions) -> iam.RolePolicyAttachment:
    return iam.RolePolicyAttachment(title, iam.RolePolicyAttachmentArgs(role=role.name, policy_arn=policy_arn), opts)
