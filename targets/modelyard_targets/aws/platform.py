"""What EKS says of itself to the workloads project of any cluster: where its Pods go, and what lies outside of it."""

from __future__ import annotations

from typing import Final

from modelyard.plan import Plan
from modelyard.spec import TargetSpec
from modelyard_targets.aws.names import SYSTEM_POOL, cluster_name, project_name
from modelyard_targets.cluster.context import Context
from modelyard_targets.cluster.placed import context_of as context_on
from modelyard_targets.cluster.placed import target_of
from modelyard_targets.cluster.platform import Platform, Where

_NOT_KNOWN_YET: Final = "registry.invalid"
"""Stands in manifests for the account's registry where the spec does not say which account: a name that is nobody's."""


def context_of(plan: Plan, placement: str) -> Context:
    """The context of a placement in AWS."""
    return context_on(plan, placement, PLATFORM)


def _support(plan: Plan, target: TargetSpec) -> Where:
    """Heads, what starts runs, and the registry: on the system pool, which has no taint."""
    return (("modelyard.dev/pool", SYSTEM_POOL),), ()


def _below(plan: Plan, placement: str) -> str:
    return project_name(plan.system, placement)


def _image_prefix(plan: Plan, placement: str) -> str:
    """Where the runtime image is in the registry that the infrastructure makes."""
    target = target_of(plan, placement)
    domain = "amazonaws.com.cn" if target.region.startswith("cn-") else "amazonaws.com"
    host = f"{target.account}.dkr.ecr.{target.region}.{domain}" if target.account else _NOT_KNOWN_YET
    return f"{host}/{cluster_name(plan.system, placement)}"


PLATFORM: Final = Platform(
    support=_support,
    below=_below,
    image_prefix=_image_prefix,
    image_registries={_NOT_KNOWN_YET: "image_registry"},
)


def _database(store: Store, context: Context) -> ManagedDatabase | None:
    """PostgreSQL of RDS: its address and the name of its secret are known to the project below."""
    output = store.name.replace("-", "_")
    data: list[Given] = [
        {
            "secretKey": key,
            "remoteRef": {"key": Ref("infrastructure", key=f"{output}_secret"), "property": key},
        }
        for key in ("username", "password")
    ]
    secret = f"{store.name}-login"
    document: dict[str, Given] = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {
            "name": secret,
            "namespace": context.namespace,
            "labels": labels(context.system.metadata.name, secret, f"stores.{store.name}", "database"),
        },
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": SECRETS_MANAGER},
            "target": {"name": secret, "creationPolicy": "Owner", "deletionPolicy": "Retain"},
            "data": data,
        },
    }
    return ManagedDatabase(
        host=Ref("infrastructure", key=f"{output}_host"),
        port=_POSTGRESQL,
        network=context.target.vpc.cidr,
        secret=secret,
        login=_object(f"{store.name}_login", f"{context.namespace}/{secret}", document, "registry"),
    )


def _gateway_annotations(exposure: str, context: Context) -> Mapping[str, str]:
    """A network load balancer of the address family of the cluster; only what is public is reached from the internet."""
    internal = {} if exposure == "public" else {f"{_BALANCER}-internal": "true"}
    return {
        f"{_BALANCER}-type": "nlb",
        f"{_BALANCER}-cross-zone-load-balancing-enabled": "true",
        **internal,
    }


def _databases(context: Context) -> bool:
    values = (one.value for one in context.plan.on(context.placement) if one.kind is Kind.DATABASE)
    return any(isinstance(store, Store) and not store.adopt for store in values)


def _object(variable: str, name: str, document: Mapping[str, Given], group: str) -> Call:
    arguments = (("cluster", Ref("cluster")), ("document", as_literal(document)))
    return Call(variable, "kubernetes.Object", name, arguments, group)


PLATFORM: Final = Platform(
    support=_support,
    costs=_costs,
    target=_target,
    below=_below,
    image_prefix=_image_prefix,
    image_registries={LATE_REGISTRY: "image_registry"},
    addons=addons_of_nodes,
    installs=INSTALLS,
    foundation=_foundation,
    secret_stores=_secret_stores,
    machines=node_pool,
    database=_database,
    gateway_class=CLASS,
    gateway_controller=CONTROLLER,
    gateway_annotations=_gateway_annotations,
    gateway_namespace=charts()[ENVOY].namespace,
    identity_agents=_AGENTS,
)
