"""Resolve named and inline compute classes."""

from __future__ import annotations

from modelyard import units
from modelyard.diagnostics import resolve as problems
from modelyard.nodes import Node, NotValidatedError, as_node, flag, named_nodes, text, texts
from modelyard.resolve.quantities import cpu, size
from modelyard.resolve.scope import Scope, bound
from modelyard.source import Path
from modelyard.spec import Accelerator, ComputeClass

# The CPU and memory for each accelerator in a short form such as `compute: L4:1`.
_CPU_MILLIS = 8000
_MEMORY_BYTES = 32 * 1024**3

_MONITORS = ComputeClass("monitors-default", ("monitors",), cpu_millis=1000, memory_bytes=2 * 1024**3)


def resolve_compute(scope: Scope) -> dict[str, ComputeClass]:
    """Resolve the named classes in the `compute` section."""
    return {name: _class(scope, name, node, ("compute", name)) for name, node in named_nodes(scope.root, "compute")}


def compute_of(scope: Scope, node: Node, path: Path, inline_name: str, default: str = "") -> str:
    """Return the name of the compute class in a `compute` field. An inline class gets the name `inline_name`."""
    value = node.get("compute")
    if value is None:
        return default
    place = (*path, "compute")
    if not isinstance(value, str):
        return _inline(scope, _class(scope, inline_name, as_node(value, "compute"), place))
    if ":" not in value:
        return bound(scope, "compute", value, place)
    accelerator = accelerator_of(value)
    memory = accelerator.count * _MEMORY_BYTES
    return _inline(scope, ComputeClass(inline_name, place, accelerator.count * _CPU_MILLIS, memory, (accelerator,)))


def needed_compute(scope: Scope, compute: str, path: Path) -> str:
    """Return a compute class's name. Reports an error if neither the step or variant nor its parent names one."""
    if not compute:
        scope.report(problems.no_compute(scope.document.key_span(path), str(path[-1])))
    return compute


def compute_of_monitor(scope: Scope, node: Node, path: Path, inline_name: str) -> str:
    """Return the name of a monitor's compute class. Monitors without a `compute` field share a small class."""
    name = compute_of(scope, node, path, inline_name)
    return name or _inline(scope, _MONITORS)


def _class(scope: Scope, name: str, node: Node, path: Path) -> ComputeClass:
    listed = node.get("accelerators")
    if isinstance(listed, str):
        accelerators: tuple[Accelerator, ...] = (accelerator_of(listed),)
    else:
        accelerators = tuple(accelerator_of(value) for value in texts(node, "accelerators"))
    return ComputeClass(
        name=name,
        path=path,
        cpu_millis=cpu(scope, node, "cpu", path),
        memory_bytes=size(scope, node, "memory", path) or 0,
        accelerators=accelerators,
        accelerator_memory_bytes=size(scope, node, "acceleratorMemory", path),
        capacity=text(node, "capacity", "on-demand"),
        disk_bytes=size(scope, node, "disk", path),
        elastic=flag(node, "elastic", default=False),
    )


def accelerator_of(value: str) -> Accelerator:
    """Expand `L4:1` into the schema's long form."""
    parts = units.accelerator(value)
    if parts is None:
        raise NotValidatedError("accelerators")
    return Accelerator(*parts)


def _inline(scope: Scope, compute_class: ComputeClass) -> str:
    """Register an inline compute class. Its name must be unique, because Pods find their hardware by it."""
    earlier = scope.inline.setdefault(compute_class.name, compute_class)
    if earlier.path != compute_class.path or compute_class.name in scope.names["compute"]:
        scope.report(
            problems.inline_class_meets_another(scope.document.value_span(compute_class.path), compute_class.name)
        )
    return compute_class.name
