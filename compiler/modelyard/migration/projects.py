"""Compile the new side, apply its Pulumi projects, and check that applying them again changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.migration.access import pulumi, stacks_of
from modelyard.migration.records import Move, Step
from modelyard.migration.shell import command
from modelyard.stack import Project


def adopt(move: Move, phase: str) -> tuple[str, ...]:
    """Return the commands that install a phase's overlay as the spec's new environment."""
    name = move.side("new").name
    file = f"{move.folder}/phases/{phase}/environment.yaml"
    return (command("mkdir", "-p", "environments"), command("cp", file, f"environments/{name}.yaml"))


def compiled(move: Move) -> str:
    """Return the command that compiles the new environment."""
    return command("modelyard", "compile", *move.spec, "--env", move.side("new").name)


def applied(move: Move, infrastructure: bool) -> Iterator[Step]:
    """Yield steps that apply the new side's infrastructure projects or its workload projects.

    Infrastructure includes access between targets.
    """
    for stack, project in move.projects("new"):
        if is_infrastructure(project.folder) is infrastructure:
            folder = move.project_folder("new", stack.target, project.folder)
            venv = f"{folder}/venv"
            lines = [
                command("python", "-m", "venv", venv),
                command(f"{venv}/bin/pip", "install", "-r", f"{folder}/requirements.txt"),
            ]
            names = stacks_of(project, move.side("new").name)
            lines += [command("pulumi", "--cwd", folder, "stack", "select", "--create", name) for name in names]
            lines += pulumi(move, "new", stack.target, project, "up")
            yield Step(f"Apply {folder}. Make the settings that its README names before `pulumi up`.", tuple(lines))


def previews(move: Move, infrastructure: bool) -> Iterator[str]:
    """Yield commands that fail if applying the same projects again would change anything."""
    for stack, project in move.projects("new"):
        if is_infrastructure(project.folder) is infrastructure:
            for line in pulumi(move, "new", stack.target, project, "preview"):
                yield f"{line} --expect-no-changes"


def destroyed(move: Move, which: str, target: str, project: Project) -> Iterator[str]:
    """Yield commands that remove a project's resources after lifting the protection of those that hold data."""
    for words in (("config", "set", "protect", "false"), ("up",), ("destroy",)):
        yield from pulumi(move, which, target, project, *words)


def undone(move: Move, infrastructure: bool) -> Iterator[str]:
    """Yield commands that remove the resources of the new side's projects, in reverse order.

    When they are created again later, those that hold data are protected again.
    """
    for stack, project in reversed(move.projects("new")):
        if is_infrastructure(project.folder) is infrastructure:
            yield from destroyed(move, "new", stack.target, project)
            yield from pulumi(move, "new", stack.target, project, "config", "rm", "protect")


def is_infrastructure(folder: str) -> bool:
    """Return whether a project is applied before secrets and images are in place."""
    return not folder.startswith("workloads")
