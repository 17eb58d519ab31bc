"""What another project of the same system has made, for one that gives roles on it."""

from __future__ import annotations

import pulumi

from .account import Account


class AdoptedKey:
    """A key that is there, by its ARN; nothing of it is changed."""

    def __init__(self, name: str, *, account: Account, arn: pulumi.Input[str]) -> None:
        self.title = name
        self.account = account
        self.arn = pulumi.Output.from_input(arn)


class AdoptedCluster:
    """A cluster that is there, by its name; nothing of it is changed."""

    def __init__(self, name: str, *, account: Account, cluster_name: pulumi.Input[str]) -> None:
        self.title = name
        self.account = account
        self.name = pulumi.Output.from_input(cluster_name)
        self.arn = account.arn("eks", pulumi.Output.concat("cluster/", self.name))
