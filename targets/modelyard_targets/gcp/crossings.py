"""The Google Cloud `crossings` project: workload identity pools for other targets' clusters, and roles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.names import HASH_LENGTH, short_hash
from modelyard.plan import Identity, Resource
from modelyard.program import Call, Export, Literal, Ref
from modelyard.spec import System, target_path
from modelyard.stack import Project
from modelyard_targets.cloud.crossings import (
    GROUP,
    crossings_projects,
    foreign_access,
    issuer_calls,
    issuer_of,
    issuer_variable,
    readers,
    token_file,
    value_export,
)
from modelyard_targets.cloud.infrastructure import Sdk
from modelyard_targets.gcp.foundation import project_call
from modelyard_targets.gcp.identities import google_access, grant_of
from modelyard_targets.kube.placement.context import Context, namespace_of

_SERVICES: Final = ("iam.googleapis.com", "sts.googleapis.com")
"""The APIs that create pools and exchange tokens. `infrastructure` enables the remaining APIs."""

_LONGEST_POOL: Final = 32
_SUFFIX: Final = 4  # length of the number that the stack setting `poolNumber` adds


def crossings_of(sdk: Sdk, context: Context) -> tuple[Project, ...]:
    """Return the `crossings` project, or an empty tuple if no other target's cluster could access these buckets."""
    return crossings_projects(sdk, context, _calls, _exports)


def pool_of(system: System, placement: str, reader: str) -> str:
    """Return the pool ID for a target's cluster, which is unique in the project and can't begin with `gcp-`."""
    parts = (system.metadata.name, "" if system.environment == "default" else system.environment, placement, reader)
    readable = "-".join(("my", *(part for part in parts if part)))[: _LONGEST_POOL - _SUFFIX - HASH_LENGTH - 1]
    return f"{readable.rstrip('-')}-{short_hash(*parts)}"


def trust_calls(context: Context) -> Iterator[Call]:
    """Yield the components that grant access to workloads in other clusters, for tracing them to the spec."""
    return (call for call in _calls(context) if call.group == GROUP)


def _calls(context: Context) -> Iterator[Call]:
    here = target_path(context.system, context.placement)
    yield project_call(context, services=_SERVICES)
    yield from issuer_calls(context)
    for name, target in readers(context).items():
        arguments: tuple[tuple[str, Literal], ...] = (
            ("project", Ref("project")),
            ("issuer", issuer_of(target)),
            ("namespace", namespace_of(context.plan, name)),
            ("pool", pool_of(context.system, context.placement, name)),
            ("token_file", token_file(context)),
        )
        yield Call(issuer_variable(name), "TrustedIssuer", name, arguments, GROUP, here)
    for identity, access in foreign_access(context, google_access):
        granted: tuple[tuple[str, Literal], ...] = (
            ("issuer", Ref(issuer_variable(identity.placement))),
            ("service_account", identity.name),
            ("access", tuple(grant_of(each, context.system) for each in access)),
        )
        name = f"{identity.placement}.{identity.name}"  # DNS labels contain no dots
        yield Call("", "TrustedIdentity", name, granted, GROUP, identity.origin)


def _exports(identity: Resource[Identity]) -> Iterator[Export]:
    yield value_export(identity, "credentials", Ref(issuer_variable(identity.placement), "credentials"))
