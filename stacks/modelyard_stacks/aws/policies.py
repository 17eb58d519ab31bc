"""IAM policies as plain data: what may be done, to what, by whom, and why where no resource can be named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypeAlias, TypedDict

import pulumi

_LONGEST_PREFIX = 64 - 26
_LONGEST_USE = 22  # of these, so that something is left of the name

Texts: TypeAlias = pulumi.Input[str] | Sequence[pulumi.Input[str]]
Conditions: TypeAlias = Mapping[str, Mapping[str, Texts]]


class Statement(TypedDict):
    """One statement, in the words of IAM; `Principal` only where the policy belongs to a resource or is a trust."""

    Sid: str
    Effect: Literal["Allow", "Deny"]
    Principal: NotRequired[Literal["*"] | Mapping[str, Texts]]
    Action: Texts
    Resource: NotRequired[Texts]
    Condition: NotRequired[Conditions]


Reasoned: TypeAlias = tuple[Statement, str]
"""A statement that names every resource, and why it has to."""


def document(*statements: Statement, everywhere: Sequence[Reasoned] = ()) -> pulumi.Output[str]:
    """The policy as JSON text. What allows something on the resource `*` has to stand in `everywhere`, with its reason.

    Raises ValueError where it does not, where a reason is empty, and where every action is allowed.
    """
    for statement in statements:
        if statement["Effect"] == "Allow" and "*" in _plain(statement.get("Resource", ())):
            raise ValueError(f"{statement['Sid']}: the resource * needs a reason")
    for statement, reason in everywhere:
        if not reason:
            raise ValueError(f"{statement['Sid']}: the resource * needs a reason")
    every = (*statements, *(statement for statement, _ in everywhere))
    for statement in every:
        if statement["Effect"] == "Allow" and "*" in _plain(statement["Action"]):
            raise ValueError(f"{statement['Sid']}: no policy allows every action")
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(every)})


def trust(service: str, *, conditions: Conditions | None = None) -> pulumi.Output[str]:
    """Who may take a role: one service of AWS, under these conditions."""
    statement: Statement = {
        "Sid": "Service",
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if conditions:
        statement["Condition"] = conditions
    return document(statement)


def pod_trust(cluster_arn: pulumi.Input[str], *, namespace: str, service_account: str) -> pulumi.Output[str]:
    """Who may take a role: Pods of one ServiceAccount in one cluster, through EKS Pod Identity.

    It tags the session with where the Pod runs: an association that is made elsewhere does not get the role.
    Source: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html, 2026-11-24.
    """
    return document(
        {
            "Sid": "Pods",
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                "StringEquals": {
                    "aws:RequestTag/eks-cluster-arn": cluster_arn,
                    "aws:RequestTag/kubernetes-namespace": namespace,
                    "aws:RequestTag/kubernetes-service-account": service_account,
                }
            },
        }
    )


def tls_only(action: str, resource: Texts) -> Statement:
    """Whatever else the policy of a resource says, nobody does this to it without TLS."""
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def role_prefix(name: str, use: str) -> str:
    """`<name>-<use>-`, to which the provider appends 26 characters; of a long name the end goes, and of a long use too.

    IAM allows 64: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, 2026-11-24.
    """
    tail = f"-{use[:_LONGEST_USE]}-"
    return f"{name[: _LONGEST_PREFIX - len(tail)]}{tail}"


def _plain(texts: Texts) -> tuple[str, ...]:
    several = [texts] if isinstance(texts, (str, pulumi.Output)) or not isinstance(texts, Sequence) else texts
    return tuple(text for text in several if isinstance(text, str))
