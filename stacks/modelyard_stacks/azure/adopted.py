"""References to resources of another project in the same system, used by projects that grant access to them."""

from __future__ import annotations

import pulumi

from .group import ResourceGroup


class AdoptedCluster:
    """An existing cluster, given by its name and token issuer. It isn't changed."""

    def __init__(
        self, name: str, *, group: ResourceGroup, cluster_name: pulumi.Input[str], issuer: pulumi.Input[str]
    ) -> None:
        self.title = name
        self.group = group
        self.name = pulumi.Output.from_input(cluster_name)
        self.issuer = pulumi.Output.from_input(issuer)
