"""References to another project's resources, used by projects that grant roles access to them."""

from __future__ import annotations

import pulumi

from .account import Account


class AdoptedKey:
    """An existing key, given by its ARN. It is not changed."""

    def __init__(self, name: str, *, account: Account, arn: pulumi.Input[str]) -> None:
        self.title = name
        self.account = account
        self.arn = pulumi.Output.from_input(arn)


class AdoptedCluster:
    """An existing cluster, given by its name. It is not changed."""

    def __init__(self, name: str, *, account: Account, cluster_name: pulumi.Input[str]) -> None:
        self.title = name
        self.account = account
        self.name = pulumi.Output.from_input(cluster_name)
        self.arn = account.arn("eks", pulumi.Output.concat("cluster/", self.name))
