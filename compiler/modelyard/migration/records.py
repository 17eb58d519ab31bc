"""A migration's phases: their preconditions, what to do, how to check it, and how to undo it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from modelyard.handover import CopyJob, Handover
from modelyard.migration.judging import Judgement
from modelyard.migration.sides import Side, Sides
from modelyard.records import field, record
from modelyard.stack import Manifest, Project
from modelyard.stack import Stack as TargetStack

BUILD: Final = "build"
"""The folder of compiled projects next to the spec, where commands expect them."""


@record
class InCluster:
    """Commands that run a step as Jobs in a cluster instead of on the machine of the person running the plan."""

    text: str
    commands: tuple[str, ...]


@record
class Step:
    """Something that a person does or checks, with the shell commands for it, one per line."""

    text: str
    commands: tuple[str, ...] = ()
    expect: str = ""  # for a check: what the commands print if everything is in order
    in_cluster: InCluster | None = None


@record
class Phase:
    """A phase of a migration. Every phase can be repeated, and all except the last can be reverted with `undo`."""

    name: str  # such as 1-build
    purpose: str
    before: tuple[str, ...]
    do: tuple[Step, ...]
    check: tuple[Step, ...]
    undo: tuple[Step, ...]
    takes: str
    costs: str
    overlay: str = ""  # the text of environment.yaml that this phase needs
    files: Mapping[str, str] = field(default_factory=dict[str, str])  # other files in the phase's folder, with text


@record
class Migration:
    """A whole migration plan: the two sides, the assessment, and the phases in order."""

    sides: Sides
    judgement: Judgement
    phases: tuple[Phase, ...]


@record
class Move:
    """The input from which the phases are derived. Handovers are keyed by side (`old` and `new`) and by target."""

    sides: Sides
    spec: tuple[str, ...]  # arguments that name the spec in its folder and set its variables
    folder: str  # the plan's folder, relative to the spec's folder
    handovers: Mapping[str, Mapping[str, Handover]]
    schedules: Mapping[str, tuple[tuple[str, str], ...]]  # the old side's schedules, by target: namespace and CronJob
    copy: Callable[[str, str, CopyJob], Iterable[Manifest]]  # the objects for a copy Job

    def side(self, which: str) -> Side:
        """Return a side by its name, `old` or `new`."""
        return self.sides.old if which == "old" else self.sides.live

    def projects(self, which: str) -> tuple[tuple[TargetStack, Project], ...]:
        """Return a side's projects in the order they are applied: infrastructure, cross-target access, workloads."""
        projects = [(stack, project) for stack in self.side(which).outcome.stacks for project in stack.projects]
        return tuple(sorted(projects, key=lambda pair: _rank(pair[1])))

    def project_folder(self, which: str, target: str, project: str) -> str:
        """Return the folder of a compiled project, relative to the spec's folder."""
        return f"{BUILD}/{self.side(which).name}/{target}/{project}"


def _rank(project: Project) -> int:
    kinds = ("infrastructure", "crossings")
    return next((at for at, kind in enumerate(kinds) if project.folder.startswith(kind)), len(kinds))
