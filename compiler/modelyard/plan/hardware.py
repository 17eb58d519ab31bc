"""Machines in the plan: the choice for each workload, the alternatives with reasons, and the resulting pools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from modelyard.plan.kinds import Kind
from modelyard.records import field, record
from modelyard.spec import Accelerator, ComputeClass, System, Taint, TargetSpec

SYSTEM_POOL: Final = "system"
"""The pool for Pods without a compute class. A class with its own nodes may not have this name."""


@record
class Candidate:
    """A machine considered for a compute class. Its price is per hour, or None if not declared."""

    machine: str
    price_hourly: float | None
    why: str


@record
class NodeGroup:
    """Machines of a node pool: any of `machines` can be used, and the price is the first one's.

    All have the same number of the same accelerator, and at least the resources of the first.
    """

    machines: tuple[str, ...]  # instance types of the provider
    spot: bool
    accelerator: Accelerator | None  # of one machine, not what a Pod requests
    price_hourly: float | None
    arch: str = "amd64"  # amd64 arm64


@record
class Fallback:
    """Machines, selected by labels, for Pods whose preferred machines are unavailable."""

    machine: str
    selector: tuple[tuple[str, str], ...]


@record
class PassedOver:
    """An alternative in a class's `accelerators`, by position, that no Pod of the class will get, and why."""

    position: int
    accelerator: Accelerator
    why: str


@record
class Smaller:
    """A much cheaper machine that a Pod just misses, and the requests with which the Pod would fit."""

    machine: str
    price_hourly: float
    cpu_millis: int
    memory_bytes: int


@record
class Hardware:
    """The requests of a compute class's Pod on its placement, and the chosen machine."""

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
    groups: tuple[NodeGroup, ...] = ()  # if the target creates machines: created for this class and tried in this order
    elastic: bool = False  # any machine that is big enough, created on demand
    any_of: tuple[str, ...] = ()  # of an elastic class: the machines that are big enough, by name
    passed_over: tuple[PassedOver, ...] = ()
    smaller: Smaller | None = None
    fallback: Fallback | None = None  # used when the choice is reclaimed or full


class Hardwarer(Protocol):
    """Chooses a machine for a compute class, or explains why none fits (naming the closest)."""

    def __call__(self, compute: ComputeClass, target: TargetSpec) -> Hardware | str: ...


class SystemHardwarer(Protocol):
    """Chooses the machine for Pods without a compute class; None if the scheduler decides where they run."""

    def __call__(self, system: System, target: TargetSpec) -> Hardware | None: ...


def any_machine(system: System, target: TargetSpec) -> Hardware | None:
    """Choose no machine, so that the scheduler decides."""
    return None


def namespace_of_system(system: System) -> str:
    """Name the namespace after the system alone: elsewhere a cluster keeps environments apart."""
    return system.metadata.name


@record
class Offer:
    """What the planner needs to know about a target.

    This includes its machines, the add-ons that each kind of resource needs, the kinds that exist outside its cluster,
    and the gateway class that its add-ons provide. On an existing cluster, no kind is outside it, and the gateway
    classes are the cluster's own.
    """

    choose: Hardwarer
    addons: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict[Kind, tuple[str, ...]])
    apart: frozenset[Kind] = frozenset()
    gateway_class: str = ""
    choose_system: SystemHardwarer = any_machine
    namespace: Callable[[System], str] = namespace_of_system  # where the spec names none


@record
class SystemPool:
    """Machines for Pods without a compute class: Ray cluster heads, run starters, the registry and add-ons.

    In a cloud, these machines are created. On an existing cluster, this is the declared machine that the Pods get.
    """

    hardware: Hardware


@record
class NodePool:
    """Machines for one compute class on a placement that creates machines, with labels and taints for its Pods."""

    compute: str  # class name
    hardware: Hardware

    @property
    def groups(self) -> tuple[NodeGroup, ...]:
        """The groups in the order of attempts; none if the class is elastic."""
        return self.hardware.groups

    @property
    def elastic(self) -> bool:
        """Whether any machine that is big enough can be used, the cheapest at that time."""
        return self.hardware.elastic
