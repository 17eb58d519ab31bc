"""Where an alias points: moved so that promotions at the same moment end at the newest version, and recorded.

MLflow moves an alias without comparing. So each move is recorded first; then the alias is set to where the whole
history says that it belongs, and whoever has set it reads both again until they agree. The last to set it therefore
knew of every record, or the writer of a later one found the alias wrong and set it. See docs/decisions/0045.
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
"""Whether a version may be loaded, by the moves of its alias."""


def promote(history: History, move: Move) -> str:
    """Record a promotion and move the alias, unless a newer version has it. Returns the version that has it then."""
    observe(history, move.alias)
    return _make(history, replace(move, action=PROMOTE, before=_at(history, move.alias)))


def take_back(
    history: History, alias: str, who: str, why: str, now: datetime, only: str = "", fit: Fit = lambda _, __: True
) -> str:
    """Take the alias from its present version, and return the one before; empty where there is none that is fit.

    Those in between that are not fit are taken back as well: whoever starts anew would load none of them.
    With `only`, from that version alone: empty, too, where the alias has moved on.
    """
    observe(history, alias)
    moves = history.moves(alias)
    head, *before = standing(moves) or ("",)
    belongs = next((one for one in before if fit(moves, one)), "")
    if not belongs or (only and head != only):
        return ""
    for unfit in before[: before.index(belongs)]:
        history.finish(history.append(Move(alias, TAKE_BACK, unfit, head, who, f"{why}; {_UNFIT}", at=now)))
    return _make(history, Move(alias, TAKE_BACK, head, head, who, why, at=now))


def taken_back_at(history: History, alias: str) -> datetime | None:
    """When an alias was last taken back; None where it never was."""
    return max((one.at for one in history.moves(alias) if one.action == TAKE_BACK), default=None)


def refused_again(history: History, alias: str) -> frozenset[str]:
    """The versions that were taken from an alias: none is promoted again by itself."""
    return taken_back(history.moves(alias))


def settle(history: History, alias: str) -> str:
    """Set the alias to where its history says that it belongs, until both agree. Returns the version that has it."""
    for _ in range(_TRIES):
        candidates = standing(history.moves(alias))
        belongs = candidates[0] if candidates else ""
        if not belongs or _at(history, alias) == belongs:
            return belongs
        if not registry.set_alias(history.name, alias, belongs):
            gone = Move(alias, TAKE_BACK, belongs, belongs, "modelyard", "it was deleted from the registry")
            history.finish(history.append(gone))
    raise Refusal(_BUSY.format(alias, history.name))


def observe(history: History, alias: str) -> None:
    """Record an alias that is elsewhere than its history says, since somebody has moved it in the registry.

    Nothing is said of that while a record is open: whoever moves an alias here keeps one open as long as it may do so.
    One that stays open was left by a process that ended, and is made good.
    """
    for _ in range(_TRIES):
        before, at, after = history.moves(alias), _at(history, alias), history.moves(alias)
        if before != after:
            continue
        candidates, opened = standing(after), [one for one in after if not one.finished]
        if opened:
            _complete(history, after, opened)
        elif at and at != next(iter(candidates), ""):
            over = tuple(one for one in candidates if int(one) > int(at))
            why = _MOVED if after else _BEGAN
            digest = _digest(history.name, at)
            found = Move(alias, BY_HAND, at, next(iter(candidates), ""), "unknown", why, digest, over)
            _log.warning("%r of %s is version %s: %s", alias, history.name, at, why)
            history.finish(history.append(found))
        return
    raise Refusal(_BUSY.format(alias, history.name))


def _complete(history: History, moves: tuple[Move, ...], opened: list[Move]) -> None:
    """Make good what was interrupted; what has begun just now is the work of somebody else."""
    belongs = next(iter(standing(moves)), "")
    known = recorded(moves, belongs)
    if known is None or max(one.at for one in opened) > datetime.now(UTC) - _INTERRUPTED:
        return
    last = opened[-1]
    again = Move(last.alias, PROMOTE, belongs, last.before, last.who, _AGAIN, known.digest, evidence=known.evidence)
    _make(history, again)
    for one in opened:
        history.finish(one.id)


def _make(history: History, move: Move) -> str:
    made = history.append(move)
    at = settle(history, move.alias)
    history.finish(made)
    return at


def _at(history: History, alias: str) -> str:
    found = registry.version_at(history.name, alias)
    return "" if found is None else found.version


def _digest(name: str, number: str) -> str:
    """What the files of a version hash to that somebody chose by hand; empty where they cannot be read.

    Nobody loads it then: its own tag says what whoever registered it wants it to say.
    """
    try:
        return digest_of(f"models:/{name}/{number}")
    except Exception as problem:  # noqa: BLE001 - they may lie anywhere, and each kind of store fails in its own way
        _log.error("the files of version %s of %s cannot be read: %s", number, name, problem)
        return ""
