"""Loads the description mounted in this Pod as a record."""

from __future__ import annotations

from modelyard_runtime.workload.description import description
from modelyard_runtime.workload.records import Workload, workload_of


def mounted_workload() -> Workload:
    """Load this Pod's workload, refusing descriptions that don't match this runtime's records."""
    return workload_of(description())
