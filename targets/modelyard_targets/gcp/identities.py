"""IAM access with least-privilege roles on buckets for workloads, and on secrets for External Secrets.

With Workload Identity Federation for GKE, the members are Kubernetes ServiceAccounts, so there are no Google Cloud
service accounts or keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.plan import Access, Identity, Resource, Secret
from modelyard.program import Call, Literal, Ref
from modelyard.spec import SecretRef, System, target_path
from modelyard_targets.cloud.access import access_in
from modelyard_targets.cloud.data import created_stores, login_variable, managed_databases, store_variable
from modelyard_targets.cloud.existing import SECRETS_ACCOUNT
from modelyard_targets.gcp.names import cluster_name, secret_id, secrets_account
from modelyard_targets.kube.access.secrets import store_of
from modelyard_targets.kube.placement.charts import charts
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.storage.buckets import bucket_name

GROUP: Final = "identities"
PLATFORM: Final = "platform"
SECRETS: Final = "external-secrets"


def identity_calls(roles: Iterable[Resource[Identity]], context: Context) -> Iterator[Call]:
    """Yield the component for each given workload's access to Google Cloud buckets.

    Workloads don't read secrets from Google Cloud. External Secrets copies them into the cluster using its own access.
    """
    for resource in roles:
        yield _identity(resource, context, apart=False)


def identity_calls_apart(roles: Iterable[Resource[Identity]], context: Context) -> Iterator[Call]:
    """Like `identity_calls`, but for a project that refers to buckets by name instead of creating them."""
    for resource in roles:
        yield _identity(resource, context, apart=True)


def with_roles(context: Context) -> tuple[Resource[Identity], ...]:
    """Return a placement's identities that need access to a Google Cloud bucket."""
    identities = context.plan.of(Identity, context.placement)
    return tuple(identity for identity in identities if google_access(identity.value, context.system))


def platform_calls(context: Context) -> Iterator[Call]:
    """Yield the component that gives External Secrets access to the spec's secrets and database logins."""
    refs = tuple(secret.value.ref for secret in context.plan.of(Secret, context.placement))
    secrets = secret_ids(refs, context)
    logins = tuple(Ref(login_variable(database.name)) for database in managed_databases(context))
    if not secrets and not logins:
        return
    own = context.target.cluster.adopt  # the systems in an adopted cluster share External Secrets
    arguments: tuple[tuple[str, Literal], ...] = (
        ("cluster", Ref("cluster")),
        ("namespace", context.namespace if own else charts()[SECRETS].namespace),
        ("service_account", SECRETS_ACCOUNT if own else secrets_account(context.system, context.placement)),
        *((("secrets", secrets),) if secrets else ()),
        *((("logins", logins),) if logins else ()),
    )
    name, here = cluster_name(context.system, context.placement), target_path(context.system, context.placement)
    yield Call("secrets_reader", "SecretsReader", name, arguments, PLATFORM, here)


def secret_ids(refs: tuple[SecretRef, ...], context: Context) -> tuple[str, ...]:
    """Return the Secret Manager names of the given secrets that are stored there."""
    ids = (secret_id(ref.path) for ref in refs if store_of(ref, context).via == "secrets-manager")
    return tuple(dict.fromkeys(ids))


def google_access(value: Identity, system: System) -> tuple[Access, ...]:
    """Return a workload's access to stores on Google Cloud itself. Other services use their own credentials."""
    return access_in("gcp", value, system)


def _identity(resource: Resource[Identity], context: Context, *, apart: bool) -> Call:
    opened = google_access(resource.value, context.system)
    access = tuple(grant_of(each, context.system) for each in opened)
    created = () if apart else tuple(Ref(store_variable(name)) for name in created_stores(opened, context))
    arguments: tuple[tuple[str, Literal], ...] = (
        ("cluster", Ref("cluster")),
        ("namespace", context.namespace),
        ("service_account", resource.name),
        ("access", access),
        *((("stores", created),) if created else ()),
    )
    return Call("", "Identity", resource.name, arguments, GROUP, resource.origin)


def grant_of(access: Access, system: System) -> dict[str, Literal]:
    """Return a workload's access to a store in the format the components expect."""
    bucket = bucket_name(system.stores[access.store], system)
    return {"bucket": bucket, "prefix": access.prefix, "mode": access.mode}
