"""Split a project with more than about two thousand resources, the most that Pulumi handles well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Final

from modelyard.plan import ByType, Kind, ModelServer, Resource
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
"""The maximum number of objects for each kind of resource. Other kinds have one object."""


def split(files: Sequence[File]) -> tuple[tuple[File, ...], ...]:
    """Divide the files among projects. The first project has all files that other files depend on.

    Moving an object to another project means deleting and recreating it. With jump consistent hashing by file name,
    only the files of an additional project move.
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


def _no_more(resource: Resource) -> int:
    return 0


def _of_server(resource: Resource[ModelServer]) -> int:
    return len(resource.value.applications) - 1


_groups: Final = ByType(_no_more).case(ModelServer, _of_server)
"""Return how many additional disruption budgets a shared server may have: one for each worker group."""
