"""Reads the outputs of an infrastructure project that another project depends on."""

from __future__ import annotations

from typing import TypeVar

import pulumi

T = TypeVar("T")


class Infrastructure(pulumi.StackReference):
    """A reference to another project's stack with the same name and organization as this stack.

    `infrastructure["kubeconfig"]` is an output that must exist. Secret outputs stay secret. If the stack has another
    name or location, the setting `infrastructure` must be its full name, `organization/project/stack`. `setting`
    selects another setting, for a second reference in the same program.
    """

    def __init__(
        self, project: str, *, setting: str = "infrastructure", opts: pulumi.ResourceOptions | None = None
    ) -> None:
        default_name = f"{pulumi.get_organization()}/{project}/{pulumi.get_stack()}"
        self._stack = pulumi.Config().get(setting) or default_name
        self._setting = setting
        super().__init__(project, stack_name=self._stack, opts=opts)

    def __getitem__(self, name: str) -> pulumi.Output[str]:
        """Return an output by name. If it is missing, `up` fails with an error that names it and suggests a remedy."""

        def present(value: T | None) -> T:
            if value is None:
                raise pulumi.RunError(
                    f"the stack {self._stack} has no output {name}: apply its project first, or set the stack to read:"
                    f" pulumi config set {self._setting} ORGANIZATION/PROJECT/STACK"
                )
            return value

        return self.get_output(name).apply(present)
