"""IAM access: a least-privilege role for each workload, and roles for the platform's own controllers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from modelyard.plan import Access, Identity, Plan, Resource, Secret
from modelyard.program import Call, Export, Literal, Ref
from modelyard.spec import SecretRef, System, target_path
from modelyard_targets.aws.foundation import has_elastic_pool
from modelyard_targets.aws.names import AUTOSCALER, KARPENTER, cluster_name
from modelyard_targets.cloud.data import has_buckets, login_variable, managed_databases, store_variable
from modelyard_targets.cloud.existing import SECRETS_ACCOUNT
from modelyard_targets.cloud.projects import project_name
from modelyard_targets.kube.access.secrets import store_of
from modelyard_targets.kube.data.crossing import (
    crosses_from,
    crossing_output,
    infrastructure_setting,
    key_halves,
    key_output,
)
from modelyard_targets.kube.placement.charts import charts
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.storage.buckets import bucket_name, region_of

GROUP: Final = "identities"
PLATFORM: Final = "platform"
SECRETS: Final = "external-secrets"

SECRETS_ROLE: Final = "secrets_role_arn"
"""The infrastructure output with the role of the system's own secret store in an adopted cluster."""


def identity_calls(roles: Iterable[Resource[Identity]], context: Context) -> Iterator[Call]:
    """Yield the component for each given workload's IAM role.

    Workloads don't read secrets from AWS. External Secrets copies them into the cluster using its own role.
    """
    for resource in roles:
        yield _identity(resource, context, apart=False)


def identity_calls_apart(roles: Iterable[Resource[Identity]], context: Context) -> Iterator[Call]:
    """Like `identity_calls`, but for a project that refers to buckets by name instead of creating them."""
    for resource in roles:
        yield _identity(resource, context, apart=True)


def with_roles(context: Context) -> tuple[Resource[Identity], ...]:
    """Return the identities of a placement that need access to S3."""
    identities = context.plan.of(Identity, context.placement)
    return tuple(identity for identity in identities if aws_access(identity.value, context.system))


def platform_calls(context: Context) -> Iterator[Call]:
    """Yield the role components of cluster-wide controllers: the autoscaler, External Secrets and Karpenter."""
    name, here = cluster_name(context.system, context.placement), target_path(context.system, context.placement)
    cluster: tuple[tuple[str, Literal], ...] = (("cluster", Ref("cluster")), ("key", Ref("key")))
    if context.target.cluster.adopt:
        account: tuple[tuple[str, Literal], ...] = (
            ("namespace", context.namespace),
            ("service_account", SECRETS_ACCOUNT),
        )
        if read := _read(context):
            arguments = (*cluster, *account, *read)
            yield Call("secrets_reader", "SystemSecretsReader", name, arguments, PLATFORM, here)
        return
    yield Call("autoscaler", "ClusterAutoscaler", name, (*cluster, *_account(AUTOSCALER)), PLATFORM, here)
    read = _read(context)
    if read:
        arguments = (*cluster, *_account(SECRETS), *read)
        yield Call("secrets_reader", "SecretsReader", name, arguments, PLATFORM, here)
    if has_elastic_pool(context.plan, context.placement):
        yield Call("karpenter", "Karpenter", name, (*cluster, *_account(KARPENTER)), PLATFORM, here)


def neighbour_calls(context: Context) -> Iterator[Call]:
    """Yield references to the other AWS targets whose buckets this placement's workloads use, for their KMS keys."""
    opened: dict[str, Resource[Identity]] = {}
    for resource in context.plan.of(Identity, context.placement):
        for access in aws_access(resource.value, context.system):
            store = context.system.stores[access.store]
            if store.target != context.placement and not store.adopt:
                opened.setdefault(store.target, resource)
    for target, resource in opened.items():
        setting: tuple[str, Literal] = ("setting", infrastructure_setting(target))
        name = project_name(context.system, target)
        yield Call(_neighbour(target), "Infrastructure", name, (setting,), "neighbours", resource.origin)


def crossing_calls(context: Context) -> Iterator[Call]:
    """Yield an IAM user for each workload outside AWS that uses these buckets but can't assume a role."""
    for resource, mine in _crossing(context.plan, context.placement):
        access = tuple(_grant(entry, context, apart=False) for entry in mine)
        name = f"{resource.placement}.{resource.name}"  # DNS labels contain no dot
        arguments: tuple[tuple[str, Literal], ...] = (
            ("account", Ref("account")),
            ("access", access),
            ("keys", _key_numbers(resource, context)),
        )
        yield Call(crossing_variable(resource), "Crossing", name, arguments, "crossings", resource.origin)


