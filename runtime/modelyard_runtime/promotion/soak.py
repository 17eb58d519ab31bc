"""Before getting the next alias, a version soaks by serving at the previous alias and passing a monitor's checks.

The monitor's results are recorded outside the alias's history, where soak monitors can write and trainings can't. Rows
from other versions behind the same variants don't count.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from modelyard_runtime.promotion.history import History, arrived
from modelyard_runtime.registry import client as registry
from modelyard_runtime.workload.description import Json
from modelyard_runtime.workload.records import Model, MonitorWorkload, Promotion, Soak

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Judged:
    """The result of a monitor run for one version behind a variant.

    It contains the number of labelled rows, and the checks that failed or couldn't be evaluated on them.
    """

    rows: int
    failed: Mapping[str, float]  # the value of each failed check
    unknown: Sequence[str] = ()  # names of checks


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a version has finished its soak, the reason if it hasn't, and whether it has failed."""

    reason: str = ""
    failed: bool = False


def of_soaks(workload: MonitorWorkload) -> dict[str, str]:
    """Return the model and alias behind each variant whose versions soak."""
    monitor = workload.monitor
    models = (model for model in monitor.models if model.variant in monitor.soaks)
    return {model.variant: _served(model) for model in models}


def witness(workload: MonitorWorkload, judged: Mapping[tuple[str, str], Judged], now: datetime) -> None:
    """Record a monitor run's results for soaking versions by model, alias and version."""
    monitor = workload.monitor
    soaking = {_served(model): model for model in monitor.models if model.variant in of_soaks(workload)}
    for served, model in soaking.items():
        registry.connect(workload)
        history = History(model)
        alias = model.alias
        version = registry.version_at(history.name, alias)
        move = None if version is None else arrived(history.moves(alias), version.version)
        if version is None or move is None:
            continue
        result = judged.get((served, version.version), Judged(0, {}))
        record: dict[str, Json] = {
            "at": now.isoformat(),
            "rows": result.rows,
            "failed": dict(result.failed),
            "unknown": [*result.unknown],
        }
        history.witness(move, workload.address.rpartition(".")[2], json.dumps(record))


def _served(model: Model) -> str:
    return f"{model.registered_name}@{model.alias}"


def soaked(promotion: Promotion, version: str, now: datetime) -> Standing:
    """Return whether a version has passed its checks and been at the previous stage's alias for long enough."""
    soak, before = promotion.soak, promotion.after
    if soak is None:
        return Standing()
    history = History(promotion.model)
    move = arrived(history.moves(before), version)
    if move is None:
        return Standing(f"{before!r} is not recorded as version {version} yet")
    ends = move.at + timedelta(seconds=soak.seconds)
    if now < ends:
        return Standing(f"it has been {before!r} since {_formatted(move.at)}, and soaks until {_formatted(ends)}")
    monitor = soak.monitor
    return _judged(soak, history.witnessed(move.id, monitor), monitor, ends) if monitor else Standing()


def _judged(soak: Soak, record_text: str, monitor: str, ends: datetime) -> Standing:
    try:
        record = json.loads(record_text)
        measured_at, count = datetime.fromisoformat(record["at"]), int(record["rows"])
        failed = {str(name): float(value) for name, value in record["failed"].items()}
        unknown = [str(name) for name in record["unknown"]]
        early = measured_at < ends
    except (ValueError, KeyError, TypeError, AttributeError):
        return Standing(f"monitor {monitor} has not checked it yet")
    fewest = soak.min_rows
    if early:
        return Standing(f"monitor {monitor} has not checked it since {_formatted(ends)}, when its soak ended")
    if count < fewest:
        return Standing(f"{count} of its predictions have a label, and {fewest} are required")
    if failed:
        listed = ", ".join(f"{name} is {value:.6g}" for name, value in sorted(failed.items()))
        return Standing(f"monitor {monitor} found {count} of its predictions beyond the bounds: {listed}", failed=True)
    if unknown:
        return Standing(f"its {count} predictions with a label say nothing about {', '.join(unknown)}")
    return Standing()


def _formatted(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
