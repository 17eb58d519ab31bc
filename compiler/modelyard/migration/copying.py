"""Copy one side's data to the other: the objects in its stores and the contents of its registry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from modelyard.handover import Remote
from modelyard.migration.access import RCLONE_FILE, kubectl, rclone, remote_name
from modelyard.migration.jobs import RETRIES, Ends, is_inside, job_file, job_name, place_of, run_job, variable
from modelyard.migration.records import InCluster, Move, Step
from modelyard.migration.shell import shell
from modelyard.migration.sites import address, at_site, is_at_sites, remote_at, site_names
from modelyard.plan import Identity
from modelyard.records import record
from modelyard.sites.binding import has_markers
from modelyard.spec import System

COPY_FILE: Final = "registry_copy.py"
"""The name, in the plan's folder, of the script that copies a registry."""

EQUAL: Final = "only lines with =; exit code 0"
NO_NAMES: Final = "no names"
NOTHING: Final = "nothing"

_PARALLEL: Final = ("--transfers", "16")
_DIFFERENT: Final = ("--differ", "-", "--missing-on-dst", "-", "--error", "-")
"""Options that make a comparison list only differences, because millions of equal names would flood a Job's log."""


_BY_KEY: Final = " First type the key of each end and, in another line, its secret."

_OUTCOMES: Final = {
    "copy": "It needs no connection of yours: if yours ends, wait for it again with the third command. It prints"
    " Complete; if it prints Failed, its log says why, and the same commands continue.",
    "late": "It prints Complete.",
    "check": "It prints Complete. If it prints Failed, its log has the names of objects that differ or are missing.",
    "missing": "Its log has no names of objects; it prints Failed if it has any, or if the new side has changed some.",
}
"""What a copy Job prints if it succeeds or fails, by the first word of its name."""


@record
class Copies:
    """Steps that copy the stores and check the copies, and the manifest files of copy Jobs."""

    steps: tuple[Step, ...]
    checks: tuple[Step, ...]
    files: Mapping[str, str]


def copies(move: Move, phase: str, source: str, sink: str) -> Copies:
    """Return the copies that a phase makes from one side to the other. Repeating them copies only what has changed."""
    steps: list[Step] = []
    checks: list[Step] = []
    files: dict[str, str] = {}
    verbs = ("copy", "check") if source == "old" else ("copy-back", "check-back")
    for ends in pairs_of(move, source, sink):
        (_, remote), (_, other) = ends.source, ends.sink
        folders = list(_folders(move, ends))
        copy = [("copy", *pair, "--checksum", *_PARALLEL) for pair in folders]
        compare = [("check", *pair, "--one-way") for pair in folders]
        differing = [(*words, *_DIFFERENT) for words in compare]
        copied = _job(move, phase, ends, verbs[0], copy, files)
        compared = _job(move, phase, ends, verbs[1], differing, files)
        text = _owner(remote, other, ends, move)
        lines = tuple(rclone(move, *words) for words in copy)
        steps += (*_keys(source, remote), *_keys(sink, other), Step(text, lines, in_cluster=copied))
        text = (
            f"Every object of stores.{remote.store} exists and is equal. In the list, = is equal, * differs, "
            "and + exists only at the source, such as what was captured after the copy began. If the two stores share"
            " no hash type, sizes are compared; add --download to compare bytes."
        )
        lines = tuple(rclone(move, *words, "--combined", "-") for words in compare)
        checks.append(Step(text, lines, EQUAL, compared))
    for site in at_sites(move, source, sink):
        folders = list(_folders(move, site.ends, site.name))
        text = f"Copy {site.text}. Repeating it copies only what has changed."
        steps.append(_at_site(move, site, text, [("copy", *pair, "--checksum", *_PARALLEL) for pair in folders]))
        text = f"Every object exists and is equal: {site.text}."
        listed = [("check", *pair, "--one-way", "--combined", "-") for pair in folders]
        checks.append(_at_site(move, site, text, listed, EQUAL))
    return Copies(tuple(steps), tuple(checks), files)


