"""Machines of the plan: the choice for each workload, what was passed over and why, and the resulting pools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from modelyard.plan.kinds import Kind
from modelyard.records import field, record
from modelyard.spec import Accelerator, ComputeClass, System, Taint, TargetSpec

SYSTEM_POOL: Final = "system"
"""The pool of Pods that no compute class sizes; a class with nodes of its own may not have that name."""


@record
class Candidate:
    """A machine that was considered for a compute class; price is per hour, None if not declared."""

    machine: str
    price_hourly: float | None
    why: str


@record
class NodeGroup:
    """Machines of a node pool: any of `machines` will do, and the price is that of the first.

    All have the same number of the same accelerator, and at least as much of everything as the first.
    """

    machines: tuple[str, ...]  # instance types of the provider
    spot: bool
    accelerator: Accelerator | None  # of one machine, not what a Pod requests
    price_hourly: float | None
    arch: str = "amd64"  # amd64 arm64


@record
class Fallback:
    """Machines for Pods whose preferred ones are unavailable, selected by labels."""

    machine: str
    selector: tuple[tuple[str, str], ...]


@record
class PassedOver:
    """An alternative in `accelerators` of a class, by its position, that no Pod of the class will get, and why."""

    position: int
    accelerator: Accelerator
    why: str


@record
class Smaller:
    """A much cheaper machine that a Pod just misses, and the requests with which it would fit."""

    machine: str
    price_hourly: float
    cpu_millis: int
    memory_bytes: int


@record
class Hardware:
    """The requests of one Pod of a compute class on its placement, and the chosen machine."""

    compute: str  # class name
    cpu_millis: int
    memory_bytes: int
    disk_bytes: int | None
    accelerator: Accelerator | None
    machine: str  # the target's name for it: an instance type, or `capacity[0]`
    spot: bool
    selector: tuple[tuple[str, str], ...]
    tolerations: tuple[Taint, ...]
    price_hourly: float | None
    considered: tuple[Candidate, ...]  # the choice first, then the next best
    accelerator_resource: str = ""  # the resource that Pods request, such as nvidia.com/gpu
    groups: tuple[NodeGroup, ...] = ()  # created for it and tried in this order, if the target creates machines
    elastic: bool = False  # any machine that is big enough, created on demand
    any_of: tuple[str, ...] = ()  # of an elastic class: the machines that are big enough, by name
    passed_over: tuple[PassedOver, ...] = ()
    smaller: Smaller | None = None
    fallback: Fallback | None = None  # for its Pods when the choice is reclaimed or full


class Hardwarer(Protocol):
    """Chooses a machine for a compute class, or explains why none fits (naming the closest)."""

    def __call__(self, compute: ComputeClass, target: TargetSpec) -> Hardware | str: ...


class SystemHardwarer(Protocol):
    """Chooses the machine of Pods that no compute class sizes; None if the scheduler decides where they run."""

    def __call__(self, system: System, target: TargetSpec) -> Hardware | None: ...


def any_machine(system: System, target: TargetSpec) -> Hardware | None:
    """The scheduler decides."""
    return None


@record
class Offer:
    """The planner's information about a target.

    These are its machines, the add-ons that kinds of resources need there, the kinds that exist outside its cluster,
    and the gateway class that its add-ons provide. On an existing cluster, nothing is outside it, and its gateway
    classes are its own.
    """

    choose: Hardwarer
    addons: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict[Kind, tuple[str, ...]])
    apart: frozenset[Kind] = frozenset()
    gateway_class: str = ""
    choose_system: SystemHardwarer = any_machine


@record
class SystemPool:
    """Machines for Pods that no compute class sizes: heads of Ray clusters, what starts runs, the registry, add-ons.

    A cloud creates them; of an existing cluster it is the declared machine that these Pods get.
    """

    hardware: Hardware


@record
class NodePool:
    """Machines for one compute class, on a placement that creates machines: the labels and taints for its Pods."""

    compute: str  # class name
    hardware: Hardware

    @property
    def groups(self) -> tuple[NodeGroup, ...]:
        """The groups in the order in which they are tried; none if the class is elastic."""
        return self.hardware.groups

    @property
    def elastic(self) -> bool:
        """Whether any machine that is big enough will do, the cheapest at that time."""
        return self.hardware.elastic
