"""Moves and records aliases so that concurrent promotions end at the newest version.

MLflow moves an alias without comparing. So each move is recorded first; then the alias is set to where the whole
history says that it belongs, and whoever set it reads both again until they agree. Either the last one to set it knew
of every record, or the writer of a later record found the alias wrong and set it. See docs/decisions/0045.
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
from modelyard_runtime.registry.files import digest_of

_TRIES = 50
_INTERRUPTED = timedelta(minutes=10)
_BEGAN = "it pointed there when this history began"
_MOVED = "somebody moved it in the registry"
_AGAIN = "a move was interrupted"
_UNFIT = "it is passed over, since its record lacks approvals"
_BUSY = "{!r} of {} is moved by others all the time; the next run tries again"
_log = logging.getLogger(__name__)

Fit = Callable[[Sequence[Move], str], bool]
"""Whether a version may be loaded, judged by the moves of its alias."""


def promote(history: History, move: Move) -> str:
    """Record a promotion and move the alias, unless a newer version has it. Returns the alias's version afterwards."""
    observe(history, move.alias)
    return _make(history, replace(move, action=PROMOTE, before=_at(history, move.alias)))


def take_back(
    history: History, alias: str, actor: str, reason: str, now: datetime, only: str = "", fit: Fit = lambda _, __: True
) -> str:
    """Roll the alias back from its current version and return the previous one; empty if no earlier version is fit.

    Unfit versions in between are rolled back as well: a server that starts would refuse to load them. With `only`, roll
    back only from that version: also empty if the alias has moved on.
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
    """When an alias was last rolled back; None if never."""
    return max((move.at for move in history.moves(alias) if move.action == TAKE_BACK), default=None)


def refused_again(history: History, alias: str) -> frozenset[str]:
    """The versions that were rolled back from an alias: none of them is promoted again automatically."""
    return taken_back(history.moves(alias))


def settle(history: History, alias: str) -> str:
    """Set the alias to where its history says that it belongs, until both agree. Returns its version."""
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
    """Record an alias that differs from its history because somebody moved it in the registry.

    Do nothing while a record is open: whoever moves an alias here keeps one open until done. A record that stays open
    was left by a process that ended, and its move is completed.
    """
    for _ in range(_TRIES):
        before, current, after = history.moves(alias), _at(history, alias), history.moves(alias)
        if before != after:
            continue
        candidates, opened = standing(after), [one for one in after if not one.finished]
        if opened:
            _complete(history, after, opened)
        elif current and current != next(iter(candidates), ""):
            newer = tuple(one for one in candidates if int(one) > int(current))
            reason = _MOVED if after else _BEGAN
            digest = _digest(history.name, current)
            move = Move(alias, BY_HAND, current, next(iter(candidates), ""), "unknown", reason, digest, newer)
            _log.warning("%r of %s is version %s: %s", alias, history.name, current, reason)
            history.finish(history.append(move))
        return
    raise Refusal(_BUSY.format(alias, history.name))


def _complete(history: History, moves: tuple[Move, ...], opened: list[Move]) -> None:
    """Complete interrupted moves; a move that began recently belongs to another process."""
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
    """The digest of a version's files that somebody chose by hand; empty if they cannot be read.

    In that case nobody loads the version: its tag cannot be trusted, since whoever registered it wrote the tag.
    """
    try:
        return digest_of(f"models:/{name}/{number}")
    except Exception as problem:  # noqa: BLE001 - files may be anywhere, and each kind of store fails in its own way
        _log.error("the files of version %s of %s cannot be read: %s", number, name, problem)
        return ""
