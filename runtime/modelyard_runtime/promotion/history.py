"""The history of a model's aliases, stored in a separate experiment with one MLflow run per move.

Each run is created before the alias moves and marked as finished afterwards. The history is append-only, so runs are
never changed or deleted, and deleted runs are still read. These runs alone determine the version of each alias.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from modelyard_runtime.workload.records import Model, Workload

PROMOTE, TAKE_BACK, BY_HAND, APPROVE = "promote", "take-back", "by-hand", "approve"
_TAG = "modelyard.move."
_SOAK = "modelyard.soak."
_FINISHED = "FINISHED"
_PAGE = 1000
_NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Move:
    """A record of what was done to an alias, by whom and why.

    `version` is the version that was promoted or rolled back. `over` contains the versions that somebody skipped by
    moving the alias manually. Records of approvals given later don't move the alias.
    """

    alias: str
    action: str
    version: str
    before: str  # the previous version of the alias
    who: str
    why: str
    digest: str = ""
    over: tuple[str, ...] = ()
    evidence: Mapping[str, str] = field(default_factory=dict[str, str])  # signed approvals
    at: datetime = _NEVER
    id: str = ""
    finished: bool = False


class History:
    """All moves of a registered model's aliases."""

    def __init__(self, model: Model) -> None:
        self.name = model.registered_name
        self._experiment = model.history or f"{self.name}/aliases"
        self.soaks = f"{self._experiment}/soaks"

    def moves(self, alias: str) -> tuple[Move, ...]:
        """Return the moves of one alias, oldest first."""
        from mlflow.entities import ViewType

        experiment = _client().get_experiment_by_name(self._experiment)
        if experiment is None:
            return ()
        runs: list[Any] = []
        page: Any = None
        while page is None or page.token:
            page = _client().search_runs(
                [experiment.experiment_id],
                run_view_type=ViewType.ALL,
                max_results=_PAGE,
                page_token=page.token if page is not None else None,
            )
            runs += page
        moves = [_move(entry) for entry in runs if entry.data.tags.get(f"{_TAG}alias") == alias]
        return tuple(sorted(moves, key=lambda entry: (entry.at, entry.id)))

    def append(self, move: Move) -> str:
        """Record a move before it is made, and return the record's ID."""
        fields = {
            "alias": move.alias,
            "action": move.action,
            "version": move.version,
            "before": move.before,
            "who": move.who,
            "why": move.why,
            "digest": move.digest,
            "over": json.dumps(move.over),
            **{f"evidence.{name}": content for name, content in move.evidence.items()},
        }
        tags = {f"{_TAG}{name}": content for name, content in fields.items()}
        run_name = f"{move.alias}: {move.action} {move.version}"
        began = int(move.at.timestamp() * 1000) if move.at > _NEVER else None
        return str(
            _client().create_run(self._opened(self._experiment), began, tags=tags, run_name=run_name).info.run_id
        )

    def witness(self, move: Move, monitor: str, seen: str) -> None:
        """Record what a monitor has observed about a version since a move. Only a monitor's latest record counts.

        These records are stored outside the history, since any workload that can write to the history could move an
        alias.
        """
        existing = self._witnessed(move.id, monitor)
        if existing is not None:
            _client().set_tag(existing.info.run_id, f"{_SOAK}seen", seen)
            return
        fields = {"move": move.id, "monitor": monitor, "alias": move.alias, "version": move.version, "seen": seen}
        tags = {f"{_SOAK}{name}": content for name, content in fields.items()}
        run_name = f"{monitor}: {move.alias} {move.version}"
        _client().create_run(self._opened(self.soaks), tags=tags, run_name=run_name)

    def witnessed(self, move: str, monitor: str) -> str:
        """Return what a monitor has observed about a version since a move, or "" before the monitor's first run."""
        run = self._witnessed(move, monitor)
        return "" if run is None else str(run.data.tags.get(f"{_SOAK}seen", ""))

    def _witnessed(self, move: str, monitor: str) -> Any:
        experiment = _client().get_experiment_by_name(self.soaks)
        if experiment is None:
            return None
        query = f"tags.`{_SOAK}move` = '{move}' AND tags.`{_SOAK}monitor` = '{monitor}'"
        runs = _client().search_runs([experiment.experiment_id], query, max_results=1)
        return runs[0] if runs else None

    def finish(self, move: str) -> None:
        """Mark a move as complete, because the alias has the right version."""
        _client().set_terminated(move, _FINISHED)

    def _opened(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        experiment = _client().get_experiment_by_name(name)
        if experiment is not None:
            return str(experiment.experiment_id)
        try:
            return str(_client().create_experiment(name))
        except MlflowException as problem:
            if problem.error_code != "RESOURCE_ALREADY_EXISTS":  # another run has already created it
                raise
        return str(_client().get_experiment_by_name(name).experiment_id)


def moved(moves: Iterable[Move]) -> Iterable[Move]:
    """Select the records that move an alias."""
    return (move for move in moves if move.action != APPROVE)


def standing(moves: Iterable[Move]) -> tuple[str, ...]:
    """Return the versions an alias may have, newest first. The first is the one it should have.

    Promotions recorded in any order end at the newest version, no matter which process moves the alias last.
    """
    versions: set[str] = set()
    for move in moved(moves):
        if move.action == TAKE_BACK:
            versions.discard(move.version)
        else:
            versions = (versions - set(move.over)) | {move.version}
    return tuple(sorted(versions, key=int, reverse=True))


def arrived(moves: Iterable[Move], version: str) -> Move | None:
    """Return the move that gave an alias its given version, or None if the alias no longer has this version.

    If the alias leaves a version and returns to it, the later move counts.
    """
    versions: set[str] = set()
    current, since = "", None
    for move in moved(moves):
        if move.action == TAKE_BACK:
            versions.discard(move.version)
        else:
            versions = (versions - set(move.over)) | {move.version}
        newest = max(versions, key=int, default="")
        current, since = newest, (since if newest == current else move)
    return since if current == version and version else None


def taken_back(moves: Iterable[Move]) -> frozenset[str]:
    """Return versions removed from an alias, manually or by a rollback, that haven't been restored since."""
    versions: set[str] = set()
    for move in moved(moves):
        if move.action == TAKE_BACK:
            versions.add(move.version)
        else:
            versions = (versions | set(move.over)) - {move.version}
    return frozenset(versions)


def recorded(moves: Iterable[Move], version: str) -> Move | None:
    """Return the last record that moved the alias to a version, if the alias may still be there."""
    moves = tuple(moved(moves))
    if version not in standing(moves):
        return None
    return next(move for move in reversed(moves) if move.version == version and move.action != TAKE_BACK)


def actor_of(workload: Workload) -> str:
    """Return the actor that moves an alias, which is the workload and its login."""
    user = os.environ.get("MLFLOW_TRACKING_USERNAME", "")
    return " as ".join(part for part in (workload.address, user) if part)


def _move(run: Any) -> Move:
    tags = {key.removeprefix(_TAG): str(value) for key, value in run.data.tags.items() if key.startswith(_TAG)}
    fields = {name: tags.get(name, "") for name in ("alias", "action", "version", "before", "who", "why", "digest")}
    return Move(
        **fields,
        over=tuple(json.loads(tags.get("over", "[]"))),
        evidence={
            key.removeprefix("evidence."): statement for key, statement in tags.items() if key.startswith("evidence.")
        },
        at=datetime.fromtimestamp(run.info.start_time / 1000, UTC),
        id=str(run.info.run_id),
        finished=str(run.info.status) == _FINISHED,
    )


def _client() -> Any:
    from mlflow import MlflowClient

    return MlflowClient()
