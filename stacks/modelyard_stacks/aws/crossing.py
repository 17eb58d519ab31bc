"""Access from outside of AWS: what workloads on a cluster elsewhere may do with our buckets."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_aws import iam

from .account import Account
from .identity import StoreAccess, store_statements
from .policies import document


class Crossing(pulumi.ComponentResource):
    """A user with one access key and exactly this access, since no role reaches Pods of a cluster that is not EKS.

    The key does not expire: replacing this resource makes a new one. The secret half is kept encrypted in the state.
    """

    access_key_id: pulumi.Output[str]
    secret_access_key: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        account: Account,
        access: Sequence[StoreAccess],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:Crossing", name, None, account.options(opts))
        if not access:
            raise pulumi.RunError(f"{name}: a user that may do nothing is not made")
        within = pulumi.ResourceOptions(parent=self)
        user = iam.User(name, iam.UserArgs(force_destroy=False, tags={"modelyard:workload": name}), within)
        rights = iam.UserPolicy(
            name, iam.UserPolicyArgs(user=user.name, policy=document(*store_statements(account, access))), within
        )
        key = iam.AccessKey(
            name, iam.AccessKeyArgs(user=user.name), pulumi.ResourceOptions(parent=self, depends_on=[rights])
        )
        self.access_key_id = key.id
        self.secret_access_key = pulumi.Output.secret(key.secret)
        self.register_outputs({"access_key_id": self.access_key_id, "secret_access_key": self.secret_access_key})
