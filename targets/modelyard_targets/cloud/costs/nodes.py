"""Cost lines for nodes and their disks, by component, based on the functions that set the pools' bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import ceil
from typing import Final

from modelyard.costs import HOURS_OF_A_MONTH, CostLine, Quantity, Rate
from modelyard.plan import Hardware, NodeGroup, NodePool, Plan, Resource, SystemPool
from modelyard.records import record, replace
from modelyard.spec import Inference, Range, System, Variant
from modelyard.usage import Usage
from modelyard_targets.cloud.costs.prices import SPOT, Sheet
from modelyard_targets.cloud.costs.runs import monitor_hours, pipeline_hours
from modelyard_targets.cloud.pools import Nodes, nodes_for
from modelyard_targets.kube.pods.demand import PodRequest, demand

PLATFORM: Final = "platform"
_IDLE: Final = "until a usage file says how many requests there are"
_ELASTIC_SPARE: Final = 2
"""An elastic class's NodePool is limited to twice the vCPUs that its Pods need on the first-choice machine."""


@record
class Disk:
    """A node's disk, with its item in the price table and how many units a node uses per month."""

    item: str
    amount: float
    what: str


DiskOf = Callable[[Hardware, NodeGroup | None], Disk]
"""Returns the disk of a node in a group or in an elastic class."""


@record
class _Use:
    """The node-hours that a component uses on a pool, before prices are applied."""

    component: str
    what: str
    floor: float
    expected: float
    pods: int  # at most
    hours: float  # at most
    assumption: str


def node_lines(sheet: Sheet, plan: Plan, placement: str, disk: DiskOf) -> Iterator[CostLine]:
    """Yield cost lines for the nodes and disks of every compute class.

    Nodes are counted whole. Components that use the same class share its nodes in proportion to their Pods.
    """
    pod_demand = demand(plan, placement, databases=False)
    for resource in plan.of(NodePool, placement):
        pool = resource.value
        always = [request for request in pod_demand.always if _is_on(request, pool)]
        runs = {name: [request for request in run if _is_on(request, pool)] for name, run in pod_demand.runs.items()}
        uses = (
            *_served(sheet, plan.system, pool, [request for request in always if request.origin[0] != "monitors"]),
            *_watched(sheet, plan.system, [request for request in always if request.origin[0] == "monitors"]),
            *_run(sheet, plan.system, pool, runs),
        )
        for use in uses:
            yield from _priced(sheet, resource, use, disk)


def system_lines(sheet: Sheet, plan: Plan, placement: str, nodes: Nodes, disk: DiskOf) -> Iterator[CostLine]:
    """Yield cost lines for the system pool's nodes and disks.

    The pool runs Ray heads, run starters, the registry and add-ons.
    """
    for pool in plan.of(SystemPool, placement):
        hardware = pool.value.hardware
        yield from own_pool(sheet, pool.place, f"system pool, {hardware.machine}", hardware.machine, nodes)
        size = disk(hardware, hardware.groups[0])
        yield _disk_line(sheet, PLATFORM, pool.place, size, _of_month(nodes), "system pool")


def own_pool(sheet: Sheet, address: str, what: str, machine: str, nodes: Nodes) -> Iterator[CostLine]:
    """Yield the cost line for a pool of always-on on-demand nodes. `nodes` holds the minimum and maximum count."""
    quantity = _of_month(nodes).times(HOURS_OF_A_MONTH)
    note = f"{nodes.least} to {nodes.most} nodes, as the pool may have"
    price = sheet.machine(machine, spot=False)
    yield CostLine(PLATFORM, address, what, "hours", quantity, price, "compute", machine, assumption=note)


def disk_line(sheet: Sheet, address: str, size: Disk, nodes: Nodes, of: str) -> CostLine:
    """Return the cost line for the disks of the given nodes."""
    return _disk_line(sheet, PLATFORM, address, size, _of_month(nodes), of)


def _of_month(nodes: Nodes) -> Quantity:
    return Quantity(nodes.least, nodes.least, max(nodes.least, nodes.most))


def _is_on(request: PodRequest, pool: NodePool) -> bool:
    return request.hardware is not None and request.hardware.compute == pool.compute


def _component(request: PodRequest) -> str:
    return ".".join(str(step) for step in request.origin[:2])


