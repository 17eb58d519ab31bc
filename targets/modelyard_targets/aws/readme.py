"""The README of a target in AWS: what was emitted, in which order to apply it, what it costs and how to undo it."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.stack import Project, TextFile
from modelyard_targets.cluster.context import Context
from modelyard_targets.cluster.readme import texts_of as texts_of_workloads
from modelyard_targets.cluster.workloads_project import Workloads


def texts_of(context: Context, infrastructure: Sequence[Project], workloads: Workloads) -> tuple[TextFile, ...]:
    """README and, where a cluster pulls from a mirror, the list of images."""
    return texts_of_workloads(context, workloads)
