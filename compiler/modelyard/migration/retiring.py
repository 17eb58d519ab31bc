"""The last phase, which removes the old side once nothing uses it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.migration.access import kubectl, pulumi
from modelyard.migration.copying import missing_steps, pairs_of
from modelyard.migration.jobs import removal_steps
from modelyard.migration.projects import destroyed
from modelyard.migration.records import Move, Phase, Step
from modelyard.migration.shell import shell
from modelyard.migration.sites import for_each_site

_COLUMNS: Final = (
    "(set -o pipefail; {kubectl} --no-headers -o 'custom-columns=:metadata.name,{column}' | awk '{program}')"
)
"""A command that fails if `kubectl` or the awk program fails: an unreachable cluster may still run something."""

_STARTS: Final = '$2 != "true" {print $1, "is not suspended"; used = 1} END {exit used || !NR}'
"""An awk program that fails if a listed schedule is not suspended, or if a cluster's response lists no schedule."""

_RUNS: Final = '$2 !~ /^(Complete|Failed|Suspended)$/ {print $1, "has not ended"; used = 1} END {exit used}'


def retire(move: Move) -> Phase:
    """Return the last phase, which cannot be undone."""
    destroy: list[str] = []
    for stack, project in reversed(move.projects("old")):
        destroy += destroyed(move, "old", stack.target, project)
    return Phase(
        "11-retire",
        "Remove the old side. This cannot be undone.",
        (
            "10-watch is over, and the system's owner agrees in writing.",
            "Nothing calls the old side: its access logs have been empty for a day.",
            "Evidence that must be kept has been copied: run logs, approvals, and whatever an object lock protects.",
        ),
        (
            *_unused(move),
            *removal_steps(move, pairs_of(move, "old", "new")),
            Step("Each `destroy` shows what it deletes, and stops if something is still protected.", tuple(destroy)),
            Step(
                "Buckets with objects, final snapshots of databases and keys remain and cost money until someone"
                " deletes them; README.md of each target names them under Undo. Adopted resources stay as they are."
            ),
        ),
        (Step("No stack of the old side has resources.", tuple(_empty(move)), "no resources in each"),),
        (Step("This cannot be undone.", ()),),
        "an hour",
        "the floor of the old side ends",
    )


def _unused(move: Move) -> Iterator[Step]:
    """Yield steps that show whether schedules, runs or uncopied objects still depend on the old side."""
    lines = (*_schedules(move), *_runs(move))
    if lines:
        text = "Stop if one of these commands fails: it prints which schedule or run still uses the old side."
        yield Step(text, lines)
    yield from missing_steps(move)


def _schedules(move: Move) -> Iterator[str]:
    """Yield commands that fail if a schedule of the old side is not suspended."""
    for target, jobs in move.schedules.items():
        for namespace in dict.fromkeys(namespace for namespace, _ in jobs):
            names = " ".join(shell(name) for where, name in jobs if where == namespace)
            listed = f"{kubectl(move, 'old', target, namespace)} get cronjobs {names}"
            line = _COLUMNS.format(kubectl=listed, column=":spec.suspend", program=_STARTS)
            yield from for_each_site(move.side("old"), line)


def _runs(move: Move) -> Iterator[str]:
    """Yield commands that fail if a run on the old side has not ended."""
    for target in move.schedules:
        listed = f"{kubectl(move, 'old', target)} get rayjobs"
        line = _COLUMNS.format(kubectl=listed, column=":status.jobDeploymentStatus", program=_RUNS)
        yield from for_each_site(move.side("old"), line)


def _empty(move: Move) -> Iterator[str]:
    for stack, project in move.projects("old"):
        yield from pulumi(move, "old", stack.target, project, "stack")
