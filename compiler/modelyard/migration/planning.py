"""Assemble a migration plan: the assessment, and the phases in the order of their dependencies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from modelyard.handover import Handover
from modelyard.migration import carrying, turning
from modelyard.migration.judging import judged
from modelyard.migration.records import Migration, Move, Phase
from modelyard.migration.sides import Side, Sides
from modelyard.target import Targets
from modelyard.usage import Usage

PHASES: Final[tuple[Callable[[Move], Phase], ...]] = (
    carrying.build,
    carrying.secrets,
    carrying.images,
    carrying.workloads,
    carrying.data,
    carrying.registry,
    turning.dual_run,
    turning.freeze,
    turning.cut_over,
    turning.watch,
    turning.retire,
)
"""Every phase depends on the ones before it."""

_OWN_RHYTHM: Final = "login"
"""The component of schedules that only renew logins, which a frozen side needs."""


def planned(sides: Sides, spec: tuple[str, ...], folder: str, targets: Targets, usage: Usage) -> tuple[Migration, Move]:
    """Plan a migration whose sides both compile. `spec` are the words that name it, `folder` is that of the plan."""
    handovers = {
        "old": _handovers(sides.old, targets, usage),
        "new": _handovers(sides.live, targets, usage),
    }
    judgement = judged(sides, handovers, targets, usage)
    move = Move(sides, spec, folder, handovers, _schedules(sides.old, targets))
    return Migration(sides, judgement, tuple(phase(move) for phase in PHASES)), move


def _handovers(side: Side, targets: Targets, usage: Usage) -> Mapping[str, Handover]:
    return {
        target.name: targets[target.provider].handover(side.plan, target.name, usage)
        for target in side.system.deployment.targets
    }


def _schedules(side: Side, targets: Targets) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Return the schedules that start something by themselves, by target."""
    return {
        target.name: tuple(sorted(_running(side, target.name, targets)))
        for target in side.system.deployment.targets
        if side.plan.has_cluster(target.name)
    }


def _running(side: Side, placement: str, targets: Targets) -> Iterator[tuple[str, str]]:
    provider = side.system.target(placement).provider
    for one in targets[provider].objects(side.plan, placement):
        manifest = one.manifest
        meta, spec = manifest["metadata"], manifest.get("spec")
        if manifest["kind"] != "CronJob" or not isinstance(meta, Mapping) or not isinstance(spec, Mapping):
            continue
        labels = meta.get("labels")
        component = labels.get("modelyard.dev/component") if isinstance(labels, Mapping) else None
        if component != _OWN_RHYTHM and spec.get("suspend") is not True:
            yield str(meta["namespace"]), str(meta["name"])
