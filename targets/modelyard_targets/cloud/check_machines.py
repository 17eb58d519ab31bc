"""Report compute classes whose Pods narrowly miss a much cheaper machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.costs import HOURS_OF_A_MONTH
from modelyard.diagnostics import hardware as problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.manifest import cpu_words, gibibytes
from modelyard.plan import Hardware, NodePool, Plan, Smaller
from modelyard.records import replace
from modelyard.spec import System
from modelyard.usage import NO_USAGE
from modelyard_targets.cloud.costs.runs import pipeline_hours
from modelyard_targets.cloud.offerings import Offerings
from modelyard_targets.cloud.pools import nodes_for
from modelyard_targets.kube.pods.demand import Demand, demand

_CHEAPER: Final = 0.8
"""A smaller machine is suggested only if the cost falls to at most this share. The cost may also rise, because several
Pods can share the larger machine.
"""

_WORTH_USD: Final = 100
"""The smallest saving to report, in US dollars per month."""


def check_machines(offerings: Offerings, plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report compute classes that would cost much less with slightly smaller requests, and the monthly savings."""
    pod_demand = demand(plan, placement, databases=False)
    for pool in plan.of(NodePool, placement):
        hardware, smaller = pool.value.hardware, pool.value.hardware.smaller
        if smaller is None or pool.value.elastic:
            continue
        now, then = (_monthly(offerings, plan.system, pod_demand, each) for each in (hardware, _on(smaller, hardware)))
        if then <= _CHEAPER * now and now - then >= _WORTH_USD:
            span = plan.system.key(*plan.system.compute[hardware.compute].path)
            cpu, memory = cpu_words(smaller.cpu_millis), gibibytes(smaller.memory_bytes)
            yield problems.just_misses_cheaper_machine(
                span, hardware.compute, hardware.machine, smaller.machine, cpu, memory, now - then
            )


def _monthly(offerings: Offerings, system: System, pod_demand: Demand, hardware: Hardware) -> float:
    """Return the monthly cost of a compute class's minimum machine count or, if that is zero, of its runs."""
    least = sum(request.least for request in pod_demand.always if _is_of(request.hardware, hardware))
    node_hours = float(nodes_for(offerings, hardware, least) * HOURS_OF_A_MONTH)
    for name, run in pod_demand.runs.items() if not least else ():
        most = sum(request.most for request in run if _is_of(request.hardware, hardware))
        hours = pipeline_hours(system, system.pipelines[name], NO_USAGE, spot=hardware.spot).most
        node_hours += nodes_for(offerings, hardware, most) * hours
    return node_hours * (hardware.price_hourly or 0.0)


def _is_of(requested: Hardware | None, hardware: Hardware) -> bool:
    return requested is not None and requested.compute == hardware.compute


def _on(smaller: Smaller, hardware: Hardware) -> Hardware:
    """Return a compute class's hardware as if its only node group had the smaller machine."""
    group = replace(hardware.groups[0], machines=(smaller.machine,), price_hourly=smaller.price_hourly)
    return replace(
        hardware,
        cpu_millis=smaller.cpu_millis,
        memory_bytes=smaller.memory_bytes,
        price_hourly=smaller.price_hourly,
        groups=(group,),
    )
