"""The description mounted into this Pod, as a record."""

from __future__ import annotations

from modelyard_runtime.workload.description import description
from modelyard_runtime.workload.records import Workload, workload_of


def mounted_workload() -> Workload:
    """The workload of this Pod; refused if its description does not match the records of this runtime."""
    return workload_of(description())
