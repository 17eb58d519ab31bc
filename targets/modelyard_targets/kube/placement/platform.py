"""The provider-specific parts of a cluster that affect its workloads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from modelyard.plan import Identity, NodePool, Plan, Resource
from modelyard.program import Call, Literal, Ref
from modelyard.records import field, record
from modelyard.spec import Store, TargetSpec
from modelyard.stack import Value

if TYPE_CHECKING:
    from modelyard.handover import SecretCommands
    from modelyard_targets.kube.placement.context import Context, KubeObject

Argument: TypeAlias = "None | bool | int | float | str | Ref | Sequence[Argument] | Mapping[str, Argument]"
"""Plain data with placeholders for values that are only known while the program runs."""


def as_literal(value: Argument) -> Literal:
    """Convert plain data to the program model's literals, turning lists into tuples."""
    if isinstance(value, Mapping):
        return {key: as_literal(entry) for key, entry in value.items()}
    if isinstance(value, (str, bool, int, float, Ref)) or value is None:
        return value
    return tuple(as_literal(entry) for entry in value)


def unbounded(plan: Plan, placement: str) -> Mapping[str, str]:
    """Return no ResourceQuota, because the platform has other size limits."""
    return {}


def unpriced(plan: Plan, placement: str) -> Iterable[tuple[str, str]]:
    """Return no cost rows."""
    return ()


def as_written(plan: Plan, placement: str) -> TargetSpec:
    """Return the target as it is in the spec."""
    return plan.system.target(placement)


def none_below(plan: Plan, placement: str) -> str:
    """Return no infrastructure project, because the cluster already exists."""
    return ""


def no_addons(plan: Plan, placement: str) -> tuple[str, ...]:
    """Return no platform add-ons."""
    return ()


def no_values(context: Context) -> Mapping[str, Argument]:
    """Return no chart values."""
    return {}


def chart_tags(context: Context) -> Mapping[str, str]:
    """Return no image tags, which leaves the chart's own tags in effect."""
    return {}


def no_calls(context: Context) -> Iterable[Call]:
    """Return no calls."""
    return ()


def no_addresses(context: Context) -> tuple[str, ...]:
    """Return no addresses, because the API server's address is unknown."""
    return ()


def no_commands(name: str, context: Context) -> SecretCommands | None:
    """Return no commands, because the platform has no secrets service of its own."""
    return None


def no_rules(context: Context) -> Iterable[Value]:
    """Return no network policy rules."""
    return ()


def no_objects(context: Context) -> Iterable[KubeObject]:
    """Return no objects."""
    return ()


def no_machines(resource: Resource[NodePool], context: Context) -> Iterable[KubeObject]:
    """Return no objects, because the machines aren't managed via the Kubernetes API."""
    return ()


def no_database(store: Store, context: Context) -> ManagedDatabase | None:
    """Return no managed database, because databases run in the cluster."""
    return None


def no_login(resource: Resource[Store], context: Context) -> Iterable[KubeObject]:
    """Return no objects, because the database operator creates logins."""
    return ()


def no_annotations(exposure: str, context: Context) -> Mapping[str, str]:
    """Return no annotations, leaving the choice of the Gateway's address to the controller."""
    return {}


def no_identity(resource: Resource[Identity], context: Context) -> Ref | None:
    """Return no cloud identity, because the cloud recognizes the ServiceAccount itself."""
    return None


def none_further(context: Context) -> Mapping[str, str]:
    """Return no further projects, because the workloads only read the outputs of a single project."""
    return {}


def as_spelled(path: str) -> str:
    """Return a secret's path as it is written in the spec."""
    return path


@record
class AddOn:
    """How a platform installs its own add-on or modifies a common one.

    Calls in `before` run between the namespace and the chart, and replace the chart's Helm hooks. Calls in `after` use
    the chart's CRDs. `values` override the common chart values. `tags` maps images to versions that differ from the
    chart's, and must match `values`. `egress` adds network policy rules for the add-on's controller.
    """

    values: Callable[[Context], Mapping[str, Argument]] = no_values
    before: Callable[[Context], Iterable[Call]] = no_calls
    after: Callable[[Context], Iterable[Call]] = no_calls
    tags: Callable[[Context], Mapping[str, str]] = chart_tags
    egress: Callable[[Context], Iterable[Value]] = no_rules
    pod_security: str = "restricted"


SERVICE: Final = "database"
"""The service name in the PostgreSQL connection service file.

Source: https://www.postgresql.org/docs/current/libpq-pgservice.html, 2026-11-25.
"""


