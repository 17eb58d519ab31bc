"""Managed identities: least-privilege roles on stores for each workload, and on secrets for External Secrets.

Each identity has one federated credential for its ServiceAccount, far below the limit of twenty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.plan import Access, Identity, Resource, Secret
from modelyard.program import Call, Literal, Ref
from modelyard.spec import SecretRef, Store, System, TargetSpec, target_path
from modelyard_targets.azure.names import cluster_name, group_name, secret_id
from modelyard_targets.azure.options import options_of
from modelyard_targets.azure.storage import account_of, has_vault
from modelyard_targets.cloud.access import access_in
from modelyard_targets.cloud.data import created_stores, login_variable, managed_databases, store_variable
from modelyard_targets.cloud.existing import SECRETS_ACCOUNT
from modelyard_targets.cloud.services import SECRETS_MANAGER
from modelyard_targets.kube.access.secrets import store_of
from modelyard_targets.kube.data.federated import has_foreign
from modelyard_targets.kube.placement.charts import charts
from modelyard_targets.kube.placement.context import Context

GROUP: Final = "identities"
PLATFORM: Final = "platform"
SECRETS: Final = "external-secrets"

SECRETS_CLIENT: Final = "external_secrets_client_id"
"""The infrastructure output with the identity of External Secrets."""


def identity_calls(roles: Iterable[Resource[Identity]], context: Context) -> Iterator[Call]:
    """Yield the components for the role definitions, and an identity for each given workload.

    These workloads all access a store on Azure. Workloads in other clusters use the same roles, but their identities
    are created by the `crossings` project.

    Workloads don't read secrets themselves. External Secrets copies them into the cluster using its own identity.
    """
    if with_roles(context) or has_foreign(context.plan, context.placement):
        yield roles_call(context)
    for resource in roles:
        yield _identity(resource, context, apart=False)


def identity_calls_apart(roles: Iterable[Resource[Identity]], context: Context) -> Iterator[Call]:
    """Like `identity_calls`, but for a project that refers to stores by name instead of creating them."""
    for resource in roles:
        yield _identity(resource, context, apart=True)


def with_roles(context: Context) -> tuple[Resource[Identity], ...]:
    """Return the identities of a placement that access a store on Azure."""
    identities = context.plan.of(Identity, context.placement)
    return tuple(identity for identity in identities if azure_access(identity.value, context.system))


def platform_calls(context: Context) -> Iterator[Call]:
    """Yield the component for the identity External Secrets uses to read the spec's secrets and database logins."""
    if not has_vault(context):
        return
    refs = tuple(secret.value.ref for secret in context.plan.of(Secret, context.placement))
    secrets = secret_ids(refs, context)
    logins = tuple(Ref(login_variable(database.name)) for database in managed_databases(context))
    own = context.target.cluster.adopt  # the systems in an adopted cluster share External Secrets
    arguments: tuple[tuple[str, Literal], ...] = (
        ("group", Ref("group")),
        ("cluster", Ref("cluster")),
        ("vault", Ref("vault")),
        ("namespace", context.namespace if own else charts()[SECRETS].namespace),
        ("service_account", SECRETS_ACCOUNT if own else SECRETS),
        *((("secrets", secrets),) if secrets else ()),
        *((("logins", logins),) if logins else ()),
    )
    here = target_path(context.system, context.placement)
    yield Call("secrets_reader", "SecretsReader", _name(context), arguments, PLATFORM, here)


def secret_ids(refs: tuple[SecretRef, ...], context: Context) -> tuple[str, ...]:
    """Return the Key Vault names of the given secrets that are stored in Key Vault."""
    ids = (secret_id(ref.path) for ref in refs if store_of(ref, context).via == SECRETS_MANAGER)
    return tuple(dict.fromkeys(ids))


def azure_access(value: Identity, system: System) -> tuple[Access, ...]:
    """Return a workload's access to stores in Blob Storage itself. Other services have their own credentials."""
    return access_in("azure", value, system)


def identity_variable(account: str) -> str:
    """Return the program's variable for a workload's managed identity."""
    return f"{account}_identity"


def client_output(account: str) -> str:
    """Return the name of the infrastructure output for a ServiceAccount's client ID."""
    return f"{account.replace('-', '_')}_client_id"


def _name(context: Context) -> str:
    return cluster_name(context.system, context.placement)


def roles_call(context: Context) -> Call:
    """Build the component for the role definitions.

    They can only be assigned in the resource groups of the stores they grant access to.
    """
    opened = [access for resource in with_roles(context) for access in azure_access(resource.value, context.system)]
    elsewhere = (_elsewhere(context.system.stores[access.store], context) for access in opened)
    groups = tuple(dict.fromkeys(group for group in elsewhere if group))
    arguments: tuple[tuple[str, Literal], ...] = (
        ("group", Ref("group")),
        *((("groups", groups),) if groups else ()),
    )
    here = target_path(context.system, context.placement)
    return Call("roles", "StoreRoles", _name(context), arguments, GROUP, here)


def _identity(resource: Resource[Identity], context: Context, *, apart: bool) -> Call:
    opened = azure_access(resource.value, context.system)
    access = tuple(grant_of(each, context) for each in opened)
    created = () if apart else tuple(Ref(store_variable(name)) for name in created_stores(opened, context))
    arguments: tuple[tuple[str, Literal], ...] = (
        ("group", Ref("group")),
        ("cluster", Ref("cluster")),
        ("namespace", context.namespace),
        ("service_account", resource.name),
        ("access", access),
        *((("stores", created),) if created else ()),
        ("roles", _name(context) if apart else Ref("roles")),
    )
    return Call(identity_variable(resource.name), "Identity", resource.name, arguments, GROUP, resource.origin)


def grant_of(access: Access, context: Context) -> dict[str, Literal]:
    """Return a workload's access to a store in the format the components expect."""
    store = context.system.stores[access.store]
    container, account = account_of(store, context.system)
    grant: dict[str, Literal] = {
        "account": account,
        "container": container,
        "prefix": access.prefix,
        "mode": access.mode,
    }
    group = _elsewhere(store, context)
    return {**grant, "group": group} if group else grant


def _elsewhere(store: Store, context: Context) -> str:
    """Return the resource group of a store on another target, or "" if it's in the target's own group.

    The spec doesn't name the group of an adopted account. If it is a different one, it comes from a stack setting.
    """
    if store.adopt or store.target == context.placement:
        return ""
    return _group_id(context.system.target(store.target), context.system)


def _group_id(target: TargetSpec, system: System) -> str:
    """Return another target's resource group, by ID if its subscription is known and by name otherwise."""
    group, subscription = group_name(system, target), options_of(target).account
    return f"/subscriptions/{subscription}/resourceGroups/{group}" if subscription else group
