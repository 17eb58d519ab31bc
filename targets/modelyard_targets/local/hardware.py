"""The machine for a compute class, which is always the local machine."""

from __future__ import annotations

from modelyard.plan import Hardware
from modelyard.spec import ComputeClass, TargetSpec


def choose(compute: ComputeClass, target: TargetSpec) -> Hardware:
    """Return the compute class as declared. `modelyard run` scales it later, as only that command knows the machine."""
    return Hardware(
        compute=compute.name,
        cpu_millis=compute.cpu_millis,
        memory_bytes=compute.memory_bytes,
        disk_bytes=compute.disk_bytes,
        accelerator=compute.accelerators[0] if compute.accelerators else None,
        machine="this machine",
        spot=False,
        selector=(),
        tolerations=(),
        price_hourly=None,
        considered=(),
    )
