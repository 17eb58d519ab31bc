"""Keep the promoter of the new side suspended while its registry is copied.

A promoter that finds an imported model's files registers them as a version in its own run, which the registry copy then
refuses to overwrite.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.migration.access import kubectl
from modelyard.migration.records import Move, Step
from modelyard.migration.shell import shell
from modelyard.migration.sites import for_each_site
from modelyard.plan import Promoter

TRUE_EACH: Final = "True in each line"


def patched(kube: str, name: str, suspended: bool) -> str:
    """Return the command that suspends or resumes a CronJob."""
    patch = shell('{"spec": {"suspend": ' + ("true" if suspended else "false") + "}}")
    return f"{kube} patch cronjob {shell(name)} -p {patch}"


def suspended_column(kube: str, names: str) -> str:
    """Return the command that lists CronJobs, each with whether it is suspended."""
    return f"{kube} get cronjobs {names} -o 'custom-columns=:metadata.name,:spec.suspend'"


def promoters(move: Move, suspended: bool) -> tuple[str, ...]:
    """Return the commands that suspend or resume the new side's promoters."""
    return tuple(
        line
        for kube, name in _promoters(move)
        for line in for_each_site(move.side("new"), patched(kube, name, suspended))
    )


def held_back(move: Move) -> tuple[Step, ...]:
    """Return the step that suspends a promoter as soon as it exists, even before `pulumi up` ends."""
    lines = tuple(f"until {line}; do sleep 2; done" for line in promoters(move, True))
    if not lines:
        return ()
    return (
        Step(
            "Suspend the promoter until the registry has been copied. It runs every few minutes and would register"
            " imported models with runs of its own, which 6-registry refuses to overwrite. Start this in another"
            " terminal before the `pulumi up` above; it waits for the promoter. Applying again keeps it suspended.",
            lines,
        ),
    )


def held_back_checks(move: Move) -> tuple[Step, ...]:
    """Return the check that the promoter is suspended."""
    lines = tuple(
        line
        for kube, name in _promoters(move)
        for line in for_each_site(move.side("new"), suspended_column(kube, shell(name)))
    )
    return (Step("The new side's promoter is suspended.", lines, TRUE_EACH),) if lines else ()


def resumed(move: Move, text: str) -> tuple[Step, ...]:
    """Return the step that resumes the new side's promoter, if the new side has one."""
    return _step(text, promoters(move, False))


def held_again(move: Move, text: str) -> tuple[Step, ...]:
    """Return the step that suspends the new side's promoter again, if the new side has one."""
    return _step(text, promoters(move, True))


def _step(text: str, lines: tuple[str, ...]) -> tuple[Step, ...]:
    return (Step(text, lines),) if lines else ()


def _promoters(move: Move) -> Iterator[tuple[str, str]]:
    """Yield each promoter's CronJob, with the start of a kubectl command for its cluster."""
    for resource in move.side("new").plan.of(Promoter):
        yield kubectl(move, "new", resource.placement), resource.name
