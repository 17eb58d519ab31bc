"""Several projects where one would grow past what Pulumi carries well: about two thousand resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Final

from modelyard.plan import Kind, ModelServer, Resource
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
"""The most objects that a resource becomes; of other kinds it is one."""


def split(files: Sequence[File]) -> tuple[tuple[File, ...], ...]:
    """The files of each project, in order. The first holds what the others stand on.

    Which project a file goes to depends on its name and on the number of projects alone, and one project more takes
    only its share from the others (jump consistent hashing): nothing else moves, since to move is to be removed and
    made again.
    """
    workloads = [file for file in files if file.name not in FIRST]
    projects = max(1, ceil(sum(_objects(file.resources) for file in workloads) / AIM))
    held: list[list[File]] = [[] for _ in range(projects)]
    held[0] += [file for file in files if file.name in FIRST]
    for file in workloads:
        held[home(file.name, projects)].append(file)
    return tuple(tuple(found) for found in held)


def _objects(resources: Iterable[Resource]) -> int:
    return sum(_OBJECTS.get(resource.kind, 1) + _groups(resource) for resource in resources)


def _groups(resource: Resource) -> int:
    """A shared server has a disruption budget for each group of workers."""
    return len(resource.value.applications) - 1 if isinstance(resource.value, ModelServer) else 0
