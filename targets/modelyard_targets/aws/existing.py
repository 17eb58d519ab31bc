"""A system on a shared EKS cluster, including what the projects create for it and its secret store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.plan import NodePool
from modelyard.program import Call, Literal, Ref
from modelyard.spec import target_path
from modelyard.stack import Value
from modelyard_targets.aws.foundation import GROUP, account_call, key_call
from modelyard_targets.aws.identities import SECRETS, SECRETS_ROLE
from modelyard_targets.aws.names import cluster_name
from modelyard_targets.aws.network_policies import reach_services
from modelyard_targets.aws.options import options_of
from modelyard_targets.cloud.existing_platform import secrets_account
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.platform import AddOn

_ROLE: Final = "eks.amazonaws.com/role-arn"
"""The annotation with the role that a ServiceAccount's tokens assume (docs.aws.amazon.com/eks, "Assign IAM roles to
Kubernetes service accounts", 2026-11-27).
"""


def existing_calls(context: Context) -> Iterator[Call]:
    """Yield the components for the account, the system's data key, and the cluster and network lookup."""
    name, here = cluster_name(context.system, context.placement), target_path(context.system, context.placement)
    place = (*here, "cluster")
    yield account_call(context)
    yield key_call(context)
    adopted: tuple[tuple[str, Literal], ...] = (
        ("account", Ref("account")),
        ("cluster", context.target.cluster.adopt),
    )
    cluster: tuple[tuple[str, Literal], ...] = (("cluster", Ref("cluster")),)
    yield Call("cluster", "ExistingCluster", name, adopted, GROUP, place)
    yield Call("network", "ClusterNetwork", name, cluster, GROUP, place)
    if context.plan.of(NodePool, context.placement):
        yield Call("node_role", "NodeRole", name, cluster, GROUP, place)
    if options_of(context.target).cluster.identity_agent == "install":
        yield Call("", "IdentityAgent", name, cluster, GROUP, (*place, "identityAgent"))


def late_objects(context: Context) -> Iterable[Call]:
    """Yield the ServiceAccount whose role reads the system's secrets."""
    return secrets_account(context, {_ROLE: Ref("infrastructure", key=SECRETS_ROLE)})


def _reach_secrets(context: Context) -> Iterable[Value]:
    """Allow egress to Secrets Manager and to STS, which exchanges tokens for credentials."""
    return reach_services("secretsmanager", "sts")(context)


INSTALLS: Final = {SECRETS: AddOn(egress=_reach_secrets)}
