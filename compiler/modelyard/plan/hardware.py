"""Machine types in the plan: the choice for each workload, the rejected alternatives, and the resulting node pools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from modelyard.plan.kinds import Kind
from modelyard.records import field, record
from modelyard.spec import Accelerator, ComputeClass, System, Taint, TargetSpec

SYSTEM_POOL: Final = "system"
"""The node pool for Pods without a compute class. A compute class with its own nodes cannot have this name."""


@record
class Candidate:
    """A machine type considered for a compute class. Its hourly price is None if unknown."""

    machine: str
    price_hourly: float | None
    why: str


@record
class NodeGroup:
    """A group of interchangeable machine types in a node pool, priced like the first type.

    All types have the same number of the same accelerator, and at least the first type's resources.
    """

    machines: tuple[str, ...]  # the provider's instance types
    spot: bool
    accelerator: Accelerator | None  # the machine's accelerators, not the Pod's request
    price_hourly: float | None
    arch: str = "amd64"  # amd64 arm64
    price_note: str = ""  # why the price is not that of the capacity type or of the region


@record
class Fallback:
    """The machine type, selected by node labels, that Pods use if their preferred type isn't available."""

    machine: str
    selector: tuple[tuple[str, str], ...]


@record
class PassedOver:
    """An unused entry of a compute class's `accelerators` list, with its position and the reason."""

    position: int
    accelerator: Accelerator
    why: str


@record
class Smaller:
    """A much cheaper machine type that is slightly too small for a Pod, and the requests that would fit it."""

    machine: str
    price_hourly: float
    cpu_millis: int
    memory_bytes: int


@record
class Hardware:
    """What a compute class requests for a Pod on a target, and the machine type chosen for it."""

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
    considered: tuple[Candidate, ...]  # the chosen machine, then the next best ones
    accelerator_resource: str = ""  # the resource that Pods request, such as nvidia.com/gpu
    groups: tuple[NodeGroup, ...] = ()  # created for this class and tried in this order
    elastic: bool = False  # any sufficiently large machine is created on demand
    any_of: tuple[str, ...] = ()  # names of sufficiently large machines, for an elastic class
    passed_over: tuple[PassedOver, ...] = ()
    smaller: Smaller | None = None
    fallback: Fallback | None = None  # used if the chosen machine is reclaimed or full


@record
class NoMachine:
    """The reason why no machine fits a compute class.

    If the class names an accelerator that does not exist, `position` is its position among the class's alternatives.
    """

    reason: str
    position: int | None = None
    hint: str = ""


class Hardwarer(Protocol):
    """Chooses a machine type for a compute class, or explains why none fits and names the closest one."""

    def __call__(self, compute: ComputeClass, target: TargetSpec) -> Hardware | NoMachine: ...


class SystemHardwarer(Protocol):
    """Chooses the machine type for Pods without a compute class, or returns None to let the scheduler decide."""

    def __call__(self, system: System, target: TargetSpec) -> Hardware | None: ...


def any_machine(system: System, target: TargetSpec) -> Hardware | None:
    """Return None so that the Kubernetes scheduler decides where Pods run."""
    return None


def namespace_of_system(system: System) -> str:
    """Name the namespace after the system alone, for providers that give each environment its own clusters."""
    return system.metadata.name


def as_chosen(hardware: Hardware, system: System) -> Hardware:
    """Return the hardware unchanged, for clusters that belong to a single system."""
    return hardware


@record
class Offer:
    """What the planner needs to know about a target.

    This includes its machine types, the add-ons that each kind of resource needs, the kinds that exist outside the
    cluster, and the GatewayClass that the add-ons provide. On an existing cluster, all resources are in the cluster,
    and the GatewayClasses are the cluster's own. `mark` sets the labels and taints of a compute class's machines, which
    must differ between systems that share a cluster.
    """

    choose: Hardwarer
    addons: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict[Kind, tuple[str, ...]])
    apart: frozenset[Kind] = frozenset()
    gateway_class: str = ""
    choose_system: SystemHardwarer = any_machine
    namespace: Callable[[System], str] = namespace_of_system  # used if the spec does not name one
    mark: Callable[[Hardware, System], Hardware] = as_chosen


@record
class SystemPool:
    """The machine pool for Pods without a compute class: Ray cluster heads, run starters, the registry and add-ons.

    In a cloud, modelyard creates these machines. On an existing cluster, the machines declared for these Pods are used.
    """

    hardware: Hardware


@record
class NodePool:
    """A pool of machines that modelyard creates for a compute class on a target, with the class's labels and taints."""

    compute: str  # class name
    hardware: Hardware

    @property
    def groups(self) -> tuple[NodeGroup, ...]:
        """The node groups, in the order they are tried. Elastic compute classes have none."""
        return self.hardware.groups

    @property
    def elastic(self) -> bool:
        """Whether any large enough machine type may be used, i.e. the cheapest one when a node is created."""
        return self.hardware.elastic
