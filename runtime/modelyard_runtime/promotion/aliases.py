"""Moves and records aliases such that concurrent promotions end at the newest version.

MLflow moves aliases without compare-and-swap. Therefore, each move is recorded first. Then the alias is set to the
version implied by the whole history, and both are read again until they agree. Either the last writer of the alias has
read every record, or the author of a later record finds the alias wrong and sets it. See docs/decisions/0045.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from modelyard_runtime.promotion.history import (
    BY_HAND,
    PROMOTE,
    TAKE_BACK,
    History,
    Move,
    recorded,
    standing,
    taken_back,
)
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.files import digest_of_version

_TRIES = 50
_INTERRUPTED = timedelta(minutes=10)
_BEGAN = "it pointed there when this history began"
_MOVED = "it was moved by hand in the registry"
_AGAIN = "a move was interrupted"
_UNFIT = "it is skipped, because its record lacks approvals"
_BUSY = "{!r} of {} keeps being moved by others; the next run tries again"
_log = logging.getLogger(__name__)

Fit = Callable[[Sequence[Move], str], bool]
"""Returns whether a version may be loaded, given the moves of its alias."""


def promote(history: History, move: Move) -> str:
    """Record a promotion and move the alias, unless it already has a newer version. Returns the alias's version."""
    observe(history, move.alias)
    return _make(history, replace(move, action=PROMOTE, before=_at(history, move.alias)))


def take_back(
    history: History, alias: str, actor: str, reason: str, now: datetime, only: str = "", fit: Fit = lambda _, __: True
) -> str:
    """Roll the alias back from its current version to the previous fit version. Returns that version, or "".

    Unfit versions in between are also rolled back, since a starting server would refuse to load them. With `only`, the
    alias is only rolled back from the given version, and the result is "" if it has moved.
    """
    observe(history, alias)
    moves = history.moves(alias)
    current, *before = standing(moves) or ("",)
    target = next((version for version in before if fit(moves, version)), "")
    if not target or (only and current != only):
        return ""
    for passed_over in before[: before.index(target)]:
        history.finish(
            history.append(Move(alias, TAKE_BACK, passed_over, current, actor, f"{reason}; {_UNFIT}", at=now))
        )
    return _make(history, Move(alias, TAKE_BACK, current, current, actor, reason, at=now))


def taken_back_at(history: History, alias: str) -> datetime | None:
    """Return when the alias was last rolled back, or None if it never was."""
    return max((move.at for move in history.moves(alias) if move.action == TAKE_BACK), default=None)


def refused_again(history: History, alias: str) -> frozenset[str]:
    """Return the versions that were rolled back from an alias and must not be promoted automatically again."""
    return taken_back(history.moves(alias))


def settle(history: History, alias: str) -> str:
    """Set the alias to the version implied by its history until both agree, and return this version."""
    for _ in range(_TRIES):
        candidates = standing(history.moves(alias))
        target = candidates[0] if candidates else ""
        if not target or _at(history, alias) == target:
            return target
        if not registry.set_alias(history.name, alias, target):
            deletion = Move(alias, TAKE_BACK, target, target, "modelyard", "it was deleted from the registry")
            history.finish(history.append(deletion))
    raise Refusal(_BUSY.format(alias, history.name))


def observe(history: History, alias: str) -> None:
    """Record that somebody moved the alias in the registry if it differs from its history.

    Nothing is recorded while a record is open. Each process that moves an alias keeps its record open until it is done.
    A record that stays open was left behind by a process that ended, and its move is then completed.
    """
    for _ in range(_TRIES):
        before, current, after = history.moves(alias), _at(history, alias), history.moves(alias)
        if before != after:
            continue
        candidates, opened = standing(after), [item for item in after if not item.finished]
        if opened:
            _complete(history, after, opened)
        elif current and current != next(iter(candidates), ""):
            newer = tuple(item for item in candidates if int(item) > int(current))
            reason = _MOVED if after else _BEGAN
            digest = _digest(history.name, current)
            move = Move(alias, BY_HAND, current, next(iter(candidates), ""), "unknown", reason, digest, newer)
            _log.warning("%r of %s is version %s: %s", alias, history.name, current, reason)
            history.finish(history.append(move))
        return
    raise Refusal(_BUSY.format(alias, history.name))


def _complete(history: History, moves: tuple[Move, ...], opened: list[Move]) -> None:
    """Complete interrupted moves, except for recent ones that another process may still be working on."""
    target = next(iter(standing(moves)), "")
    record = recorded(moves, target)
    if record is None or max(move.at for move in opened) > datetime.now(UTC) - _INTERRUPTED:
        return
    last = opened[-1]
    completion = Move(
        last.alias, PROMOTE, target, last.before, last.who, _AGAIN, record.digest, evidence=record.evidence
    )
    _make(history, completion)
    for move in opened:
        history.finish(move.id)


def _make(history: History, move: Move) -> str:
    move_id = history.append(move)
    version = settle(history, move.alias)
    history.finish(move_id)
    return version


def _at(history: History, alias: str) -> str:
    version = registry.version_at(history.name, alias)
    return "" if version is None else version.version


def _digest(name: str, number: str) -> str:
    """Return the digest of a manually selected version, or "" if its files can't be read.

    Without a digest, the version is never loaded. Its own tag can't be trusted, since it was written by the workload
    that registered the version.
    """
    try:
        return digest_of_version(registry.version(name, number))
    except Exception as problem:  # noqa: BLE001 - files may be in any store, and each kind raises its own exceptions
        _log.error("the files of version %s of %s cannot be read: %s", number, name, problem)
        return ""
