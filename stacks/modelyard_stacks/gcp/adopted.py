"""References to another project's resources, used by projects that grant access to them."""

from __future__ import annotations

import pulumi

from .project import Project


class AdoptedCluster:
    """An existing cluster, given by its name. It is not changed."""

    def __init__(self, name: str, *, project: Project, cluster_name: pulumi.Input[str]) -> None:
        self.title = name
        self.project = project
        self.name = pulumi.Output.from_input(cluster_name)
        self.ready: tuple[pulumi.Resource, ...] = ()
