"""Monitoring outside the cluster: logs, the budget, and alarms for databases and the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil
from typing import Final

from modelyard.program import Call, Literal, Ref
from modelyard.source import Path
from modelyard.spec import TargetSpec, target_path
from modelyard_targets.azure.foundation import log_days
from modelyard_targets.azure.names import cluster_name, group_name, nodes_group
from modelyard_targets.azure.options import has_nat, options_of
from modelyard_targets.cloud.data import creates_anything, managed_databases, store_variable
from modelyard_targets.kube.placement.context import Context

GROUP: Final = "operations"


def operation_calls(context: Context) -> Iterator[Call]:
    """Yield the components for the cluster's logs, the spec's budget, and alarms on databases and the NAT gateway."""
    if context.plan.has_cluster(context.placement) and not context.target.cluster.adopt:
        yield _logs(context)
    yield from _budget(context)
    yield from _alarms(context)


def _logs(context: Context) -> Call:
    arguments: tuple[tuple[str, Literal], ...] = (
        ("group", Ref("group")),
        ("cluster", Ref("cluster")),
        ("days", log_days(context.system)),
        *_databases(context),
    )
    return Call("", "ClusterLogs", _name(context), arguments, GROUP, _here(context))


def _budget(context: Context) -> Iterator[Call]:
    """Yield a single budget for all of a system's targets in a subscription, attached to the first of them.

    It covers the targets' resource groups.
    """
    budget, mine = context.system.governance.budget, options_of(context.target).account
    active = [
        target
        for target in context.system.deployment.targets
        if target.provider == "azure"
        and options_of(target).account == mine
        and creates_anything(context.plan, target.name)
    ]
    if budget is None or not active or active[0].name != context.placement:
        return
    other_groups = tuple(_groups_of(context, active[1:]))
    arguments: tuple[tuple[str, Literal], ...] = (
        ("group", Ref("group")),
        ("monthly", ceil(budget.monthly)),
        ("emails", (context.system.governance.owner.email,)),
        *((("groups", other_groups),) if other_groups else ()),
    )
    yield Call("", "Budget", _name(context), arguments, GROUP, ("governance", "budget"))


def _alarms(context: Context) -> Iterator[Call]:
    translated = context.plan.has_cluster(context.placement) and has_nat(context.target)
    if not managed_databases(context) and not translated:
        return
    arguments: tuple[tuple[str, Literal], ...] = (
        ("group", Ref("group")),
        ("network", Ref("network")),
        *_databases(context),
        ("emails", (context.system.governance.owner.email,)),
    )
    yield Call("", "Alarms", _name(context), arguments, GROUP, _here(context))


def _databases(context: Context) -> Iterator[tuple[str, Literal]]:
    databases = tuple(Ref(store_variable(database.name)) for database in managed_databases(context))
    if databases:
        yield "databases", databases


def _groups_of(context: Context, targets: Iterable[TargetSpec]) -> Iterator[str]:
    """Yield the resource groups of the given targets, each followed by the group for its nodes."""
    for target in targets:
        group = group_name(context.system, target)
        yield group
        if context.plan.has_cluster(target.name) and not target.cluster.adopt:
            yield nodes_group(group)


def _name(context: Context) -> str:
    return cluster_name(context.system, context.placement)


def _here(context: Context) -> Path:
    return target_path(context.system, context.placement)
