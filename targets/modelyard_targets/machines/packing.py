"""Pack Pods onto machines using first fit, largest first. Identical Pods are grouped, as are identical machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from modelyard.plan import Hardware
from modelyard.records import record
from modelyard.source import Path
from modelyard.spec import Machines, Taint
from modelyard_targets.machines.accelerators import known

CPU: Final = "cpu"
MEMORY: Final = "memory"


@record
class Shape:
    """A Pod's requests and the machines it may run on, as positions in `capacity` in order of preference."""

    amounts: tuple[tuple[str, int], ...]  # resource, amount: millicores, bytes, devices
    machines: tuple[int, ...]


@record
class Pods:
    """Identical Pods, with the spec line that requests them."""

    count: int
    shape: Shape
    origin: Path
    what: str


@record
class Packed:
    """The number of machines in use by position in `capacity`, and the first Pods that didn't fit, if any."""

    used: Mapping[int, int]
    homeless: Pods | None


class Floor:
    """A target's machines, with a look-up of the machines that a Pod may use."""

    def __init__(self, capacity: Sequence[Machines]) -> None:
        self.capacity = capacity
        self.sizes = [_size(machine) for machine in capacity]
        self._places: dict[tuple[object, ...], tuple[int, ...]] = {}

    def shape_of(self, hardware: Hardware) -> Shape:
        """Return the shape of a compute class's Pods."""
        amounts = {CPU: hardware.cpu_millis, MEMORY: hardware.memory_bytes}
        if hardware.accelerator is not None:
            amounts[hardware.accelerator_resource] = hardware.accelerator.count
        shape = self.shape(amounts, hardware.selector, hardware.tolerations, hardware.machine)
        if hardware.fallback is None:
            return shape
        behind = self.shape(amounts, hardware.fallback.selector, hardware.tolerations, hardware.fallback.machine)
        return Shape(shape.amounts, tuple(dict.fromkeys((*shape.machines, *behind.machines))))

    def shape(
        self,
        amounts: Mapping[str, int],
        selector: tuple[tuple[str, str], ...] = (),
        tolerations: tuple[Taint, ...] = (),
        preferred: str = "",
    ) -> Shape:
        """Return the shape of a Pod with the given requests.

        The selector and tolerations determine which machines it may run on.
        """
        places = self._allowed(selector, tolerations)
        first = [at for at in places if preferred == f"capacity[{at}]"]
        return Shape(tuple(amounts.items()), (*first, *(at for at in places if at not in first)))

    def fitting(self, shape: Shape) -> int:
        """Return how many Pods of a shape fit on empty machines."""
        return sum(self.capacity[at].count * _times(self.sizes[at], shape) for at in shape.machines)

    def _allowed(self, selector: tuple[tuple[str, str], ...], tolerations: tuple[Taint, ...]) -> tuple[int, ...]:
        key = (selector, tolerations)
        if key not in self._places:
            required = set(selector)
            self._places[key] = tuple(
                at
                for at, machine in enumerate(self.capacity)
                if required <= set(machine.labels) and _tolerated(machine, tolerations)
            )
        return self._places[key]


def pack(groups: Sequence[Pods], floor: Floor) -> Packed:
    """Pack all Pods, trying several sort orders since first fit may fail in one but succeed in another."""
    gathered = tuple(_gathered(groups))
    first: Packed | None = None
    for order in (_by_largest_share, _by_memory, _by_cpu):
        packed = _first_fit(sorted(gathered, key=lambda pods: order(pods, floor), reverse=True), floor)
        if packed.homeless is None:
            return packed
        first = first or packed
    assert first is not None
    return first


def _gathered(groups: Sequence[Pods]) -> Iterator[Pods]:
    """Merge Pods of the same shape into one group, keeping the spec line that requests the most of them."""
    counts: dict[Shape, int] = {}
    largest: dict[Shape, Pods] = {}
    for pods in groups:
        counts[pods.shape] = counts.get(pods.shape, 0) + pods.count
        if pods.shape not in largest or pods.count > largest[pods.shape].count:
            largest[pods.shape] = pods
    for shape, pods in largest.items():
        yield Pods(counts[shape], shape, pods.origin, pods.what)