SERVICE_FOLDER: Final = "/etc/postgresql-services"
"""The folder with the service file and the other files that it names."""


@record
class ManagedDatabase:
    """A database managed by the cloud, with its address, network, and the call that creates its login.

    The call creates the Secret `secret` with the keys `username`, `password` and those in `files`, which are mounted in
    `SERVICE_FOLDER`. `services` is a PostgreSQL connection service file with the same login for the service `SERVICE`.
    The password may change at any time, so it isn't passed in environment variables: clients reread the file for each
    connection. `rotation` is the name of the CronJob that changes it, if there is one.
    """

    host: Ref
    port: int
    network: str  # CIDR
    secret: str
    login: Call
    files: tuple[str, ...] = ("services",)
    rotation: str = ""


@record
class Platform:
    """The provider-specific functions behind the shared workloads project.

    `target` returns the spec's target, including the platform's defaults. If `below` names a project, that project
    creates the cluster, and the program reads its outputs, including `kubeconfig`. `gateway_parameters` describes the
    object that configures a gateway class's Gateways and has the same name as the class.
    """

    quota: Callable[[Plan, str], Mapping[str, str]] = unbounded  # plan, placement: the namespace's ResourceQuota
    costs: Callable[[Plan, str], Iterable[tuple[str, str]]] = unpriced  # plan, placement: the README's cost rows
    target: Callable[[Plan, str], TargetSpec] = as_written  # plan, placement
    below: Callable[[Plan, str], str] = none_below  # plan, placement: the project whose outputs are read
    image_prefix: Callable[[Plan, str], str] = none_below  # plan, placement: the runtime image's default prefix
    image_registries: Mapping[str, str] = field(default_factory=dict[str, str])  # host in manifests: output of `below`
    addons: Callable[[Plan, str], tuple[str, ...]] = no_addons  # plan, placement: add-ons to install before the plan's
    installs: Mapping[str, AddOn] = field(default_factory=dict[str, AddOn])  # by add-on
    foundation: Callable[[Context], Iterable[Call]] = no_calls  # prerequisites of add-ons
    secret_stores: Callable[[Context], Iterable[KubeObject]] = no_objects  # stores for External Secrets
    machines: Callable[[Resource[NodePool], Context], Iterable[KubeObject]] = no_machines
    database: Callable[[Store, Context], ManagedDatabase | None] = no_database
    login: Callable[[Resource[Store], Context], Iterable[KubeObject]] = no_login  # objects for a database login
    gateway_class: str = ""  # prefix of the classes that we create for `gateway_controller`
    gateway_controller: str = ""
    gateway_parameters: Mapping[str, str] = field(default_factory=dict[str, str])  # group, kind, namespace
    gateway_annotations: Callable[[str, Context], Mapping[str, str]] = no_annotations  # exposure: internal or public
    gateway_namespace: str = ""  # namespace of the proxies, if known
    api_addresses: Callable[[Context], tuple[str, ...]] = no_addresses  # CIDRs of the API server and its Service
    storage_ranges: str = ""  # output of `below` with the CIDRs of object storage in the target's region
    storage_is_own: bool = False  # these CIDRs contain only the placement's own stores, not those of the whole region
    policies: Callable[[Context], Iterable[KubeObject]] = no_objects  # for the platform's own Pods in every cluster
    late: Callable[[Context], Iterable[Call]] = no_calls  # objects in the namespace that only the program can build
    identity_agents: tuple[str, ...] = ()  # CIDRs that serve a Pod's cloud credentials over HTTP
    identity_ports: tuple[int, ...] = (80,)  # ports of these agents
    identity_labels: Mapping[str, str] = field(default_factory=dict[str, str])  # labels of Pods that open a store
    identity_annotation: str = ""  # annotation of ServiceAccounts with the cloud identity, which only the program knows
    identity_output: Callable[[Resource[Identity], Context], Ref | None] = no_identity  # value of this annotation
    further_below: Callable[[Context], Mapping[str, str]] = none_further  # by variable: more projects with outputs
    hidden_addresses: tuple[str, ...] = ()  # CIDRs that no Pod may reach, because they serve node-only data
    secret_name: Callable[[str], str] = as_spelled  # name of a spec path in the cloud's own secrets service
    secret_commands: Callable[[str, Context], SecretCommands | None] = no_commands  # for a name in that service
    copy_identity: str = ""  # how somebody gives a ServiceAccount `{account}` of `{namespace}` access to stores
    meaningless_alerts: tuple[str, ...] = ()  # alerts of kube-prometheus-stack that do not apply to this platform
