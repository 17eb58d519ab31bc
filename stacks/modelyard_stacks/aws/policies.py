"""IAM policies as plain data. Statements that cover all resources must give a reason."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypeAlias, TypedDict

import pulumi

_LONGEST_PREFIX = 64 - 26
_LONGEST_USE = 22  # maximum length of `use` in the prefix, to leave room for the name

Texts: TypeAlias = pulumi.Input[str] | Sequence[pulumi.Input[str]]
Conditions: TypeAlias = Mapping[str, Mapping[str, Texts]]


class Statement(TypedDict):
    """A statement using IAM's own keys. Only resource and trust policies have a `Principal`."""

    Sid: str
    Effect: Literal["Allow", "Deny"]
    Principal: NotRequired[Literal["*"] | Mapping[str, Texts]]
    Action: Texts
    Resource: NotRequired[Texts]
    Condition: NotRequired[Conditions]


Reasoned: TypeAlias = tuple[Statement, str]
"""A statement that applies to all resources, and the reason for it."""


def document(*statements: Statement, everywhere: Sequence[Reasoned] = ()) -> pulumi.Output[str]:
    """Return the policy as JSON text. Statements on the resource `*` must be in `everywhere` along with a reason.

    Raises ValueError otherwise, and for an empty reason or a statement that allows every action.
    """
    for statement in statements:
        if statement["Effect"] == "Allow" and "*" in _plain(statement.get("Resource", ())):
            raise ValueError(f"{statement['Sid']}: the resource * needs a reason")
    for statement, reason in everywhere:
        if not reason:
            raise ValueError(f"{statement['Sid']}: the resource * needs a reason")
    all_statements = (*statements, *(statement for statement, _ in everywhere))
    for statement in all_statements:
        if statement["Effect"] == "Allow" and "*" in _plain(statement["Action"]):
            raise ValueError(f"{statement['Sid']}: no policy allows every action")
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(all_statements)})


def trust(service: str, *, conditions: Conditions | None = None) -> pulumi.Output[str]:
    """Return a trust policy for one AWS service under the given conditions."""
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
    """Return a trust policy for the Pods of one ServiceAccount in one cluster, using EKS Pod Identity.

    EKS tags the session with the Pod's cluster, namespace and ServiceAccount, so other associations can't use the role.
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


def web_identity_trust(
    provider: pulumi.Input[str], host: pulumi.Input[str], *, audience: str, subject: str
) -> pulumi.Output[str]:
    """Return a trust policy for tokens from one issuer with exactly the given subject and audience.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_for-idp_oidc.html, 2026-11-27.
    """

    def written(known: Sequence[str]) -> str:
        arn, issuer = known
        statement: Statement = {
            "Sid": "WebIdentity",
            "Effect": "Allow",
            "Principal": {"Federated": arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{issuer}:aud": audience, f"{issuer}:sub": subject}},
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    return pulumi.Output.all(provider, host).apply(written)


def token_trust(
    provider_arn: pulumi.Input[str], issuer: pulumi.Input[str], *, namespace: str, service_account: str
) -> pulumi.Output[str]:
    """Return a trust policy for tokens that a cluster issues for one ServiceAccount with AWS as the audience.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html, 2026-11-27.
    """
    host = pulumi.Output.from_input(issuer).apply(lambda url: url.removeprefix("https://"))
    subject = f"system:serviceaccount:{namespace}:{service_account}"
    return web_identity_trust(provider_arn, host, audience="sts.amazonaws.com", subject=subject)


def tls_only(action: str, resource: Texts) -> Statement:
    """Return a statement that denies an action without TLS, even if other statements allow it."""
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def role_prefix(name: str, use: str) -> str:
    """Return `<name>-<use>-`, truncating long names and uses. The provider appends 26 characters.

    IAM allows 64 characters: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, 2026-11-24.
    """
    tail = f"-{use[:_LONGEST_USE]}-"
    return f"{name[: _LONGEST_PREFIX - len(tail)]}{tail}"


def _plain(texts: Texts) -> tuple[str, ...]:
    items = [texts] if isinstance(texts, (str, pulumi.Output)) or not isinstance(texts, Sequence) else texts
    return tuple(text for text in items if isinstance(text, str))
