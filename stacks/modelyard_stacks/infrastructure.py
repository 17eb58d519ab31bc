"""The outputs of the project that creates a cluster and its surroundings, for projects that depend on it."""

from __future__ import annotations

import pulumi


class Infrastructure(pulumi.StackReference):
    """A reference to another project's stack with the same name and organization as this one.

    `infrastructure["kubeconfig"]` is an output that must exist, and stays a secret if it is one. If the stack has
    another name or location, the setting `infrastructure` gives its full name, `organization/project/stack`; `setting`
    names another setting, for a second reference of the same program.
    """

    def __init__(
        self, project: str, *, setting: str = "infrastructure", opts: pulumi.ResourceOptions | None = None
    ) -> None:
        default_name = f"{pulumi.get_organization()}/{project}/{pulumi.get_stack()}"
        super().__init__(project, stack_name=pulumi.Config().get(setting) or default_name, opts=opts)

    def __getitem__(self, name: str) -> pulumi.Output[str]:
        """An output by its name; `up` fails with the name of a missing output."""
        return self.require_output(name)
