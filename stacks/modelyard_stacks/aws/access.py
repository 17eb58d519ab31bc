"""Cluster access: administrators, networks that can reach the API, and a kubeconfig."""

from __future__ import annotations

from typing import cast

import pulumi
import pulumi_aws
from pulumi_aws import eks, iam

from .account import Account


def administrators(
    name: str, *, account: Account, cluster_name: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> list[eks.AccessPolicyAssociation]:
    """Give administrator access to the principals in the `admins` setting, a list of role and user ARNs.

    Without the setting, the role that runs Pulumi when the cluster is created becomes administrator, because this
    component disables EKS's default of giving access to the creator. This doesn't change if another role runs Pulumi
    later, so an `up` from elsewhere can't lock out the administrators.
    """
    arns = admins()
    if arns:
        return [
            _administrator(f"{name}-{arn.rpartition(':')[2].replace('/', '-')}", arn, account, cluster_name, opts)
            for arn in arns
        ]
    options = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=["principalArn"]))
    return [_administrator(f"{name}-deployer", _deployer(account), account, cluster_name, options)]


def admins() -> list[str]:
    """Return the setting `admins`; raise RunError if it is not a list of ARNs."""
    arns = _listed("admins", "arn:aws:iam::123456789012:role/platform")
    if any(not arn.startswith("arn:") for arn in arns):
        raise pulumi.RunError(f"the setting admins must be ARNs of roles and users, not {', '.join(arns)}")
    return arns


def api_clients() -> list[str]:
    """Return the `apiClients` setting, i.e. CIDR blocks of connected networks that may reach the cluster's API."""
    return _listed("apiClients", "10.99.0.0/16")


def kubeconfig(
    name: str,
    *,
    region: str,
    cluster_name: pulumi.Input[str],
    endpoint: pulumi.Input[str],
    authority: pulumi.Input[str],
) -> pulumi.Output[str]:
    """Build a kubeconfig that contains no secrets and gets short-lived tokens from the AWS CLI."""
    arguments = ["--region", region, "eks", "get-token", "--output", "json", "--cluster-name", cluster_name]
    execute = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": arguments,
        "interactiveMode": "Never",
    }
    return pulumi.Output.json_dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": endpoint, "certificate-authority-data": authority}}],
            "users": [{"name": name, "user": {"exec": execute}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )


def _listed(setting: str, example: str) -> list[str]:
    value: object = pulumi.Config().get_object(setting)
    if value is None:
        return []
    items = cast("list[object]", value) if isinstance(value, list) else []
    texts = [text for text in items if isinstance(text, str)]
    if not texts or len(texts) != len(items):
        raise pulumi.RunError(f"the setting {setting} is a list: pulumi config set --path '{setting}[0]' {example}")
    return texts


def _administrator(
    name: str,
    principal: pulumi.Input[str],
    account: Account,
    cluster_name: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> eks.AccessPolicyAssociation:
    entry = eks.AccessEntry(name, eks.AccessEntryArgs(cluster_name=cluster_name, principal_arn=principal), opts)
    return eks.AccessPolicyAssociation(
        name,
        eks.AccessPolicyAssociationArgs(
            cluster_name=cluster_name,
            principal_arn=entry.principal_arn,
            policy_arn=f"arn:{account.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            access_scope=eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
        ),
        opts,
    )


def _deployer(account: Account) -> pulumi.Output[str]:
    """Return the role behind the session that runs Pulumi, since EKS doesn't accept the session's own ARN."""
    options = pulumi.InvokeOutputOptions(provider=account)
    caller = pulumi_aws.get_caller_identity_output(opts=options)
    return iam.get_session_context_output(arn=caller.arn, opts=options).issuer_arn
