"""What a target lowers to: projects made of values, before any of it is text.

Everything that can be large is a function that makes it when it is written, so that the manifests of ten thousand
workloads never lie in memory at once. Called twice, such a function gives the same thing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from modelyard.program import Program
from modelyard.records import field, record

Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | None"
"""Plain data that only gets read: JSON values, where a tuple is a list too and any mapping an object."""

Manifest: TypeAlias = Mapping[str, Value]
"""One Kubernetes object, keys in the order in which they are printed."""


@record
class ManifestFile:
    """`manifests/<name>.yaml`: the objects of one workload, in the order in which they are applied."""

    name: str
    documents: Callable[[], Iterable[Manifest]]


@record
class TextFile:
    """A file that is prose or source of our own, at a path relative to the folder of the target."""

    path: str
    text: Callable[[], str]


@record
class Project:
    """One Pulumi project.

    folder is where it lies in the target's folder, such as `workloads`. components are the modules of
    `modelyard_stacks` that the program needs beside it, with dots where they lie deeper: `aws.network`. requirements
    are lines of `requirements.txt`. settings are the stack's configuration: keys without the project's name.
    """

    folder: str
    name: str
    description: str
    program: Program
    components: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    settings: Mapping[str, Value] = field(default_factory=dict[str, Value])
    manifests: Iterable[ManifestFile] = ()


@record
class Stack:
    """All that comes out for one target of one environment, in the order in which it is applied."""

    environment: str
    target: str
    projects: tuple[Project, ...]
    texts: tuple[TextFile, ...] = ()