def makes_anything(plan: Plan, placement: str) -> bool:
    """Return whether the target creates any resources, which it doesn't if all its stores are adopted."""
    return plan.has_cluster(placement) or has_buckets(plan, placement) or any(_crossing(plan, placement))


def _crossing(plan: Plan, placement: str) -> Iterator[tuple[Resource[Identity], tuple[Access, ...]]]:
    """Yield each workload outside AWS that uses a placement's buckets via an access key, and its access."""
    stores = plan.system.stores
    for resource in plan.of(Identity):
        target = plan.system.target(resource.placement)
        if target.provider != "aws":
            opened = (
                access for access in aws_access(resource.value, plan.system) if stores[access.store].target == placement
            )
            mine = tuple(access for access in opened if crosses_from(stores[access.store], target, plan.system))
            if mine:
                yield resource, mine


def crossing_exports(context: Context) -> Iterator[Export]:
    """Export the access keys of cross-target users under the output names that other programs look up."""
    variables = {call.variable for call in crossing_calls(context)}
    for resource in context.plan.of(Identity):
        variable = crossing_variable(resource)
        if variable in variables:
            for number in _key_numbers(resource, context):
                for half in key_halves(context.placement, context.system):
                    attribute = f"{half.replace('-', '_')}s"
                    yield Export(key_output(resource, half, number), Ref(variable, attribute, str(number)))


def crossing_variable(resource: Resource) -> str:
    """Return the program's variable for the IAM user of a workload outside AWS."""
    return crossing_output(resource, "crossing")


def secret_names(refs: tuple[SecretRef, ...], context: Context) -> tuple[str, ...]:
    """Return the names of the given secrets that are stored in Secrets Manager."""
    paths = (ref.path for ref in refs if store_of(ref, context).via == "secrets-manager")
    return tuple(dict.fromkeys(paths))


def _identity(resource: Resource[Identity], context: Context, *, apart: bool) -> Call:
    arguments: tuple[tuple[str, Literal], ...] = (
        ("cluster", Ref("cluster")),
        ("key", Ref("key")),
        ("namespace", context.namespace),
        ("service_account", resource.name),
        (
            "access",
            tuple(_grant(access, context, apart=apart) for access in aws_access(resource.value, context.system)),
        ),
    )
    return Call("", "Identity", resource.name, arguments, GROUP, resource.origin)


def _account(addon: str) -> tuple[tuple[str, Literal], ...]:
    """Return an add-on's namespace and ServiceAccount, which the chart names after the add-on."""
    return ("namespace", charts()[addon].namespace), ("service_account", addon)


def _read(context: Context) -> tuple[tuple[str, Literal], ...]:
    """Return the arguments for the secrets External Secrets may read, i.e. those in the spec and database logins."""
    refs = tuple(secret.value.ref for secret in context.plan.of(Secret, context.placement))
    arns = tuple(Ref(login_variable(database.name), "secret_arn") for database in managed_databases(context))
    return (*_optional_argument("secrets", secret_names(refs, context)), *_optional_argument("arns", arns))


def aws_access(value: Identity, system: System) -> tuple[Access, ...]:
    """Return a workload's access to stores on AWS itself.

    S3-compatible services elsewhere have their own credentials.
    """
    stores = system.stores
    return tuple(
        access
        for access in value.access
        if not stores[access.store].endpoint and system.target(stores[access.store].target).provider == "aws"
    )


def _optional_argument(argument: str, value: tuple[Literal, ...]) -> tuple[tuple[str, Literal], ...]:
    """Return the argument with its name, or an empty tuple for an empty value."""
    return ((argument, value),) if value else ()


def _grant(access: Access, context: Context, *, apart: bool) -> dict[str, Literal]:
    store = context.system.stores[access.store]
    here = store.target == context.placement and not store.adopt
    bucket: Literal = bucket_name(store, context.system)
    key: Mapping[str, Literal] = {"key": store.encryption_key} if store.encryption_key else {}
    if here and apart:
        key = {"key": Ref("key", "arn")}
    elif store.target != context.placement and not store.adopt:
        key = {"key": Ref(_neighbour(store.target), key="key_arn")}
    elif here:
        bucket, key = Ref(store_variable(store.called), "bucket"), {"key": Ref(store_variable(store.called), "key_arn")}
    region = region_of(store, context.system)
    apart_from_here: Mapping[str, Literal] = {"region": region} if region != context.target.region else {}
    return {"bucket": bucket, "prefix": access.prefix, "mode": access.mode, **key, **apart_from_here}


def _key_numbers(resource: Resource, context: Context) -> tuple[int, ...]:
    return next(target.access_keys for target in context.system.deployment.targets if target.name == resource.placement)


def _neighbour(target: str) -> str:
    return f"{target}_infrastructure"