def late_copies(move: Move, phase: str) -> Copies:
    """Return copies of what the old side captured until its last caller moved, and checks for missing objects.

    Objects that exist on both sides aren't copied, because the new side may have changed them.
    """
    steps: list[Step] = []
    checks: list[Step] = []
    files: dict[str, str] = {}
    for ends in pairs_of(move, "old", "new"):
        (source, remote), (sink, other) = ends.source, ends.sink
        store, folders = remote.store, list(_folders(move, ends))
        copy = [("copy", *pair, "--ignore-existing", *_PARALLEL) for pair in folders]
        names = [_missing(*pair) for pair in folders]
        copied = _job(move, phase, ends, "late", copy, files)
        listed = _job(move, phase, ends, "missing", names, files)
        text = f"Copy what the old side has written to stores.{store} until its last caller moved."
        lines = tuple(rclone(move, *words) for words in copy)
        steps += (*_keys(source, remote), *_keys(sink, other), Step(text, lines, in_cluster=copied))
        text = f"The new side lacks no object of stores.{store}. Those that it has changed since may differ."
        checks.append(Step(text, tuple(rclone(move, *words) for words in names), NO_NAMES, listed))
    for site in at_sites(move, "old", "new"):
        text = f"Copy what the old side has written until its last caller moved: {site.text}."
        late = [("copy", *pair, "--ignore-existing", *_PARALLEL) for pair in _folders(move, site.ends, site.name)]
        steps.append(_at_site(move, site, text, late))
    return Copies(tuple(steps), (*checks, *_missing_at_sites(move)), files)


def missing_steps(move: Move) -> Iterator[Step]:
    """Yield steps that list objects missing on the new side because they were written after the last copy."""
    for ends in pairs_of(move, "old", "new"):
        (source, remote), (sink, other) = ends.source, ends.sink
        text = f"Stop if this prints a name: only the old side's stores.{remote.store} has that object."
        lines = tuple(rclone(move, *_missing(*pair)) for pair in _folders(move, ends))
        yield from (*_keys(source, remote), *_keys(sink, other), Step(text, lines, NO_NAMES))
    yield from _missing_at_sites(move)


def _missing_at_sites(move: Move) -> Iterator[Step]:
    for site in at_sites(move, "old", "new"):
        text = f"The new side lacks no object: {site.text}."
        yield _at_site(move, site, text, [_missing(*pair) for pair in _folders(move, site.ends, site.name)], NO_NAMES)


def _missing(source: str, sink: str) -> tuple[str, ...]:
    return ("check", source, sink, "--one-way", "--size-only", "--missing-on-dst", "-")


def _job(
    move: Move, phase: str, ends: Ends, verb: str, commands: Sequence[tuple[str, ...]], files: dict[str, str]
) -> InCluster | None:
    """Add a copy Job's manifests to a phase's files, and return the commands that run the Job."""
    place = place_of(move, ends)
    if place is None:
        return None
    name = job_name(verb, ends.source[1].store)
    is_check = commands[0][0] == "check"
    files[f"{name}.yaml"] = job_file(move, place, name, ends, commands, 0 if is_check else RETRIES)
    return run_job(move, phase, place, name, _OUTCOMES[verb.partition("-")[0]])


