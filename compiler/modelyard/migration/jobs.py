"""Copy data between the sides using Jobs in a cluster, without involving the machine that runs the plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.handover import COPY_ACCOUNT, COPY_COMPONENT, CopyJob, Handover, Remote
from modelyard.migration.access import kubectl, rclone_file, remote_name
from modelyard.migration.records import InCluster, Move, Step
from modelyard.migration.shell import shell
from modelyard.names import object_name
from modelyard.plan import cluster_service
from modelyard.records import record
from modelyard.writers.yaml_text import document

LOGINS_FILE: Final = "logins.example"
"""The file in the plan's folder with the names of the variables that hold store logins."""

RETRIES: Final = 6


@record
class Ends:
    """The same store on both sides, as the source and the sink of a copy."""

    source: tuple[str, Remote]  # the side, and the store there
    sink: tuple[str, Remote]


@record
class Place:
    """The cluster in which a Job runs, given by its side and its target."""

    which: str
    target: str


def place_of(move: Move, ends: Ends) -> Place | None:
    """Return a cluster that reaches both stores, or None. The new side's is preferred, as it outlives the old.

    A store inside a cluster can be reached only from that cluster, so its Job runs there.
    """
    inside = [
        Place(which, target)
        for which, remote in (ends.source, ends.sink)
        if is_inside(remote) and (target := _target(move, which, remote))
    ]
    if inside:
        clusters = {_cluster(move, place) for place in inside}
        return max(inside, key=lambda place: place.which == "new") if len(clusters) == 1 else None
    which, remote = ends.sink if ends.sink[0] == "new" else ends.source
    near = _target(move, which, remote)
    targets = [near, *move.handovers["new"]]
    target_name = next((target for target in targets if move.handovers["new"][target].namespace), "")
    return Place("new", target_name) if target_name else None


def is_inside(remote: Remote) -> bool:
    """Return whether a store is a cluster's Service, which can't be reached from outside that cluster."""
    return cluster_service(_endpoint(remote)) is not None


def job_file(move: Move, place: Place, name: str, ends: Ends, commands: Iterable[tuple[str, ...]], retries: int) -> str:
    """Return the file with a Job's manifests."""
    job = CopyJob(
        name,
        tuple(commands),
        rclone_file(move),
        tuple(_variables(move, place, ends)),
        tuple(_endpoint(remote) for _, remote in (ends.source, ends.sink)),
        retries,
    )
    return "---\n".join(document(manifest) for manifest in move.copy(place.which, place.target, job))


def job_name(verb: str, store: str) -> str:
    """Return the name of a store's copy Job, which is the same whenever a phase is repeated."""
    return object_name(COPY_COMPONENT, verb, store)


def run_job(move: Move, phase: str, place: Place, name: str, text: str) -> InCluster:
    """Return commands that replace a Job, wait for it to end, and print its log.

    A Job's template can't be changed, and an earlier Job may have ended, so any earlier Job is deleted first.
    """
    kube = kubectl(move, place.which, place.target)
    file = f"{move.folder}/phases/{phase}/{name}.yaml"
    conditions = "'jsonpath={.status.conditions[*].type}'"
    return InCluster(
        f"Or with a Job in {_where(move, place)}. {text}",
        (
            f"{kube} delete job {shell(name)} --ignore-not-found --cascade=foreground",
            f"{kube} apply --server-side -f {shell(file)}",
            f"until {kube} get job {shell(name)} -o {conditions} | grep -E 'Complete|Failed'; do sleep 10; done",
            f"{kube} logs job/{shell(name)} --all-containers --tail=-1",
        ),
    )


def login_steps(move: Move, pairs: Iterable[Ends]) -> tuple[Step, ...]:
    """Return steps that save the stores' logins in a Secret for Jobs, one step per cluster."""
    places = list(dict.fromkeys(place for ends in pairs if (place := place_of(move, ends)) is not None))
    return tuple(_login_step(move, place) for place in places)


def logins_text(move: Move, pairs: Iterable[Ends]) -> str:
    """Return the file that names the variables for store logins, without values, or "" if there are no Jobs."""
    lines: dict[str, None] = {}
    for ends in pairs:
        place = place_of(move, ends)
        if place is not None:
            variables = {variable for variable, _, _ in _variables(move, place, ends)}
            for which, remote in (ends.source, ends.sink):
                lines |= dict.fromkeys(_login_lines(which, remote, variables))
    if not lines:
        return ""
    head = (
        "# Written by modelyard migrate: the logins of Jobs that copy data. Fill in a copy outside the repository.",
        "# Delete the lines of a store that the Jobs' ServiceAccount can open with an identity of its cloud.",
        "# Values are in one line, without quotes; jq -c . FILE prints a JSON key in one line.",
    )
    return "\n".join((*head, *lines)) + "\n"


