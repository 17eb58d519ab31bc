"""Registers the resources of all infrastructure projects of a system."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from modelyard.emit import emit
from tests.examples import Example
from tests.stacks.programs import Registration, registrations


def registered_systems(systems: Sequence[Example], folder: Path) -> dict[str, list[Registration]]:
    """Return each infrastructure project's registered resources by project name, e.g. `hello-gcp-main`.

    A target's additional projects are numbered, e.g. `hello-gcp-main-2`.
    """
    projects = {name: path for system in systems for name, path in _written(system, folder).items()}
    return dict(zip(projects, registrations(*projects.values()), strict=True))


def _written(system: Example, folder: Path) -> dict[str, Path]:
    """Write the infrastructure projects of a system, and return their folders."""
    outcome = system.compiled()
    assert not outcome.failed, outcome.diagnostics
    folders: dict[str, Path] = {}
    for stack in outcome.stacks:
        root = folder / f"{system}-{stack.target}"
        for file in emit(stack):
            path = root / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.render())
        for project in stack.projects:
            if project.folder.startswith("infrastructure"):
                (path,) = root.rglob(f"{project.folder}/Pulumi.yaml")
                folders[f"{root.name}{project.folder.removeprefix('infrastructure')}"] = path.parent
    return folders