def _by_largest_share(pods: Pods, floor: Floor) -> tuple[int, float]:
    """Sort by fewest possible machines, then by the largest share of a machine."""
    room = [floor.sizes[at] for at in pods.shape.machines]
    parts = (amount / max(1, *(size.get(what, 0) for size in room)) for what, amount in pods.shape.amounts)
    return -len(room), max(parts) if room else 0.0


def _by_memory(pods: Pods, floor: Floor) -> tuple[int, float]:
    return -len(pods.shape.machines), float(dict(pods.shape.amounts)[MEMORY])


def _by_cpu(pods: Pods, floor: Floor) -> tuple[int, float]:
    return -len(pods.shape.machines), float(dict(pods.shape.amounts)[CPU])


@record
class _Room:
    """Identical machines with the same free resources."""

    count: int
    free: Mapping[str, int]
    fresh: bool


def _first_fit(groups: Sequence[Pods], floor: Floor) -> Packed:
    rooms = {
        at: [_Room(machine.count, size, True)]
        for at, (machine, size) in enumerate(zip(floor.capacity, floor.sizes, strict=True))
    }
    homeless: Pods | None = None
    for pods in groups:
        left = pods.count
        for at in pods.shape.machines:
            left, rooms[at] = _fill(rooms[at], pods.shape, left)
            if not left:
                break
        if left and homeless is None:
            homeless = Pods(left, pods.shape, pods.origin, pods.what)
    fresh = {at: sum(room.count for room in machine_rooms if room.fresh) for at, machine_rooms in rooms.items()}
    return Packed({at: floor.capacity[at].count - count for at, count in fresh.items()}, homeless)


def _fill(rooms: list[_Room], shape: Shape, count: int) -> tuple[int, list[_Room]]:
    """Place Pods of a shape, preferring machines that are already in use.

    Returns the number of remaining Pods and the updated machines.
    """
    after: list[_Room] = []
    for room in sorted(rooms, key=lambda room: room.fresh):
        each = _times(room.free, shape) if count else 0
        if not each:
            after.append(room)
            continue
        full = min(room.count, count // each)
        rest = min(count - full * each, each) if full < room.count else 0
        if full:
            after.append(_Room(full, _less(room.free, shape, each), False))
        if rest:
            after.append(_Room(1, _less(room.free, shape, rest), False))
        untouched = room.count - full - (1 if rest else 0)
        if untouched:
            after.append(_Room(untouched, room.free, room.fresh))
        count -= full * each + rest
    return count, after


def _times(free: Mapping[str, int], shape: Shape) -> int:
    """Return how many Pods of a shape fit into the free resources."""
    return min(free.get(what, 0) // amount for what, amount in shape.amounts if amount)


def _less(free: Mapping[str, int], shape: Shape, count: int) -> dict[str, int]:
    requested = dict(shape.amounts)
    return {what: amount - count * requested.get(what, 0) for what, amount in free.items()}


def _size(machine: Machines) -> dict[str, int]:
    """Return a machine's capacity by resource."""
    size = {CPU: machine.cpu_millis, MEMORY: machine.memory_bytes}
    accelerator = known(machine.accelerator.name) if machine.accelerator is not None else None
    if machine.accelerator is not None and accelerator is not None:
        size[accelerator.resource] = machine.accelerator.count
    return size


def _tolerated(machine: Machines, tolerations: tuple[Taint, ...]) -> bool:
    """Return whether the tolerations cover a machine's taints. A toleration without a value matches any value."""
    return all(
        taint.effect == "PreferNoSchedule"
        or any(toleration.key == taint.key and toleration.value in ("", taint.value) for toleration in tolerations)
        for taint in machine.taints
    )
