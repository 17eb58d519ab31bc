"""The result of lowering a target: projects as values, before they are rendered as text.

Large items are functions that are only called when a file is written, so the manifests of ten thousand workloads are
never all in memory at once. These functions return the same result every time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from modelyard.program import Program
from modelyard.records import field, record

Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | None"
"""Read-only plain data: JSON values, with tuples allowed as lists and any mapping as an object."""

Manifest: TypeAlias = Mapping[str, Value]
"""A Kubernetes object, with keys in the order in which they are printed."""


@record(frozen=False)
class Facts:
    """Facts collected while rendering one file, for use in others. They must be picklable."""

    value: object = None


@record
class ManifestFile:
    """A workload's objects in `manifests/<name>.yaml`, in the order in which they are applied.

    `owner` is the workload's address in the spec, such as `inference.scorer`, if all objects belong to a single
    workload. `facts` are set once `documents` is exhausted.
    """

    name: str
    documents: Callable[[], Iterable[Manifest]]
    owner: str = ""
    facts: Facts | None = None


@record
class TextFile:
    """A prose or source code file. The path is relative to the target's folder."""

    path: str
    text: Callable[[], str]


@record
class Project:
    """A Pulumi project.

    `folder` is the path within the target's folder, such as `workloads`. `components` lists the modules of
    `modelyard_stacks` that the program needs next to it, such as `aws.network`. `requirements` holds the lines of
    `requirements.txt`. `settings` is the stack's configuration, with keys that don't include the project name. If a
    project has several stacks, `stacks` maps each stack's name to its settings. Otherwise, its only stack is named
    after the environment.
    """

    folder: str
    name: str
    description: str
    program: Program
    components: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    settings: Mapping[str, Value] = field(default_factory=dict[str, Value])
    stacks: Mapping[str, Mapping[str, Value]] = field(default_factory=dict[str, "Mapping[str, Value]"])
    manifests: Iterable[ManifestFile] = ()


@record
class Stack:
    """The complete output for a target in an environment, with projects in the order in which they are applied."""

    environment: str
    target: str
    projects: tuple[Project, ...]
    texts: tuple[TextFile, ...] = ()