def removal_steps(move: Move, pairs: Iterable[Ends]) -> tuple[Step, ...]:
    """Return steps that remove everything created for Jobs, including the Secret with their store logins."""
    places = list(dict.fromkeys(place for ends in pairs if (place := place_of(move, ends)) is not None))
    return tuple(
        Step(
            f"If Jobs copied data, remove them and their logins from {_where(move, place)}. Revoke these logins, too.",
            in_cluster=InCluster(
                "",
                (
                    f"{kube} delete jobs,networkpolicies,configmaps,serviceaccounts"
                    f" -l modelyard.dev/component={COPY_COMPONENT}",
                    f"{kube} delete secret {COPY_ACCOUNT} --ignore-not-found",
                ),
            ),
        )
        for place in places
        for kube in (kubectl(move, place.which, place.target),)
    )


def _login_step(move: Move, place: Place) -> Step:
    kube = kubectl(move, place.which, place.target)
    handover = move.handovers[place.which][place.target]
    file = f"{move.side('new').system.metadata.name}-logins.env"
    filled = f'"$HOME"/{shell(file)}'
    text = (
        f"If Jobs copy data: let them log in. They run in {_where(move, place)} as ServiceAccount {COPY_ACCOUNT} of"
        f" namespace {handover.namespace}.{_identity(handover)} For {'other' if handover.identity else 'all'} stores,"
        f" fill in the variables that {LOGINS_FILE} names, and store them as a Secret."
        " A login needs to list and read at the source, and to list, read and write at the destination; for 10-watch,"
        " also the other way around."
    )
    create = f"{kube} create secret generic {COPY_ACCOUNT} --from-env-file={filled} --dry-run=client -o yaml"
    lines = (
        f"(umask 077; cp {shell(f'{move.folder}/{LOGINS_FILE}')} {filled})",
        f'"${{EDITOR:-vi}}" {filled}',
        f"{create} | {kube} apply --server-side -f -",
        f"rm {filled}",
    )
    return Step(text, in_cluster=InCluster("", lines))


def _identity(handover: Handover) -> str:
    """Explain how the Jobs' ServiceAccount accesses its own cloud's stores without a key."""
    if not handover.identity:
        return ""
    return (
        " Give that account an identity of its cloud for that cloud's stores, on both sides if both are there: it needs"
        f" no key, and rclone uses it. The first `kubectl apply` of a Job creates the account. {handover.identity}."
    )


def _login_lines(which: str, remote: Remote, variables: set[str]) -> Iterator[str]:
    """Yield the variables that log rclone in to a store, except those that a Job gets from another Secret."""
    name = variable(which, remote, "")
    options = [f"{name}{option.upper()}" for option in remote.login]
    if not variables.intersection(options):
        yield f"\n# stores.{remote.store} on the {which} side: {remote.uri}"
        yield f"{name}ENV_AUTH=false"
        yield from (f"{option}=" for option in options)


def variable(which: str, remote: Remote, option: str) -> str:
    """Return the name of the environment variable that sets a remote's option in rclone."""
    return f"RCLONE_CONFIG_{remote_name(which, remote).upper()}_{option.upper()}"


def _variables(move: Move, place: Place, ends: Ends) -> Iterator[tuple[str, str, str]]:
    """Yield a Job's variables from Secrets that workloads in its namespace already read."""
    for which, remote in (ends.source, ends.sink):
        if Place(which, _target(move, which, remote)) == place:
            for key in remote.keys:
                yield variable(which, remote, key.option), key.secret, key.key


def _target(move: Move, which: str, remote: Remote) -> str:
    return next(target for target, handover in move.handovers[which].items() if remote in handover.remotes)


def _cluster(move: Move, place: Place) -> tuple[str, ...]:
    """Return the values that identify a cluster: its context, or the side and target that create it."""
    spec = move.side(place.which).system.target(place.target)
    return (place.which, place.target) if spec.in_cloud else ("", spec.context)


def _where(move: Move, place: Place) -> str:
    return f"the cluster of {place.target} on the {place.which} side"


def _endpoint(remote: Remote) -> str:
    return dict(remote.settings).get("endpoint", "")
