"""Verifies the signed approvals in an alias's history again whenever a version is loaded."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from modelyard_runtime.promotion import approvals
from modelyard_runtime.promotion.aliases import Fit
from modelyard_runtime.promotion.approvals import APPROVAL_TAG
from modelyard_runtime.promotion.history import APPROVE, History, Move, actor_of, recorded
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.workload.records import Model, Promotion, Workload

_LATER = "it was approved while the alias was there"
_KEPT = "recorded."
_log = logging.getLogger(__name__)


def recorded_statements(moves: Iterable[Move], version: str, digest: str) -> dict[str, str]:
    """Return the recorded statements for a version's files by group, numbered if a group has several.

    All statements are kept, since which of them count depends on the keys listed at the time of verification.
    """
    statements: dict[str, str] = {}
    for move in moves:
        for group, statement in move.evidence.items() if (move.version, move.digest) == (version, digest) else ():
            if statement not in statements.values():
                count = sum(name.partition(".")[0] == group for name in statements)
                statements[f"{group}.{count + 1}" if count else group] = statement
    return statements


def check(workload: Workload, model: Model, title: str, digest: str, evidence: Mapping[str, str]) -> None:
    """Raise Refusal unless the files have the required approvals, signed with keys listed in the description."""
    standing = _standing(workload, model, model.alias, digest, evidence)
    if standing.missing:
        refused = f" ({'; '.join(standing.refused)})" if standing.refused else ""
        raise Refusal(
            f"{title} is not loaded: its record lacks {standing.missing} approval(s) of {', '.join(standing.groups)} "
            f"for these files{refused}; approve it with `modelyard approve`, and the promoter adds that to its record"
        )


def fit(workload: Workload, model: Model, alias: str) -> Fit:
    """Return a function that checks whether a version has all approvals required by the description."""

    def holds(moves: Sequence[Move], version: str) -> bool:
        move = recorded(moves, version)
        digest = "" if move is None else move.digest
        return not _standing(workload, model, alias, digest, recorded_statements(moves, version, digest)).missing

    return holds


def _standing(
    workload: Workload, model: Model, alias: str, digest: str, evidence: Mapping[str, str]
) -> approvals.Standing:
    promotion = Promotion(model=model, promote_to=alias, approvals=model.approvals)
    return approvals.standing(workload, promotion, _tags(evidence), digest)


def lacks_approvals(workload: Workload, promotion: Promotion) -> bool:
    """Return whether the records for an alias's version lack required approvals."""
    live = _live(promotion)
    return live is not None and bool(approvals.standing(workload, promotion, live.tags, live.move.digest).missing)


def add_later(workload: Workload, promotion: Promotion) -> None:
    """Record approvals given after the alias moved to a version.

    The version may have gone live manually, before approvals were required, or with a key that is no longer listed.
    """
    live = _live(promotion)
    if live is None or not approvals.standing(workload, promotion, live.tags, live.move.digest).missing:
        return
    history, move = History(promotion.model), live.move
    standing = approvals.standing(workload, promotion, {**live.version.tags, **live.tags}, move.digest)
    title = f"version {move.version} of {history.name}, which {move.alias!r} points to"
    if standing.missing:
        groups = ", ".join(standing.groups)
        _log.warning(
            "%s, lacks %d approval(s) of %s: new servers will refuse to load it", title, standing.missing, groups
        )
        return
    added = Move(
        move.alias,
        APPROVE,
        move.version,
        move.version,
        actor_of(workload),
        _LATER,
        move.digest,
        evidence=standing.evidence,
    )
    history.finish(history.append(added))
    _log.info("%s, now has the approvals that it needs", title)


@dataclass(frozen=True, slots=True)
class _Live:
    """The version at an alias, its record, and the statements from its records formatted as tags."""

    version: registry.Version
    move: Move
    tags: Mapping[str, str]


def _live(promotion: Promotion) -> _Live | None:
    """Return the live version and its record, or None if no approvals are required or no record has this digest."""
    alias, history = promotion.promote_to, History(promotion.model)
    version = registry.version_at(history.name, alias) if promotion.approvals else None
    if version is None:
        return None
    moves = history.moves(alias)
    move = recorded(moves, version.version)
    if move is None or not move.digest:
        return None
    return _Live(version, move, _tags(recorded_statements(moves, move.version, move.digest)))


def _tags(evidence: Mapping[str, str]) -> dict[str, str]:
    return {f"{APPROVAL_TAG}{_KEPT}{group}": statement for group, statement in evidence.items()}
