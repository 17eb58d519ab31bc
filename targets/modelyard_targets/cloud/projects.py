"""The projects that make a target in a cloud: their names, and which roles each of several makes."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final

from modelyard.plan import Resource
from modelyard.spec import System
from modelyard_targets.kube.data.crossing import infrastructure_project
from modelyard_targets.kube.project.homes import AIM, home

_FOLDER: Final = "infrastructure"


def project_name(system: System, placement: str, at: int = 0) -> str:
    """The project of the infrastructure, or one of several."""
    return infrastructure_project(system, placement) + ("" if at == 0 else f"-{at + 1}")


def folder_name(at: int) -> str:
    """The folder of a project: `infrastructure`, then `infrastructure-2` and so on."""
    return _FOLDER if at == 0 else f"{_FOLDER}-{at + 1}"


def split_roles(roles: Sequence[Resource], each: int, others: int) -> tuple[tuple[Resource, ...], ...]:
    """The roles that each project makes, by the names of their workloads; the first project makes everything else.

    `each` is how many resources of Pulumi a role comes to, and `others` how many everything else does, at most.
    """
    projects = max(1, ceil((others + len(roles) * each) / AIM))
    held: list[list[Resource]] = [[] for _ in range(projects)]
    for resource in roles:
        held[home(resource.name, projects)].append(resource)
    return tuple(tuple(found) for found in held)
