"""The Azure `crossings` project: managed identities that trust tokens of clusters on other targets."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.plan import Identity, Resource
from modelyard.program import Call, Export, Literal, Ref
from modelyard.spec import target_path
from modelyard.stack import Project
from modelyard_targets.azure.foundation import group_call
from modelyard_targets.azure.identities import azure_access, grant_of
from modelyard_targets.azure.names import cluster_name
from modelyard_targets.cloud.crossings import (
    GROUP,
    crossings_projects,
    foreign_access,
    identity_variable,
    issuer_calls,
    issuer_of,
    issuer_variable,
    namespace_there,
    readers,
    value_export,
)
from modelyard_targets.cloud.infrastructure import Sdk
from modelyard_targets.kube.placement.context import Context


def crossings_of(sdk: Sdk, context: Context) -> tuple[Project, ...]:
    """Return the `crossings` project, or an empty tuple if no other target's cluster could access these stores."""
    return crossings_projects(sdk, context, _calls, _exports)


def trust_calls(context: Context) -> Iterator[Call]:
    """Yield the components that grant access to workloads in other clusters, for tracing them to the spec."""
    return (call for call in _calls(context) if call.group == GROUP)


def _calls(context: Context) -> Iterator[Call]:
    here = target_path(context.system, context.placement)
    yield group_call(context, first=False)
    yield from issuer_calls(context)
    for name, target in readers(context).items():
        arguments: tuple[tuple[str, Literal], ...] = (
            ("group", Ref("group")),
            ("cluster_name", name),
            ("issuer", issuer_of(target)),
        )
        yield Call(issuer_variable(name), "AdoptedCluster", name, arguments, GROUP, here)
    for identity, access in foreign_access(context, azure_access):
        granted: tuple[tuple[str, Literal], ...] = (
            ("group", Ref("group")),
            ("cluster", Ref(issuer_variable(identity.placement))),
            ("namespace", namespace_there(identity, context)),
            ("service_account", identity.name),
            ("access", tuple(grant_of(each, context) for each in access)),
            ("roles", cluster_name(context.system, context.placement)),
        )
        name = f"{identity.placement}_{identity.name}"  # DNS labels contain no underscores, and identity names no dots
        yield Call(identity_variable(identity), "Identity", name, granted, GROUP, identity.origin)


def _exports(identity: Resource[Identity]) -> Iterator[Export]:
    yield value_export(identity, "client_id", Ref(identity_variable(identity), "client_id"))
    yield value_export(identity, "tenant", Ref("group", "tenant"))