def _served(sheet: Sheet, system: System, pool: NodePool, requests: list[PodRequest]) -> Iterator[_Use]:
    """Yield the nodes that each endpoint uses, in proportion to its Pods, and the additional nodes of its rollouts."""
    by_component: dict[str, list[PodRequest]] = {}
    for request in requests:
        by_component.setdefault(_component(request), []).append(request)
    endpoints = {name: system.inference[name.partition(".")[2]] for name in by_component}
    likely = {name: _likely(sheet.usage, inference, pool.compute) for name, inference in endpoints.items()}
    floor, expected = sum(request.least for request in requests), sum(likely.values())
    of_floor, of_expected = (_nodes(sheet, pool, ceil(pods)) / (pods or 1) for pods in (floor, expected))
    for name, some in by_component.items():
        least, most = sum(request.least for request in some), sum(request.most for request in some)
        yield _Use(
            name,
            "replicas",
            least * of_floor * HOURS_OF_A_MONTH,
            likely[name] * of_expected * HOURS_OF_A_MONTH,
            most,
            HOURS_OF_A_MONTH,
            _replicas_note(sheet.usage, name, likely[name], least, most),
        )
        surge = sum(request.surge for request in some)
        if surge:
            yield _rollout(sheet.usage, name, _nodes(sheet, pool, surge), surge)


def _rollout(usage: Usage, component: str, nodes: int, pods: int) -> _Use:
    """Return the nodes used by the second set of replicas during rollouts.

    No field in the spec limits the number of rollouts.
    """
    often, hours = usage.platform.rollouts_per_month, usage.platform.rollout_s / 3600
    note = f"{often:g} rollouts a month of {hours:g} hours each; at most twice that"
    total = min(often * hours, HOURS_OF_A_MONTH)
    return _Use(component, "rollouts", 0, nodes * total, pods, min(2 * total, HOURS_OF_A_MONTH), note)


def _watched(sheet: Sheet, system: System, requests: Iterable[PodRequest]) -> Iterator[_Use]:
    for request in requests:
        hours = monitor_hours(system.monitors[str(request.origin[1])], sheet.usage)
        yield _Use(_component(request), "runs", 0, hours.expected, request.most, hours.most, hours.assumption)


def _run(sheet: Sheet, system: System, pool: NodePool, runs: Mapping[str, list[PodRequest]]) -> Iterator[_Use]:
    """Yield how much runs use nodes. A run's nodes exist until the autoscaler removes them."""
    for name, requests in runs.items():
        pods = sum(request.most for request in requests)
        if not pods:
            continue
        pipeline = system.pipelines[name]
        hours = pipeline_hours(system, pipeline, sheet.usage, spot=pool.hardware.spot)
        likely = min(pods, _likely_workers(pipeline.steps[0].workers if len(pipeline.steps) == 1 else None, pods))
        nodes = _nodes(sheet, pool, likely)
        note = f"{hours.assumption}; {likely} workers, at most {pods}"
        yield _Use(f"pipelines.{name}", "runs", 0, nodes * hours.expected, pods, hours.most, note)


