"""The AWS `crossings` project: roles that workloads on other clusters assume using their clusters' tokens."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.plan import Access, Identity, Resource
from modelyard.program import Call, Export, Literal, Ref
from modelyard.spec import target_path
from modelyard.stack import Project
from modelyard_targets.aws.foundation import account_call
from modelyard_targets.aws.identities import aws_access
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
from modelyard_targets.cloud.projects import project_name
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.storage.buckets import bucket_name, region_of


def crossings_of(sdk: Sdk, context: Context) -> tuple[Project, ...]:
    """Return the `crossings` project, or an empty tuple if no other target's cluster could access these buckets."""
    return crossings_projects(sdk, context, _calls, _exports)


def trust_calls(context: Context) -> Iterator[Call]:
    """Yield the components that grant access to workloads in other clusters, for tracing them to the spec."""
    return (call for call in _calls(context) if call.group == GROUP)


def _calls(context: Context) -> Iterator[Call]:
    here = target_path(context.system, context.placement)
    opened = tuple(foreign_access(context, aws_access))
    yield account_call(context)
    if any(not context.system.stores[entry.store].adopt for _, access in opened for entry in access):
        yield Call(
            "infrastructure", "Infrastructure", project_name(context.system, context.placement), (), "foundation", here
        )
    yield from issuer_calls(context)
    for name, target in readers(context).items():
        arguments: tuple[tuple[str, Literal], ...] = (("account", Ref("account")), ("issuer", issuer_of(target)))
        yield Call(issuer_variable(name), "TrustedIssuer", name, arguments, GROUP, here)
    for identity, access in opened:
        yield _identity(identity, access, context)


def _identity(identity: Resource[Identity], access: tuple[Access, ...], context: Context) -> Call:
    arguments: tuple[tuple[str, Literal], ...] = (
        ("issuer", Ref(issuer_variable(identity.placement))),
        ("namespace", namespace_there(identity, context)),
        ("service_account", identity.name),
        ("access", tuple(_grant(each, context) for each in access)),
    )
    name = f"{identity.placement}.{identity.name}"  # DNS labels contain no dot
    return Call(identity_variable(identity), "TrustedIdentity", name, arguments, GROUP, identity.origin)


def _grant(access: Access, context: Context) -> dict[str, Literal]:
    store = context.system.stores[access.store]
    key: Literal = store.encryption_key if store.adopt else Ref("infrastructure", key="key_arn")
    region = region_of(store, context.system)
    return {
        "bucket": bucket_name(store, context.system),
        "prefix": access.prefix,
        "mode": access.mode,
        **({"key": key} if key else {}),
        **({"region": region} if region != context.target.region else {}),
    }


def _exports(identity: Resource[Identity]) -> Iterator[Export]:
    yield value_export(identity, "role_arn", Ref(identity_variable(identity), "role_arn"))
