"""Everything about a cluster's platform that affects its workloads."""

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
"""Plain data with placeholders for values known only while the program runs."""


def as_literal(value: Given) -> Literal:
    """Convert lists to the tuples of the program model."""
    if isinstance(value, Mapping):
        return {key: as_literal(entry) for key, entry in value.items()}
    if isinstance(value, (str, bool, int, float, Ref)) or value is None:
        return value
    return tuple(as_literal(entry) for entry in value)


def unbounded(plan: Plan, placement: str) -> Mapping[str, str]:
    """Set no ResourceQuota: the platform limits size in other ways."""
    return {}


def unpriced(plan: Plan, placement: str) -> Iterable[tuple[str, str]]:
    """Report no cost."""
    return ()


def as_written(plan: Plan, placement: str) -> TargetSpec:
    """Return the target as in the spec."""
    return plan.system.target(placement)


def none_below(plan: Plan, placement: str) -> str:
    """Return no project: the cluster already exists."""
    return ""


def no_addons(plan: Plan, placement: str) -> tuple[str, ...]:
    """Need no add-ons of the platform's own."""
    return ()


def no_values(context: Context) -> Mapping[str, Given]:
    """Add no chart values."""
    return {}


def chart_tags(context: Context) -> Mapping[str, str]:
    """Keep the chart's image tags."""
    return {}


def no_calls(context: Context) -> Iterable[Call]:
    """Add no calls to the chart."""
    return ()


def no_addresses(context: Context) -> tuple[str, ...]:
    """Leave the API server's address unknown."""
    return ()


def no_rules(context: Context) -> Iterable[Value]:
    """Add no network policy rules."""
    return ()


def no_objects(context: Context) -> Iterable[Made]:
    """Add no objects."""
    return ()


def no_machines(resource: Resource[NodePool], context: Context) -> Iterable[Made]:
    """Create no machines: the Kubernetes API has no objects for them."""
    return ()


def no_database(store: Store, context: Context) -> ManagedDatabase | None:
    """Run databases in the cluster."""
    return None


def no_login(resource: Resource[Store], context: Context) -> Iterable[Made]:
    """Leave logins to the database operator."""
    return ()


def no_annotations(exposure: str, context: Context) -> Mapping[str, str]:
    """Let the controller choose a Gateway's address."""
    return {}


@record
class AddOn:
    """How a platform installs its own add-on, or changes a common one.

    Calls in `before` run between namespace and chart and replace the chart's Helm hooks; those in `after` use the
    chart's CRDs. `values` override the common ones. `tags` maps images to versions that differ from the chart's, in
    agreement with `values`. `egress` adds rules for the add-on's controller on this platform.
    """

    values: Callable[[Context], Mapping[str, Given]] = no_values
    before: Callable[[Context], Iterable[Call]] = no_calls
    after: Callable[[Context], Iterable[Call]] = no_calls
    tags: Callable[[Context], Mapping[str, str]] = chart_tags
    egress: Callable[[Context], Iterable[Value]] = no_rules
    pod_security: str = "restricted"


SERVICE: Final = "database"
"""The service name in a PostgreSQL connection service file.

Source: https://www.postgresql.org/docs/current/libpq-pgservice.html, 2026-11-25.
"""


@record
class ManagedDatabase:
    """A database managed by the cloud: its address, the network it is in, and the call that creates its login.

    The call creates a Secret of this name with the keys `username`, `password` and `services`; the last holds both
    again as a PostgreSQL connection service file for the service `SERVICE`. The cloud may rotate the password at any
    time: a file is read again for each connection, environment variables are not.
    """

    host: Ref
    port: int
    network: str  # CIDR
    secret: str
    login: Call


@record
class Platform:
    """The provider-specific functions behind the shared workloads project.

    `target` returns the target to lower: the one in the spec, completed by the platform. If `below` names a project,
    that one creates the cluster, and the program reads its outputs, including `kubeconfig`. `gateway_parameters`
    describes an object for each gateway class, with the class's name, that configures its Gateways.
    """

    quota: Callable[[Plan, str], Mapping[str, str]] = unbounded  # plan, placement: the namespace's ResourceQuota
    costs: Callable[[Plan, str], Iterable[tuple[str, str]]] = unpriced  # plan, placement: rows of the README's table
    target: Callable[[Plan, str], TargetSpec] = as_written  # plan, placement
    below: Callable[[Plan, str], str] = none_below  # plan, placement: the project whose outputs are read
    image_prefix: Callable[[Plan, str], str] = none_below  # plan, placement: of the runtime image, if none is declared
    image_registries: Mapping[str, str] = field(default_factory=dict[str, str])  # host in manifests: output of `below`
    addons: Callable[[Plan, str], tuple[str, ...]] = no_addons  # plan, placement: before those of the plan
    installs: Mapping[str, AddOn] = field(default_factory=dict[str, AddOn])  # by add-on
    foundation: Callable[[Context], Iterable[Call]] = no_calls  # prerequisites of add-ons
    secret_stores: Callable[[Context], Iterable[Made]] = no_objects  # stores for External Secrets
    machines: Callable[[Resource[NodePool], Context], Iterable[Made]] = no_machines
    database: Callable[[Store, Context], ManagedDatabase | None] = no_database
    login: Callable[[Resource[Store], Context], Iterable[Made]] = no_login  # of a database
    gateway_class: str = ""  # created here, for this controller
    gateway_controller: str = ""
    gateway_parameters: Mapping[str, str] = field(default_factory=dict[str, str])  # group, kind, namespace
    gateway_annotations: Callable[[str, Context], Mapping[str, str]] = no_annotations  # exposure: internal public
    gateway_namespace: str = ""  # where its proxies run, if known
    api_addresses: Callable[[Context], tuple[str, ...]] = no_addresses  # CIDRs of the API server and its Service
    storage_ranges: str = ""  # output of `below`: CIDRs of object storage in the target's region
    policies: Callable[[Context], Iterable[Made]] = no_objects  # for Pods that run in every cluster of the platform
    identity_agents: tuple[str, ...] = ()  # CIDRs that serve a Pod's cloud credentials over HTTP
    meaningless_alerts: tuple[str, ...] = ()  # of kube-prometheus-stack: normal on this platform
