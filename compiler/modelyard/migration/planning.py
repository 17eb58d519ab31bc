"""Assemble a migration plan: the assessment, and the phases in dependency order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from modelyard.handover import CopyJob, Handover
from modelyard.migration import carrying, retiring, secrets, turning
from modelyard.migration.judging import judged
from modelyard.migration.records import Migration, Move, Phase
from modelyard.migration.sides import Side, Sides
from modelyard.stack import Manifest
from modelyard.target import Targets
from modelyard.usage import Usage

PHASES: Final[tuple[Callable[[Move], Phase], ...]] = (
    carrying.build,
    secrets.secrets,
    carrying.images,
    carrying.workloads,
    carrying.data,
    carrying.registry,
    turning.dual_run,
    turning.freeze,
    turning.cut_over,
    turning.watch,
    retiring.retire,
)
"""The functions that return the phases, in order. Every phase depends on the phases before it."""

_OWN_RHYTHM: Final = "login"
"""The component label of schedules that only renew logins. A side needs these schedules even while it is frozen."""


def planned(sides: Sides, spec: tuple[str, ...], folder: str, targets: Targets, usage: Usage) -> tuple[Migration, Move]:
    """Plan a migration whose sides both compile.

    `spec` holds the arguments that name the spec, and `folder` is the plan's folder.
    """
    handovers = {
        "old": _handovers(sides.old, targets, usage),
        "new": _handovers(sides.live, targets, usage),
    }
    judgement = judged(sides, handovers, targets, usage)

    def copy(which: str, target: str, job: CopyJob) -> Iterable[Manifest]:
        side = sides.old if which == "old" else sides.live
        return targets[side.system.target(target).provider].copy(side.plan, target, job)

    move = Move(sides, spec, folder, handovers, schedules_of(sides.old, targets), copy)
    return Migration(sides, judgement, tuple(phase(move) for phase in PHASES)), move


def _handovers(side: Side, targets: Targets, usage: Usage) -> Mapping[str, Handover]:
    return {
        target.name: targets[target.provider].handover(side.plan, target.name, usage)
        for target in side.system.deployment.targets
    }


def schedules_of(side: Side, targets: Targets) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Return the schedules that start runs automatically, as namespace and name, by target."""
    return {
        target.name: tuple(sorted(where for where, suspended in _jobs(side, target.name, targets) if not suspended))
        for target in side.system.deployment.targets
        if side.plan.has_cluster(target.name)
    }


def jobs_of(side: Side, targets: Targets) -> Mapping[str, bool]:
    """Return whether each schedule of a side is suspended, keyed by `namespace/name`."""
    placements = (target.name for target in side.system.deployment.targets if side.plan.has_cluster(target.name))
    return {"/".join(where): off for name in placements for where, off in _jobs(side, name, targets)}


def _jobs(side: Side, placement: str, targets: Targets) -> Iterator[tuple[tuple[str, str], bool]]:
    provider = side.system.target(placement).provider
    for item in targets[provider].objects(side.plan, placement):
        manifest = item.manifest
        meta, spec = manifest["metadata"], manifest.get("spec")
        if manifest["kind"] != "CronJob" or not isinstance(meta, Mapping) or not isinstance(spec, Mapping):
            continue
        labels = meta.get("labels")
        component = labels.get("modelyard.dev/component") if isinstance(labels, Mapping) else None
        if component != _OWN_RHYTHM:
            yield (str(meta["namespace"]), str(meta["name"])), spec.get("suspend") is True
