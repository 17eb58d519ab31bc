"""Copy a side's data: the objects in its stores, and the contents of its registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.handover import Remote
from modelyard.migration.access import kubectl, rclone, remote_name
from modelyard.migration.records import Move, Step
from modelyard.migration.shell import shell
from modelyard.plan import Identity
from modelyard.spec import System

COPY_FILE: Final = "registry_copy.py"
"""The name, in the plan's folder, of the script that copies a registry."""

EQUAL: Final = "only lines with =; exit code 0"
NO_NAMES: Final = "no names"
NOTHING: Final = "nothing"


def copies(move: Move, source: str, sink: str) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Return steps that copy each store that differs between the sides, and steps that compare the copies."""
    steps: list[Step] = []
    checks: list[Step] = []
    for remote, other in _pairs(move, source, sink):
        ends = [
            (_end(source, remote, prefix), _end(sink, other, prefix))
            for prefix in copied_prefixes(move, source, remote)
        ]
        copy = tuple(rclone(move, "copy", *pair, "--checksum", "--transfers", "16") for pair in ends)
        steps += (*_keys(source, remote), *_keys(sink, other), Step(_owner(remote, other), copy))
        compare = tuple(rclone(move, "check", *pair, "--one-way", "--combined", "-") for pair in ends)
        text = (
            f"Every object of stores.{remote.store} exists and is equal. In the list, = is equal, * differs, "
            "and + exists only at the source, such as what was captured after the copy began. If the two stores share"
            " no hash type, sizes are compared; add --download to compare bytes."
        )
        checks.append(Step(text, compare, EQUAL))
    return tuple(steps), tuple(checks)


def late_copies(move: Move) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Return steps that copy what the old side captured until its last caller moved, and steps that verify it.

    Objects that exist on both sides are not copied, because the new side may have changed them.
    """
    steps: list[Step] = []
    checks: list[Step] = []
    for remote, other in _pairs(move, "old", "new"):
        ends = [
            (_end("old", remote, prefix), _end("new", other, prefix)) for prefix in copied_prefixes(move, "old", remote)
        ]
        copy = tuple(rclone(move, "copy", *pair, "--ignore-existing", "--transfers", "16") for pair in ends)
        text = f"Copy what the old side has written to stores.{remote.store} until its last caller moved."
        steps.append(Step(text, copy))
        names = tuple(
            rclone(move, "check", *pair, "--one-way", "--size-only", "--missing-on-dst", "-") for pair in ends
        )
        text = f"The new side lacks no object of stores.{remote.store}. Those that it has changed since may differ."
        checks.append(Step(text, names, NO_NAMES))
    return tuple(steps), tuple(checks)


def registry_steps(move: Move) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Return steps that copy the registry or, if the system does not run it, state who must copy it."""
    old, new = (move.side(which).system for which in ("old", "new"))
    if old.registry is None or new.registry is None:
        return (Step("The system has no registry on both sides, so there is nothing to copy."),), ()
    if old.registry.adopt and old.registry.adopt == new.registry.adopt:
        return (Step("Both sides use the same adopted registry, so there is nothing to copy."),), ()
    if old.registry.adopt or new.registry.adopt:
        text = (
            "One side has an adopted registry, which only its owner can copy. "
            "Afterwards, experiments, runs, versions, aliases and tags must be equal, with the same version numbers."
        )
        return (Step(text),), ()
    return _copied_registry(move, old, new)


def _copied_registry(move: Move, old: System, new: System) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    script = f'"$(cat {shell(f"{move.folder}/{COPY_FILE}")})"'
    file = shell(f"{new.metadata.name}-registry.jsonl")
    before, after = (_mlflow(move, which) for which in ("old", "new"))
    moved = shell(f"{_artifacts(move, 'old', old)}={_artifacts(move, 'new', new)}")
    lines = (
        f"{before} exec deploy/mlflow -- python -c {script} export > {file}",
        f"{after} exec -i deploy/mlflow -- python -c {script} import {moved} < {file}",
        f"{after} rollout restart deployment/mlflow",
    )
    lists = tuple(shell(f"{new.metadata.name}-registry-{which}.txt") for which in ("old", "new"))
    compared = (
        *(
            f"{one} exec deploy/mlflow -- python -c {script} summary > {into}"
            for one, into in zip((before, after), lists, strict=True)
        ),
        f"diff {' '.join(lists)}",
    )
    people = (
        "Recreate people's logins, as the new side's README.md describes. Approvals are tags of versions, so they are"
        f" copied too; a promotion on the new side needs statements for the environment {move.side('new').name}."
    )
    return (
        Step("Copy every row. The restart restores the permissions of the workloads' logins.", lines),
        Step(people),
    ), (
        Step(
            "Both sides have the same counts, and every alias has the same version and digest.",
            compared,
            NOTHING,
        ),
    )


def _mlflow(move: Move, which: str) -> str:
    return kubectl(move, which, move.side(which).system.deployment.placement.registry)


def _artifacts(move: Move, which: str, system: System) -> str:
    assert system.registry is not None
    remotes = {remote.store: remote for one in move.handovers[which].values() for remote in one.remotes}
    return f"{remotes[system.registry.artifacts].uri}/{system.registry.artifact_path.strip('/')}"


def _pairs(move: Move, source: str, sink: str) -> Iterator[tuple[Remote, Remote]]:
    """Yield the stores that both sides have, except pairs that are the same bucket."""
    others = {remote.store: remote for one in move.handovers[sink].values() for remote in one.remotes}
    for handover in move.handovers[source].values():
        for remote in handover.remotes:
            other = others.get(remote.store)
            if other is not None and (remote.uri, remote.settings) != (other.uri, other.settings):
                yield remote, other


def copied_prefixes(move: Move, source: str, remote: Remote) -> tuple[str, ...]:
    """Return the folders to copy: the whole bucket or, if it is adopted, only this system's folders."""
    if not remote.adopted:
        return ("",)
    used = {
        access.prefix.strip("/")
        for resource in move.side(source).plan.of(Identity)
        for access in resource.value.access
        if access.store == remote.store
    }
    return tuple(sorted(one for one in used if not any(one.startswith(f"{other}/") for other in used)))


def _end(which: str, remote: Remote, prefix: str) -> str:
    path = f"{remote.bucket}/{prefix}" if prefix else remote.bucket
    return f"{remote_name(which, remote)}:{path}"


def _owner(remote: Remote, other: Remote) -> str:
    text = f"Copy stores.{remote.store}: {remote.uri} to {other.uri}. Repeating it copies only what has changed."
    if other.adopted:
        text += " The new bucket is adopted: its owner creates it first."
    if remote.adopted:
        text += " Only the folders of this system are copied."
    return text


def _keys(which: str, remote: Remote) -> tuple[Step, ...]:
    """Return steps that give rclone the keys of a store that no provider login can access.

    Each line must be pasted separately; otherwise, `read` would read the next line as a key.
    """
    if remote.credentials is None:
        return ()
    name = f"RCLONE_CONFIG_{remote_name(which, remote).upper()}"
    key, secret = f"{name}_ACCESS_KEY_ID", f"{name}_SECRET_ACCESS_KEY"
    place = f"secret://{remote.credentials.store}/{remote.credentials.path}"
    text = (
        f"Type the access key of stores.{remote.store} on the {which} side and, in another line, its secret: {place}."
    )
    return (Step(text, (f"read -r {key}; read -rs {secret}; export {key} {secret} {name}_ENV_AUTH=false",)),)
