"""The outputs of the project that makes a cluster and what lies beside it, for the projects that stand on it."""

from __future__ import annotations

import pulumi


class Infrastructure(pulumi.StackReference):
    """The stack of another project that is called like this one and belongs to the same organization.

    `infrastructure["kubeconfig"]` is an output that has to be there, and stays a secret where it is one. Where the
    stack is called otherwise or lies elsewhere, its full name, `organization/project/stack`, comes from the setting
    `infrastructure`; from `setting` for a second reference of the same program.
    """

    def __init__(
        self, project: str, *, setting: str = "infrastructure", opts: pulumi.ResourceOptions | None = None
    ) -> None:
        usual = f"{pulumi.get_organization()}/{project}/{pulumi.get_stack()}"
        super().__init__(project, stack_name=pulumi.Config().get(setting) or usual, opts=opts)

    def __getitem__(self, name: str) -> pulumi.Output[str]:
        """An output by its name; an `up` without it fails and says which one is missing."""
        return self.require_output(name)
