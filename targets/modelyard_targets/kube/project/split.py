"""Split a project with more than about two thousand resources, which is as much as Pulumi handles well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Final

from modelyard.plan import Kind, ModelServer, of_type
from modelyard_targets.kube.project.files import FIRST, File
from modelyard_targets.kube.project.homes import AIM, home

_OBJECTS: Final[Mapping[Kind, int]] = {
    Kind.IDENTITY: 3,
    Kind.MODEL_SERVER: 6,
    Kind.TRAINING_JOB: 7,
    Kind.BATCH_JOB: 7,
    Kind.CUSTOM_JOB: 7,
    Kind.MONITOR: 3,
    Kind.PROMOTER: 3,
    Kind.STARTER: 4,
}
"""The maximum number of objects for each kind of resource. Every other kind has one object."""


def split(files: Sequence[File]) -> tuple[tuple[File, ...], ...]:
    """Divide the files among projects. The first project contains all files that others depend on.

    Moving an object to another project means deleting and recreating it. With jump consistent hashing by file name,
    only the files that end up in an added project move.
    """
    workloads = [file for file in files if file.name not in FIRST]
    projects = max(1, ceil(_objects(workloads) / AIM))
    batches: list[list[File]] = [[] for _ in range(projects)]
    batches[0] += [file for file in files if file.name in FIRST]
    for file in workloads:
        batches[home(file.name, projects)].append(file)
    return tuple(tuple(batch) for batch in batches)


def _objects(files: Sequence[File]) -> int:
    """Return the maximum number of Kubernetes objects, counting a disruption budget per server worker group."""
    resources = [resource for file in files for resource in file.resources]
    kinds = Counter(resource.kind for resource in resources)
    groups = sum(len(server.value.applications) - 1 for server in of_type(resources, ModelServer))
    return sum(_OBJECTS.get(kind, 1) * count for kind, count in kinds.items()) + groups
