"""Project monitoring outside the cluster, including the budget and alarms for databases and the network."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from modelyard.program import Call, Literal, Ref
from modelyard.spec import target_path
from modelyard_targets.cloud.data import creates_anything, managed_databases, store_variable
from modelyard_targets.gcp.names import cluster_name
from modelyard_targets.gcp.options import has_nat, options_of
from modelyard_targets.kube.placement.context import Context

GROUP: Final = "operations"


def operation_calls(context: Context) -> Iterator[Call]:
    """Yield the components for the spec's budget, and for alarms on databases and Cloud NAT."""
    yield from _budget(context)
    yield from _alarms(context)


def _budget(context: Context) -> Iterator[Call]:
    """Yield a single budget for all of a system's Google Cloud targets, attached to the first of them.

    It filters costs by the system's label.
    """
    budget = context.system.governance.budget
    clouds = [target.name for target in context.system.deployment.targets if target.provider == "gcp"]
    active = [name for name in clouds if creates_anything(context.plan, name)]
    if budget is None or not active or active[0] != context.placement:
        return
    billing_account = options_of(context.target).billing_account
    projects = {options_of(context.system.target(name)).account for name in active}
    arguments: tuple[tuple[str, Literal], ...] = (
        ("project", Ref("project")),
        ("monthly", ceil(budget.monthly)),
        ("currency", budget.currency),
        ("system", context.system.metadata.name),
        ("emails", (context.system.governance.owner.email,)),
        *((("billing_account", billing_account),) if billing_account else ()),
        *((("every_project", True),) if len(projects) > 1 else ()),
    )
    name = cluster_name(context.system, context.placement)
    yield Call("", "Budget", name, arguments, GROUP, ("governance", "budget"))


def _alarms(context: Context) -> Iterator[Call]:
    databases = tuple(Ref(store_variable(database.name)) for database in managed_databases(context))
    translated = context.plan.has_cluster(context.placement) and has_nat(context.target)
    if not databases and not translated:
        return
    arguments: tuple[tuple[str, Literal], ...] = (
        ("project", Ref("project")),
        ("network", Ref("network")),
        *((("databases", databases),) if databases else ()),
        ("emails", (context.system.governance.owner.email,)),
    )
    name, here = cluster_name(context.system, context.placement), target_path(context.system, context.placement)
    yield Call("", "Alarms", name, arguments, GROUP, here)