def _likely_workers(workers: Range | None, most: int) -> int:
    """Return the midpoint of a pipeline's range of workers, rounded up."""
    least = workers.minimum if workers is not None else 1
    return max(1, -(-(least + most) // 2))


def _likely(usage: Usage, inference: Inference, compute: str) -> float:
    """Return the expected number of an endpoint's replicas in a compute class."""
    variants = (variant for variant in inference.variants if variant.compute == compute)
    return sum(_likely_of(usage, inference, variant) for variant in variants)


def _likely_of(usage: Usage, inference: Inference, variant: Variant) -> float:
    """Return a variant's expected replica count, based on its requests or, if unknown, twice the minimum."""
    least, most = variant.replicas.minimum, variant.replicas.maximum
    requests = usage.inference.get(inference.name)
    if requests is None:
        return min(most, max(1, 2 * least)) if least != most else most
    share = variant.percent / 100
    if inference.mirror is not None and inference.mirror.variant == variant.name:
        share += inference.mirror.percent / 100
    at_mean, at_peak = (
        min(most, max(least, ceil(rate * share * requests.seconds / inference.scaling.target)))
        for rate in (requests.mean, requests.peak)
    )
    return (at_mean * (24 - requests.peak_hours) + at_peak * requests.peak_hours) / 24


def _replicas_note(usage: Usage, component: str, likely: float, least: int, most: int) -> str:
    bounds = f"{least} to {most} replicas" if least != most else f"{least} replicas"
    if least == most:
        return bounds
    if component.partition(".")[2] in usage.inference:
        return f"{bounds}, {likely:.3g} on average by the usage file"
    return f"{bounds}, assumed {likely:g} on average {_IDLE}"


def _nodes(sheet: Sheet, pool: NodePool, pods: int, at: int = 0) -> int:
    return nodes_for(sheet.offerings, pool.hardware, pods, at)


def _priced(sheet: Sheet, resource: Resource[NodePool], use: _Use, disk: DiskOf) -> Iterator[CostLine]:
    pool, hardware = resource.value, resource.value.hardware
    nodes, dearest = _dearest(sheet, pool, use.pods)
    price = sheet.machine(hardware.machine, hardware.spot)
    ceiling = max(nodes * use.hours, use.expected, use.floor)
    quantity = Quantity(use.floor, max(use.expected, use.floor), ceiling)
    capacity = "spot" if hardware.spot else "on demand"
    line = CostLine(
        use.component,
        resource.place,
        f"{use.what} on {hardware.machine}, {capacity}",
        "hours",
        quantity,
        price,
        "compute",
        f"{hardware.machine}{SPOT}" if hardware.spot else hardware.machine,
        assumption=use.assumption,
    )
    if dearest is not None and price is not None and dearest.rate.amount > price.amount:
        worst = f"{dearest.machine}, on demand" if dearest.machine != hardware.machine else "on-demand prices"
        line = replace(line, ceiling_price=dearest.rate, ceiling_assumes=worst)
    yield line
    size = max(_disks(pool, disk), key=lambda rate: rate.amount)
    of = f"{use.what} of {resource.name}"
    yield _disk_line(sheet, use.component, resource.place, size, quantity.times(1 / HOURS_OF_A_MONTH), of)


def _disks(pool: NodePool, disk: DiskOf) -> Iterator[Disk]:
    if not pool.groups:
        yield disk(pool.hardware, None)
    for group in pool.groups:
        yield disk(pool.hardware, group)


@record
class _Priced:
    """A machine type with its on-demand price."""

    machine: str
    rate: Rate


def _dearest(sheet: Sheet, pool: NodePool, pods: int) -> tuple[float, _Priced | None]:
    """Return the node count and on-demand price for the given Pods in the pool's most expensive node group."""
    if not pool.groups:
        return pods, _dearest_elastic(sheet, pool)
    candidates: list[tuple[float, float, _Priced | None]] = []
    for at, group in enumerate(pool.groups):
        priced = [
            _Priced(name, rate) for name in group.machines if (rate := sheet.machine(name, spot=False)) is not None
        ]
        dearest = max(priced, key=lambda candidate: candidate.rate.amount, default=None)
        nodes = _nodes(sheet, pool, pods, at)
        candidates.append((nodes * (dearest.rate.amount if dearest is not None else 0.0), nodes, dearest))
    _, most, dearest = max(candidates, key=lambda candidate: candidate[:2])
    return most, dearest


def _dearest_elastic(sheet: Sheet, pool: NodePool) -> _Priced | None:
    """Return the most that a Pod of an elastic class can cost per hour.

    This is its share of the NodePool's vCPU limit, at the highest price per vCPU among the machines that fit the Pod.
    """
    vcpus = sheet.offerings.machine(pool.hardware.machine).vcpus * _ELASTIC_SPARE
    priced = [
        _Priced(name, replace(rate, amount=rate.amount / sheet.offerings.machine(name).vcpus * vcpus))
        for name in pool.hardware.any_of
        if (rate := sheet.machine(name, spot=False)) is not None
    ]
    return max(priced, key=lambda candidate: candidate.rate.amount, default=None)


def _disk_line(sheet: Sheet, component: str, address: str, size: Disk, nodes: Quantity, of: str) -> CostLine:
    unit = "GB-months" if size.item.endswith("-gb-months") else "months"
    what = f"disks of {of}, {size.what}"
    rate = sheet.service(size.item)
    return CostLine(component, address, what, unit, nodes.times(size.amount), rate, "storage", size.item)