def registry_steps(move: Move) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Return steps that copy the registry or, if the system does not run its own, say who must copy it."""
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
            f"{command} exec deploy/mlflow -- python -c {script} summary > {into}"
            for command, into in zip((before, after), lists, strict=True)
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
    remotes = {remote.store: remote for handover in move.handovers[which].values() for remote in handover.remotes}
    return f"{remotes[system.registry.artifacts].uri}/{system.registry.artifact_path.strip('/')}"


def pairs_of(move: Move, source: str, sink: str) -> Iterator[Ends]:
    """Yield each store on both sides, except stores at sites and those with the same bucket on both sides."""
    for ends in _differing(move, source, sink):
        if not (is_at_sites(ends.source[1]) or is_at_sites(ends.sink[1])):
            yield ends


def site_steps(move: Move) -> tuple[Step, ...]:
    """Return steps that ask people to copy stores that exist at every site on only one of the sides."""
    return tuple(
        Step(
            f"stores.{remote.store} exists once for each site on one side only, so only you know where objects belong."
            f" Copy {address(move.side(source), remote)[0]} to {address(move.side(sink), other)[0]} for"
            " each site, into a folder of its own, with rclone remotes like those in rclone.conf. Repeat it in 8-freeze"
            " and, in the other direction, in 10-watch."
        )
        for ends in _differing(move, "old", "new")
        for (source, remote), (sink, other) in ((ends.source, ends.sink),)
        if is_at_sites(remote) is not is_at_sites(other)
    )


@record
class SiteEnds:
    """A store at one site on both sides, and the rclone options that differ by site, as variables."""

    name: str
    ends: Ends
    variables: tuple[str, ...]

    @property
    def text(self) -> str:
        """The store, its site and its addresses, for people."""
        remotes = (remote for _, remote in (self.ends.source, self.ends.sink))
        places = " to ".join(" at ".join((remote.uri, *_endpoint_of(remote))) for remote in remotes)
        return f"stores.{self.ends.source[1].store} of site {self.name}: {places}"


def at_sites(move: Move, source: str, sink: str) -> Iterator[SiteEnds]:
    """Yield the stores that both sides have at every site, for each site that they share."""
    for ends in _differing(move, source, sink):
        both = (ends.source, ends.sink)
        if not all(is_at_sites(remote) for _, remote in both):
            continue
        first, second = (site_names(move.side(which), _marked_text(remote)) for which, remote in both)
        for name in (name for name in first if name in second):
            here = [(which, remote_at(move.side(which), name, remote)) for which, remote in both]
            variables = tuple(
                f"{variable(which, remote, option)}={shell(value)}"
                for (which, remote), (_, template) in zip(here, both, strict=True)
                for (option, value), (_, marked) in zip(remote.settings, template.settings, strict=True)
                if has_markers(marked)
            )
            yield SiteEnds(name, Ends(*here), variables)


def _marked_text(remote: Remote) -> str:
    return "\n".join((remote.bucket, remote.uri, *(value for _, value in remote.settings)))


def _at_site(move: Move, site: SiteEnds, text: str, commands: Sequence[tuple[str, ...]], expect: str = "") -> Step:
    """Return a step that asks for the access keys of a site's stores and runs rclone.

    Settings that differ by site are set as variables in the commands, since rclone's configuration file lacks them.
    """
    config = f"RCLONE_CONFIG={shell(f'{move.folder}/{RCLONE_FILE}')}"
    both = (site.ends.source, site.ends.sink)
    keys = [line for which, remote in both for step in _keys(which, remote) for line in step.commands]
    lines = [" ".join((config, *site.variables, "rclone", *map(shell, words))) for words in commands]
    return Step(text + _BY_KEY * bool(keys), (*keys, *lines), expect)


def _endpoint_of(remote: Remote) -> tuple[str, ...]:
    return tuple(value for option, value in remote.settings if option == "endpoint")


def _differing(move: Move, source: str, sink: str) -> Iterator[Ends]:
    others = {remote.store: remote for one in move.handovers[sink].values() for remote in one.remotes}
    for handover in move.handovers[source].values():
        for remote in handover.remotes:
            other = others.get(remote.store)
            if other is not None and address(move.side(source), remote) != address(move.side(sink), other):
                yield Ends((source, remote), (sink, other))


def copied_prefixes(move: Move, source: str, remote: Remote) -> tuple[str, ...]:
    """Return the prefixes to copy: the whole bucket or, if it is adopted, only the folders that this system uses."""
    if not remote.adopted:
        return ("",)
    prefixes = {
        access.prefix.strip("/")
        for resource in move.side(source).plan.of(Identity)
        for access in resource.value.access
        if access.store == remote.store
    }
    return tuple(sorted(prefix for prefix in prefixes if not any(prefix.startswith(f"{other}/") for other in prefixes)))


def _end(which: str, remote: Remote, prefix: str) -> str:
    path = f"{remote.bucket}/{prefix}" if prefix else remote.bucket
    return f"{remote_name(which, remote)}:{path}"


def _folders(move: Move, ends: Ends, site: str = "") -> Iterator[tuple[str, str]]:
    """Yield the folders to copy as source and destination arguments for rclone, for a single site if named."""
    (source, remote), (sink, other) = ends.source, ends.sink
    for marked in copied_prefixes(move, source, remote):
        prefix = at_site(move.side(source), site, marked)
        yield _end(source, remote, prefix), _end(sink, other, prefix)


def _owner(remote: Remote, other: Remote, ends: Ends, move: Move) -> str:
    text = f"Copy stores.{remote.store}: {remote.uri} to {other.uri}. Repeating it copies only what has changed."
    if other.adopted:
        text += " The new bucket is adopted: its owner creates it first."
    if remote.adopted:
        text += " Only the folders of this system are copied."
    inside = [end for end in (ends.source, ends.sink) if is_inside(end[1])]
    if inside:
        ports = " and ".join(variable(*end, "endpoint") for end in inside)
        text += f" Your machine reaches it only through kubectl port-forward; set {ports} to the forwarded address."
        if place_of(move, ends) is None:
            text += " No Job can copy it, because each end is a Service of another cluster."
    return text


def _keys(which: str, remote: Remote) -> tuple[Step, ...]:
    """Return steps that pass a store's access key to rclone, if the store has its own credentials.

    Each line must be pasted separately. Otherwise, `read` would take the next line as an access key.
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
