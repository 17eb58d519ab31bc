"""What infrastructure projects have in common across clouds: their program, files and database outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelyard.program import WRITTEN_BY, Call, Export, Import, Program, Ref
from modelyard.records import record
from modelyard.stack import Project
from modelyard_targets.cloud.data import login_variable, managed_databases, store_variable
from modelyard_targets.cloud.projects import folder_name, project_name
from modelyard_targets.components import imports_of, modules_of
from modelyard_targets.kube.image.packages import locked
from modelyard_targets.kube.placement.context import Context


@record
class Sdk:
    """A provider's Pulumi SDK, and the provider's term for workload permissions, such as `roles`."""

    provider: str
    package: str
    access: str


def project_of(sdk: Sdk, at: int, calls: tuple[Call, ...], exports: tuple[Export, ...], context: Context) -> Project:
    """Return the infrastructure project with the given index. All but the first contain only workload access."""
    return Project(
        folder=folder_name(at),
        name=project_name(context.system, context.placement, at),
        description=f"{_contents(sdk, at, context)} of {context.system.metadata.name} on {context.placement}",
        program=Program(WRITTEN_BY, (*_pulumi(exports), *imports_of(sdk.provider, calls)), calls, exports),
        components=modules_of(sdk.provider, calls),
        requirements=locked("programs", ("pulumi", sdk.package)),
    )


def database_exports(context: Context, parts: Sequence[str], secret: str) -> Iterator[Export]:
    """Yield the outputs of managed databases, i.e. the given attributes and the login's secret attribute."""
    for resource in managed_databases(context):
        output, variable = resource.name.replace("-", "_"), store_variable(resource.name)
        yield from (Export(f"{output}_{part}", Ref(variable, part)) for part in parts)
        yield Export(f"{output}_secret", Ref(login_variable(resource.name), secret))


def _contents(sdk: Sdk, at: int, context: Context) -> str:
    if not context.plan.has_cluster(context.placement):
        return "Stores"
    created = "Network, machines, stores"
    if context.target.cluster.adopt:
        created = "Node pools, stores" if context.target.cluster.creates_pools else "Stores"
    return f"{created} and {sdk.access}" if at == 0 else f"More {sdk.access}"


def _pulumi(exports: tuple[Export, ...]) -> tuple[Import, ...]:
    return (Import("pulumi"),) if exports else ()
