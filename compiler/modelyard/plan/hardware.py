"""Machines in the plan: the choice for each workload, alternatives with reasons, and the resulting pools."""

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
    """A machine that was considered for a compute class. The price is per hour, or None if unknown."""

    machine: str
    price_hourly: float | None
    why: str


@record
class NodeGroup:
    """A group of machines in a node pool, any of which can be used. The price is that of the first machine.

    All machines have the same number of the same accelerator, and at least the resources of the first machine.
    """

    machines: tuple[str, ...]  # instance types of the provider
    spot: bool
    accelerator: Accelerator | None  # of the machine, not what a Pod requests
    price_hourly: float | None
    arch: str = "amd64"  # amd64 arm64


@record
class Fallback:
    """Machines, selected by labels, for Pods whose preferred machines are not available."""

    machine: str
    selector: tuple[tuple[str, str], ...]


@record
class PassedOver:
    """An alternative in a class's `accelerators`, by position, that the class does not get, with the reason."""

    position: int
    accelerator: Accelerator
    why: str


@record
class Smaller:
    """A much cheaper machine that a Pod narrowly misses, and the requests with which the Pod would fit."""

    machine: str
    price_hourly: float
    cpu_millis: int
    memory_bytes: int


@record
class Hardware:
    """A compute class's requests for a Pod on a placement, and the chosen machine."""

    compute: str  # class name
    cpu_millis: int
    memory_bytes: int
    disk_bytes: int | None
    accelerator: Accelerator | None
    machine: str  # the machine's name on the target: an instance type, or `capacity[0]`
    spot: bool
    selector: tuple[tuple[str, str], ...]
    tolerations: tuple[Taint, ...]
    price_hourly: float | None
    considered: tuple[Candidate, ...]  # the chosen machine, then the next best
    accelerator_resource: str = ""  # the resource that Pods request, such as nvidia.com/gpu
    groups: tuple[NodeGroup, ...] = ()  # created for this class and tried in this order
    elastic: bool = False  # any machine that is large enough is created on demand
    any_of: tuple[str, ...] = ()  # names of machines that are large enough, for an elastic class
    passed_over: tuple[PassedOver, ...] = ()
    smaller: Smaller | None = None
    fallback: Fallback | None = None  # used if the chosen machine is reclaimed or full


class Hardwarer(Protocol):
    """Chooses a machine for a compute class, or explains why none fits and names the closest machine."""

    def __call__(self, compute: ComputeClass, target: TargetSpec) -> Hardware | str: ...


class SystemHardwarer(Protocol):
    """Chooses the machine for Pods without a compute class, or returns None if the scheduler decides where they run."""

    def __call__(self, system: System, target: TargetSpec) -> Hardware | None: ...


def any_machine(system: System, target: TargetSpec) -> Hardware | None:
    """Return None, so that the scheduler decides where Pods run."""
    return None


def namespace_of_system(system: System) -> str:
    """Name the namespace after the system only, for providers whose environments have separate clusters."""
    return system.metadata.name


def as_chosen(hardware: Hardware, system: System) -> Hardware:
    """Return the same hardware, for clusters whose machines belong to one system."""
    return hardware


@record
class Offer:
    """The information about a target that the planner needs.

    This includes the target's machines, the add-ons that each kind of resource needs, the kinds that exist outside the
    cluster, and the gateway class that the add-ons provide. On an existing cluster, all kinds are in the cluster, and
    the gateway classes are the cluster's own. `mark` sets the labels and taints of a class's machines, which have to
    differ from those of other systems if they share a cluster.
    """

    choose: Hardwarer
    addons: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict[Kind, tuple[str, ...]])
    apart: frozenset[Kind] = frozenset()
    gateway_class: str = ""
    choose_system: SystemHardwarer = any_machine
    namespace: Callable[[System], str] = namespace_of_system  # if the spec names none
    mark: Callable[[Hardware, System], Hardware] = as_chosen


@record
class SystemPool:
    """Machines for Pods without a compute class: Ray cluster heads, run starters, the registry and add-ons.

    In a cloud, these machines are created. On an existing cluster, this is the declared machine for these Pods.
    """

    hardware: Hardware


@record
class NodePool:
    """Machines for a compute class on a placement that creates machines, with labels and taints for its Pods."""

    compute: str  # class name
    hardware: Hardware

    @property
    def groups(self) -> tuple[NodeGroup, ...]:
        """The groups in the order of attempts. Elastic classes have no groups."""
        return self.hardware.groups

    @property
    def elastic(self) -> bool:
        """Whether any machine that is large enough can be used. The cheapest at that time is created."""
        return self.hardware.elastic
