"""Account monitoring outside the cluster, including the budget and alarms for databases and the network."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from modelyard.program import Call, Literal, Ref
from modelyard.spec import target_path
from modelyard_targets.aws.foundation import nat_of
from modelyard_targets.aws.identities import makes_anything
from modelyard_targets.aws.names import cluster_name
from modelyard_targets.aws.options import vpc_of
from modelyard_targets.cloud.data import managed_databases, store_variable
from modelyard_targets.kube.placement.context import Context

GROUP: Final = "operations"


def operation_calls(context: Context) -> Iterator[Call]:
    """Yield the components for the spec's budget, and for alarms on databases and NAT gateways."""
    yield from _budget(context)
    yield from _alarms(context)


def _budget(context: Context) -> Iterator[Call]:
    """Yield a single budget for all of a system's AWS targets, attached to the first of them.

    The budget filters costs by the system's tag.
    """
    budget = context.system.governance.budget
    clouds = [target.name for target in context.system.deployment.targets if target.provider == "aws"]
    active = [name for name in clouds if makes_anything(context.plan, name)]
    if budget is None or not active or active[0] != context.placement:
        return
    arguments: tuple[tuple[str, Literal], ...] = (
        ("account", Ref("account")),
        ("monthly_usd", ceil(budget.monthly)),
        ("system", context.system.metadata.name),
        ("emails", (context.system.governance.owner.email,)),
    )
    name = cluster_name(context.system, context.placement)
    yield Call("", "Budget", name, arguments, GROUP, ("governance", "budget"))


def _alarms(context: Context) -> Iterator[Call]:
    databases = tuple(Ref(store_variable(database.name)) for database in managed_databases(context))
    has_network = context.plan.has_cluster(context.placement) and not vpc_of(context.target).adopt
    translated = has_network and nat_of(context.system, context.target) != "none"
    if not databases and not translated:
        return
    arguments: tuple[tuple[str, Literal], ...] = (
        ("account", Ref("account")),
        ("key", Ref("key")),
        ("network", Ref("network")),
        *((("databases", databases),) if databases else ()),
        ("emails", (context.system.governance.owner.email,)),
    )
    name, here = cluster_name(context.system, context.placement), target_path(context.system, context.placement)
    yield Call("", "Alarms", name, arguments, GROUP, here)
