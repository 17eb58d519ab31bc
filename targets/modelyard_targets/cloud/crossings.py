"""The `crossings` project, which holds a cloud target's grants to workloads in clusters on other targets.

This project only needs what infrastructure projects create, and they don't need anything from it, so two targets can
access each other's stores. docs/decisions/0074-several-clouds.md explains why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from modelyard.plan import Access, Identity, Resource
from modelyard.program import WRITTEN_BY, Call, Export, Import, Literal, Program, Ref
from modelyard.spec import System, TargetSpec
from modelyard.stack import Project
from modelyard_targets.cloud.infrastructure import Sdk
from modelyard_targets.cloud.projects import project_name
from modelyard_targets.components import imports_of, modules_of
from modelyard_targets.kube.data.crossing import crossing_output, infrastructure_setting
from modelyard_targets.kube.data.federated import (
    CROSSINGS,
    crossings_project,
    foreign_identities,
    identity_output,
    may_be_crossed,
)
from modelyard_targets.kube.image.packages import locked
from modelyard_targets.kube.placement.context import Context, namespace_of
from modelyard_targets.kube.storage.federation import TOKEN_FILE, identity_folder

GROUP: Final = "crossings"
_ISSUERS: Final = "issuers"


def crossings_projects(
    sdk: Sdk,
    context: Context,
    calls: Callable[[Context], Iterator[Call]],
    exports: Callable[[Resource[Identity]], Iterator[Export]],
) -> tuple[Project, ...]:
    """Return the project that trusts other clusters, or an empty tuple if none could access these stores.

    `calls` yields the project's components, and `exports` the outputs for a workload's identity.
    """
    if not may_be_crossed(context.plan, context.placement):
        return ()
    identities = [identity for identity, _ in foreign_identities(context.plan, context.placement)]
    component_calls = tuple(calls(context))
    outputs = tuple(export for identity in identities for export in exports(identity))
    system, placement = context.system, context.placement
    project = Project(
        folder=CROSSINGS,
        name=crossings_project(system, placement),
        description=f"What workloads on other clusters may do in stores of {system.metadata.name} on {placement}",
        program=Program(
            WRITTEN_BY, (*_pulumi(outputs), *imports_of(sdk.provider, component_calls)), component_calls, outputs
        ),
        components=modules_of(sdk.provider, component_calls),
        requirements=locked("programs", ("pulumi", sdk.package)),
    )
    return (project,)


def readers(context: Context) -> dict[str, TargetSpec]:
    """Return the targets whose workloads access stores of this placement with their identity."""
    names = dict.fromkeys(identity.placement for identity, _ in foreign_identities(context.plan, context.placement))
    return {name: context.system.target(name) for name in names}


def issuer_calls(context: Context) -> Iterator[Call]:
    """Yield references to the infrastructure of cloud targets with clusters, which exports their token issuers."""
    for name, target in readers(context).items():
        if target.in_cloud:
            first = next(
                identity
                for identity, _ in foreign_identities(context.plan, context.placement)
                if identity.placement == name
            )
            setting: tuple[str, Literal] = ("setting", infrastructure_setting(name))
            project = project_name(context.system, name)
            yield Call(_infrastructure(name), "Infrastructure", project, (setting,), _ISSUERS, first.origin)


def issuer_of(target: TargetSpec) -> Literal:
    """Return the issuer of a target's cluster, either an infrastructure output or the URL in the spec."""
    return Ref(_infrastructure(target.name), key="issuer") if target.in_cloud else target.issuer


def issuer_variable(target: str) -> str:
    """Return the program's variable for the token issuer of a trusted target."""
    return f"{target}_issuer"


def identity_variable(identity: Resource[Identity]) -> str:
    """Return the program's variable for a workload's identity."""
    return crossing_output(identity, "identity")


def foreign_access(
    context: Context, access_of: Callable[[Identity, System], tuple[Access, ...]]
) -> Iterator[tuple[Resource[Identity], tuple[Access, ...]]]:
    """Yield each workload in another target's cluster, with its access to this placement's stores."""
    for identity, stores in foreign_identities(context.plan, context.placement):
        yield identity, tuple(access for access in access_of(identity.value, context.system) if access.store in stores)


def namespace_there(identity: Resource[Identity], context: Context) -> str:
    """Return the namespace of a workload on another target."""
    return namespace_of(context.plan, identity.placement)


def token_file(context: Context) -> str:
    """Return the path of the token in Pods on other targets."""
    return f"{identity_folder(context.placement)}/{TOKEN_FILE}"


def value_export(identity: Resource[Identity], value: str, source: Ref) -> Export:
    """Return the project's output for one value of a workload's identity."""
    return Export(identity_output(identity, value), source)


def _pulumi(exports: tuple[Export, ...]) -> tuple[Import, ...]:
    return (Import("pulumi"),) if exports else ()


def _infrastructure(target: str) -> str:
    return f"{target}_infrastructure"
