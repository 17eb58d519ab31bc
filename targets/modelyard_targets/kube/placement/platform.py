"""What differs between the platforms that a cluster stands on, as far as its workloads can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from modelyard.plan import NodePool, Plan, Resource
from modelyard.program import Call, Literal, Ref
from modelyard.records import field, record
from modelyard.spec import Store, TargetSpec
from modelyard.stack import Value

if TYPE_CHECKING:
    from modelyard_targets.kube.placement.context import Context, Made

Given: TypeAlias = "None | bool | int | float | str | Ref | Sequence[Given] | Mapping[str, Given]"
"""Plain data of which something may be known only while the program runs."""


def as_literal(value: Given) -> Literal:
    """The same data, with lists as the program model holds them."""
    if isinstance(value, Mapping):
        return {key: as_literal(entry) for key, entry in value.items()}
    if isinstance(value, (str, bool, int, float, Ref)) or value is None:
        return value
    return tuple(as_literal(entry) for entry in value)


def unbounded(plan: Plan, placement: str) -> Mapping[str, str]:
    """No ResourceQuota: what there may be at most is said elsewhere."""
    return {}


def unpriced(plan: Plan, placement: str) -> Iterable[tuple[str, str]]:
    """Nothing is known of what it costs."""
    return ()


def as_written(plan: Plan, placement: str) -> TargetSpec:
    """The target as it stands in the spec."""
    return plan.system.target(placement)


def none_below(plan: Plan, placement: str) -> str:
    """The cluster is there already: no project of ours makes it."""
    return ""


def no_addons(plan: Plan, placement: str) -> tuple[str, ...]:
    """No add-on but those that the workloads need."""
    return ()


def no_values(context: Context) -> Mapping[str, Given]:
    """Nothing beyond what the chart gets everywhere."""
    return {}


def chart_tags(context: Context) -> Mapping[str, str]:
    """The tags that the chart has itself."""
    return {}


def no_calls(context: Context) -> Iterable[Call]:
    """Nothing beside the chart."""
    return ()


def no_addresses(context: Context) -> tuple[str, ...]:
    """The address of the cluster's API is unknown."""
    return ()


def no_rules(context: Context) -> Iterable[Value]:
    """No connection beyond those that the add-on has everywhere."""
    return ()


def no_objects(context: Context) -> Iterable[Made]:
    """Nothing of its own."""
    return ()


def no_machines(resource: Resource[NodePool], context: Context) -> Iterable[Made]:
    """Machines are nothing that the cluster's API knows."""
    return ()


def no_database(store: Store, context: Context) -> ManagedDatabase | None:
    """A database runs in the cluster."""
    return None


def no_login(resource: Resource[Store], context: Context) -> Iterable[Made]:
    """The operator of a database makes its login."""
    return ()


def no_annotations(exposure: str, context: Context) -> Mapping[str, str]:
    """A Gateway takes whatever address its controller gives it."""
    return {}


@record
class AddOn:
    """How a platform installs an add-on of its own, or changes one that every cluster gets.

    `before` stands between its namespace and its chart, and does what a hook of the chart would; `after` needs the
    kinds that the chart brings. Values win over those that every cluster gives the chart. `tags` are of images that run
    in another version than the chart has, by their names; its values have to say the same. `egress` are rules that its
    controller needs on this platform, beyond those of any cluster.
    """

    values: Callable[[Context], Mapping[str, Given]] = no_values
    before: Callable[[Context], Iterable[Call]] = no_calls
    after: Callable[[Context], Iterable[Call]] = no_calls
    tags: Callable[[Context], Mapping[str, str]] = chart_tags
    egress: Callable[[Context], Iterable[Value]] = no_rules
    pod_security: str = "restricted"


SERVICE: Final = "database"
"""What a connection service file calls the database.

Source: https://www.postgresql.org/docs/current/libpq-pgservice.html, 2026-11-25.
"""


@record
class ManagedDatabase:
    """A database that the cloud runs: where it is, from where in the cluster's network, and the call with its login.

    The call makes a Secret of this name with the keys `username`, `password` and `services`: both once more as a
    connection service file of PostgreSQL, in which the service is called like `SERVICE`. The cloud changes the password
    as it likes; a file is read anew for each connection, and what a process was started with is not.
    """

    host: Ref
    port: int
    network: str  # CIDR
    secret: str
    login: Call


@record
class Platform:
    """The functions of one provider that the workloads project of any cluster asks.

    `target` is the target as it is lowered: the spec's, with what the platform brings along filled in. Where `below`
    names a project, that one makes the cluster: the program reads its outputs, among them `kubeconfig`.
    `gateway_parameters` are of an object for each class of gateways, of the same name, that says how these are made.
    """

    quota: Callable[[Plan, str], Mapping[str, str]] = unbounded  # plan, placement: the namespace's ResourceQuota
    costs: Callable[[Plan, str], Iterable[tuple[str, str]]] = unpriced  # plan, placement: rows of the README's table
    target: Callable[[Plan, str], TargetSpec] = as_written  # plan, placement
    below: Callable[[Plan, str], str] = none_below  # plan, placement: the project whose outputs are read
    image_prefix: Callable[[Plan, str], str] = none_below  # plan, placement: of the runtime image, if none is declared
    image_registries: Mapping[str, str] = field(default_factory=dict[str, str])  # host in manifests: output below
    addons: Callable[[Plan, str], tuple[str, ...]] = no_addons  # plan, placement: before those of the plan
    installs: Mapping[str, AddOn] = field(default_factory=dict[str, AddOn])  # by add-on
    foundation: Callable[[Context], Iterable[Call]] = no_calls  # what add-ons stand on
    secret_stores: Callable[[Context], Iterable[Made]] = no_objects  # what External Secrets reads from
    machines: Callable[[Resource[NodePool], Context], Iterable[Made]] = no_machines
    database: Callable[[Store, Context], ManagedDatabase | None] = no_database
    login: Callable[[Resource[Store], Context], Iterable[Made]] = no_login  # of a database
    gateway_class: str = ""  # made here, for this controller
    gateway_controller: str = ""
    gateway_parameters: Mapping[str, str] = field(default_factory=dict[str, str])  # group, kind, namespace
    gateway_annotations: Callable[[str, Context], Mapping[str, str]] = no_annotations  # exposure: internal public
    gateway_namespace: str = ""  # where its proxies run, where that is known
    api_addresses: Callable[[Context], tuple[str, ...]] = no_addresses  # CIDRs of the cluster's API and its Service
    storage_ranges: str = ""  # output below: CIDRs of object storage in the target's region
    policies: Callable[[Context], Iterable[Made]] = no_objects  # of Pods that run in every cluster of the platform
    identity_agents: tuple[str, ...] = ()  # CIDRs at which a Pod gets the credentials of its identity, by HTTP
    meaningless_alerts: tuple[str, ...] = ()  # of kube-prometheus-stack: on this platform they report the normal state
