"""Bucket permissions for workloads on a cluster outside AWS."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_aws import iam

from .account import Account
from .identity import StoreAccess, store_statements
from .policies import document

_MOST_KEYS = 2
_MOST_POLICIES = 10
_OF_A_POLICY = 4
"""The limits of an IAM user: access keys, managed policies, and accesses per policy. A policy has 6,144 characters,
enough for this many accesses even with the longest names. Inline policies are not used, because they share 2,048
characters per user, which three prefixes would fill (docs.aws.amazon.com/IAM, "IAM and AWS STS quotas", 2026-11-25).
"""


class Crossing(pulumi.ComponentResource):
    """A user with exactly the given access, for Pods outside EKS, which can't assume a role.

    `keys` are numbers, one for each access key. Keys never expire. To rotate a key, add a second key, switch all
    clients to it, then remove the first. The secret keys are encrypted in the state.
    """

    access_key_ids: dict[str, pulumi.Output[str]]
    secret_access_keys: dict[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        account: Account,
        access: Sequence[StoreAccess],
        keys: Sequence[int],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:Crossing", name, None, account.options(opts))
        if not access:
            raise pulumi.RunError(f"{name}: a user needs at least one permission")
        if len(access) > _MOST_POLICIES * _OF_A_POLICY:
            raise pulumi.RunError(
                f"{name}: a user can use at most {_MOST_POLICIES * _OF_A_POLICY} folders, not {len(access)}"
            )
        if not 1 <= len(set(keys)) == len(keys) <= _MOST_KEYS:
            raise pulumi.RunError(f"{name}: a user needs one key or two different keys")
        within = pulumi.ResourceOptions(parent=self)
        user = iam.User(name, iam.UserArgs(force_destroy=False, tags={"modelyard:workload": name}), within)
        rights = [
            self._rights(f"{name}-{index + 1}", user, account, access[first : first + _OF_A_POLICY])
            for index, first in enumerate(range(0, len(access), _OF_A_POLICY))
        ]
        after = pulumi.ResourceOptions(parent=self, depends_on=rights)
        access_keys = {
            str(number): iam.AccessKey(f"{name}-{number}", iam.AccessKeyArgs(user=user.name), after) for number in keys
        }
        self.access_key_ids = {number: key.id for number, key in access_keys.items()}
        self.secret_access_keys = {number: pulumi.Output.secret(key.secret) for number, key in access_keys.items()}
        self.register_outputs({"access_key_ids": self.access_key_ids, "secret_access_keys": self.secret_access_keys})

    def _rights(
        self, name: str, user: iam.User, account: Account, access: Sequence[StoreAccess]
    ) -> iam.UserPolicyAttachment:
        within = pulumi.ResourceOptions(parent=self)
        policy = iam.Policy(name, iam.PolicyArgs(policy=document(*store_statements(account, access))), within)
        return iam.UserPolicyAttachment(
            name, iam.UserPolicyAttachmentArgs(user=user.name, policy_arn=policy.arn), within
        )
