"""Commands that access one side of a migration: its Pulumi stacks, its clusters, and its object stores."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.handover import Remote
from modelyard.migration.records import Move, Step
from modelyard.migration.shell import command, shell
from modelyard.sites.binding import has_markers
from modelyard.stack import Project

RCLONE_FILE = "rclone.conf"


def stacks_of(project: Project, name: str) -> tuple[str, ...]:
    """Return the names of a Pulumi project's stacks."""
    return tuple(project.stacks) or (name,)


def pulumi(move: Move, which: str, target: str, project: Project, *words: str) -> Iterator[str]:
    """Yield a Pulumi command with the given arguments for each stack of a project."""
    folder = move.project_folder(which, target, project.folder)
    for stack in stacks_of(project, move.side(which).name):
        yield command("pulumi", "--cwd", folder, *words, "--stack", stack)


def kubectl(move: Move, which: str, target: str, namespace: str = "") -> str:
    """Return the beginning of a kubectl command for a target's cluster, defaulting to the system's namespace."""
    side = move.side(which)
    spec = side.system.target(target)
    here = namespace or move.handovers[which][target].namespace
    if spec.in_cloud:
        return f'kubectl --kubeconfig "$HOME"/.kube/{shell(config_name(move, which, target))} -n {shell(here)}'
    return command("kubectl", *(("--context", spec.context) if spec.context else ()), "-n", here)


def logins(move: Move, which: str) -> tuple[Step, ...]:
    """Return steps that save the kubeconfigs for a side's cloud clusters."""
    side = move.side(which)
    lines: list[str] = []
    for stack, project in move.projects(which):
        target = side.system.target(stack.target)
        if target.in_cloud and project.folder == "infrastructure" and side.plan.has_cluster(stack.target):
            folder = move.project_folder(which, stack.target, project.folder)
            for name in stacks_of(project, side.name):
                output = command(
                    "pulumi", "--cwd", folder, "stack", "output", "kubeconfig", "--show-secrets", "--stack", name
                )
                lines.append(f'{output} > "$HOME"/.kube/{shell(config_name(move, which, stack.target))}')
    if not lines:
        return ()
    text = (
        f"Save kubeconfigs for the clusters of the {which} side. "
        "A cluster without a public address needs a machine in its network."
    )
    return (Step(text, ("umask 077", 'mkdir -p "$HOME"/.kube', *lines)),)


def remote_name(which: str, remote: Remote) -> str:
    """Return a store's name in rclone's configuration, which is also valid in environment variable names."""
    return f"{which}_{remote.store.replace('-', '_')}"


def rclone(move: Move, verb: str, *words: str) -> str:
    """Return an rclone command that uses the configuration file in the plan's folder."""
    return command("rclone", "--config", f"{move.folder}/{RCLONE_FILE}", verb, *words)


def rclone_file(move: Move) -> str:
    """Return the rclone configuration for all stores on both sides, without credentials or site values."""
    lines = ["# Written by modelyard migrate. It contains no credentials: rclone reads them from the environment."]
    for which, handovers in move.handovers.items():
        for handover in handovers.values():
            for remote in handover.remotes:
                lines += ["", f"[{remote_name(which, remote)}]"]
                lines += [
                    f"{key} = {' '.join(value.split())}" for key, value in remote.settings if not has_markers(value)
                ]
    return "\n".join(lines) + "\n"


def config_name(move: Move, which: str, target: str) -> str:
    """Return the name of the kubeconfig file for a target's cluster."""
    side = move.side(which)
    return f"{side.system.metadata.name}-{side.name}-{target}"
