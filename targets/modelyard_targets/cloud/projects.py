"""The names of a cloud target's infrastructure projects, and how roles are divided among them."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final, TypeVar

from modelyard.plan import Payload, Resource
from modelyard.spec import System
from modelyard_targets.kube.data.crossing import infrastructure_project
from modelyard_targets.kube.project.homes import AIM, home

_FOLDER: Final = "infrastructure"
_V = TypeVar("_V", bound=Payload)


def project_name(system: System, placement: str, at: int = 0) -> str:
    """Return the name of an infrastructure project. All projects except the first have a number."""
    return infrastructure_project(system, placement) + ("" if at == 0 else f"-{at + 1}")


def folder_name(at: int) -> str:
    """Return a project's folder: `infrastructure`, `infrastructure-2` and so on."""
    return _FOLDER if at == 0 else f"{_FOLDER}-{at + 1}"


def split_roles(roles: Sequence[Resource[_V]], each: int, others: int) -> tuple[tuple[Resource[_V], ...], ...]:
    """Divide roles among projects by workload name. The first project also contains everything else.

    Each role consists of `each` Pulumi resources, and there are at most `others` other resources.
    """
    projects = max(1, ceil((others + len(roles) * each) / AIM))
    batches: list[list[Resource[_V]]] = [[] for _ in range(projects)]
    for resource in roles:
        batches[home(resource.name, projects)].append(resource)
    return tuple(tuple(batch) for batch in batches)
