"""Authorizes requests to S3 according to the account's policies and the KMS keys of its buckets."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from testbed.clouds.aws.authorization.account import Account
from testbed.clouds.aws.authorization.decide import Decision, Policies, Principal, Request, decide
from testbed.clouds.aws.authorization.language import Policy
from testbed.clouds.aws.authorization.s3_requests import NeededAction

_PODS = "pods.eks.amazonaws.com"
_OUTSIDE = "198.18.0.1"  # the source address of requests that bypass the endpoint


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal, the condition keys in all its requests, and the ID of its VPC endpoint, if any."""

    principal: Principal
    context: Mapping[str, tuple[str, ...]]
    endpoint: str = ""


class Authorizer:
    """Issues sessions and decides what callers may do.

    `prefix_counts` says whether a list permission that depends on `s3:prefix` lets a caller find out that an object is
    missing.
    """

    def __init__(self, account: Account, *, prefix_counts: bool = True) -> None:
        self.account = account
        self.prefix_counts = prefix_counts
        self._sessions: dict[str, Caller] = {}

    def pod_session(self, role: str, tags: Mapping[str, str], endpoint: str = "") -> dict[str, str]:
        """Return the credentials that EKS Pod Identity would give a Pod with the given session tags.

        `role` is a name. Raises PermissionError if the role's trust policy doesn't allow the tags. Source:
        https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html, 2026-11-25.
        """
        service = Principal("", self.account.number, service=_PODS)
        tagged = {f"aws:RequestTag/{name}": (value,) for name, value in tags.items()}
        arn = self.account.client("iam").get_role(RoleName=role)["Role"]["Arn"]
        for action in ("sts:AssumeRole", "sts:TagSession"):
            request = Request(service, action, arn, {**tagged, "aws:TagKeys": tuple(tags)})
            decision = decide(request, Policies(resource=self.account.trust(role)))
            if not decision.allowed:
                raise PermissionError(f"{_PODS} is not authorized to perform: {action} on resource: {arn}")
        key = f"ASIA{secrets.token_hex(8).upper()}"
        session = f"arn:aws:sts::{self.account.number}:assumed-role/{role}/{key.lower()}"
        of_session = {f"aws:PrincipalTag/{name}": (value,) for name, value in tags.items()}
        self._sessions[key] = Caller(Principal(arn, self.account.number, session), of_session, endpoint)
        return {"AccessKeyId": key, "SecretAccessKey": secrets.token_hex(20)}

    def caller(self, access_key: str) -> Caller | None:
        """Return the caller that signs with an access key, or None."""
        if access_key in self._sessions:
            return self._sessions[access_key]
        user = self.account.user_of(access_key)
        return Caller(user, {}) if user else None

    def on_bucket(self, caller: Caller, request: NeededAction) -> Decision:
        """Decide on an S3 action by all applicable policies, including those of the bucket and its KMS key."""
        decision = self._on_bucket(caller, request)
        if decision.allowed and request.key:
            for action in _KEY_ACTIONS.get(request.action, ()):
                decision = self._on_key(caller, action, request)
                if not decision.allowed:
                    return decision
        return decision

    def shows_missing(self, caller: Caller, request: NeededAction) -> bool:
        """Return whether a caller may find out that an object doesn't exist.

        S3 responds with 404 to callers that may list objects, and with 403 to all others. AWS doesn't document whether
        a list permission that depends on `s3:prefix` is enough. docs/decisions/0025-policies-under-test.md has sources
        for both interpretations.
        """
        context = {"s3:prefix": (request.key,)} if self.prefix_counts else {}
        listing = replace(request, action="s3:ListBucket", key="", context=context)
        return self._on_bucket(caller, listing).allowed

    def _on_bucket(self, caller: Caller, request: NeededAction) -> Decision:
        policy = self.account.bucket_policy(request.bucket) if request.bucket else None
        return self._decide(caller, request.action, request.arn, request.context or {}, policy)

    def _on_key(self, caller: Caller, action: str, request: NeededAction) -> Decision:
        """Decide whether the caller may use the key through S3, which passes the bucket or object to KMS.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html, 2026-11-25.
        """
        encrypted = self.account.bucket_key(request.bucket)
        if encrypted is None:
            return Decision(True)
        key, by_bucket = encrypted
        resource_arn = replace(request, key="").arn if by_bucket else request.arn
        context = {
            "kms:ViaService": (f"s3.{self.account.region}.amazonaws.com",),
            "kms:CallerAccount": (caller.principal.account,),
            "kms:EncryptionContext:aws:s3:arn": (resource_arn,),
            "aws:ViaAWSService": ("true",),
        }
        through_s3 = replace(caller, endpoint="")  # S3 itself calls KMS, from outside the caller's network
        return self._decide(through_s3, action, key, context, self.account.key_policy(key), needs_resource=True)

    def _decide(
        self,
        caller: Caller,
        action: str,
        arn: str,
        context: Mapping[str, tuple[str, ...]],
        resource: Policy | None,
        *,
        needs_resource: bool = False,
    ) -> Decision:
        policies = self.account.policies_of(caller.principal)
        full_context = {
            "aws:CurrentTime": (datetime.now(UTC).isoformat(timespec="seconds"),),
            "aws:PrincipalAccount": (caller.principal.account,),
            "aws:PrincipalArn": (caller.principal.arn,),
            "aws:PrincipalIsAWSService": ("false",),
            "aws:PrincipalType": ("AssumedRole" if caller.principal.session else "User",),
            "aws:RequestedRegion": (self.account.region,),
            "aws:ResourceAccount": (self.account.number,),
            "aws:SecureTransport": ("true",),  # loopback has no TLS, so requests are treated as if they used it
            "aws:ViaAWSService": ("false",),
            **({"aws:SourceVpce": (caller.endpoint,)} if caller.endpoint else {"aws:SourceIp": (_OUTSIDE,)}),
            **caller.context,
            **context,
        }
        endpoint = self.account.endpoint_policy(caller.endpoint) if caller.endpoint else None
        return decide(
            Request(caller.principal, action, arn, full_context),
            replace(policies, resource=resource, endpoint=endpoint, needs_resource=needs_resource),
        )


_KEY_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "s3:GetObject": ("kms:Decrypt",),
    "s3:PutObject": ("kms:GenerateDataKey",),
}
