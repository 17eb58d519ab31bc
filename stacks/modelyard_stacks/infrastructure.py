"""Read the outputs of the infrastructure project that another project depends on."""

from __future__ import annotations

import pulumi


class Infrastructure(pulumi.StackReference):
    """A reference to another project's stack with the same name and organization as this stack.

    `infrastructure["kubeconfig"]` is an output that must exist; secret outputs stay secret. If the stack has another
    name or location, the setting `infrastructure` must be its full name, `organization/project/stack`. `setting`
    selects another setting, for a second reference in the same program.
    """

    def __init__(
        self, project: str, *, setting: str = "infrastructure", opts: pulumi.ResourceOptions | None = None
    ) -> None:
        default_name = f"{pulumi.get_organization()}/{project}/{pulumi.get_stack()}"
        super().__init__(project, stack_name=pulumi.Config().get(setting) or default_name, opts=opts)

    def __getitem__(self, name: str) -> pulumi.Output[str]:
        """Return an output by its name. If it is missing, `up` fails with its name."""
        return self.require_output(name)
