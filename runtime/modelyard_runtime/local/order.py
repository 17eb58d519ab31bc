"""The order in which pipelines start. Those that train models or write data precede those that depend on them."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard_runtime.local.plan import LocalPlan, Pipeline


def in_order(plan: LocalPlan, names: Iterable[str]) -> list[str]:
    """Sort pipelines by dependency. Pipelines that have none, or are in a dependency cycle, keep their order."""
    waiting = list(names)
    ordered: list[str] = []
    while waiting:
        ready = [
            name for name in waiting if not any(_precedes(plan, other, name) for other in waiting if other != name)
        ]
        chosen = (ready or waiting)[0]
        ordered.append(chosen)
        waiting.remove(chosen)
    return ordered


def _precedes(plan: LocalPlan, first: str, second: str) -> bool:
    earlier, later = plan.pipelines[first], plan.pipelines[second]
    trained = bool(earlier.trains) and earlier.trains in later.uses
    return later.schedule.after == first or trained or _feeds(earlier, later)


def _feeds(earlier: Pipeline, later: Pipeline) -> bool:
    return bool(set(earlier.writes) & set(later.reads))
