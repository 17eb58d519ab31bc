"""Resources that another project of the same system created, for a project that grants rights on them."""

from __future__ import annotations

import pulumi

from .project import Project


class AdoptedCluster:
    """An existing cluster, by its name; it is not changed."""

    def __init__(self, name: str, *, project: Project, cluster_name: pulumi.Input[str]) -> None:
        self.title = name
        self.project = project
        self.name = pulumi.Output.from_input(cluster_name)
        self.ready: tuple[pulumi.Resource, ...] = ()
