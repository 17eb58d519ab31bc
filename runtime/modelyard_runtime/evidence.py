"""Evidence: the signed approvals in an alias's history, verified again whenever a version is loaded."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from modelyard_runtime import approvals, registry
from modelyard_runtime.approvals import APPROVAL_TAG
from modelyard_runtime.description import Section, section, text
from modelyard_runtime.history import APPROVE, History, Move, recorded, whoever
from modelyard_runtime.refusals import Refusal

_LATER = "it was approved while the alias was there"
_KEPT = "recorded."
_log = logging.getLogger(__name__)


def kept(moves: Iterable[Move], version: str, digest: str) -> dict[str, str]:
    """The statements about these files in all records of a version, by group; the newest of each group."""
    found = [one.evidence for one in moves if (one.version, one.digest) == (version, digest)]
    return {group: statement for evidence in found for group, statement in evidence.items()}


def check(workload: Section, model: Section, what: str, digest: str, evidence: Mapping[str, str]) -> None:
    """Refuse files that lack approvals which the description of a model asks for, by the keys that it lists now."""
    asked = section(model, "approvals")
    if not asked:
        return
    pipeline: Section = {"model": dict(model), "promoteTo": text(model, "alias"), "approvals": dict(asked)}
    found = approvals.standing(workload, pipeline, _tags(evidence), digest)
    if found.missing:
        refused = f" ({'; '.join(found.refused)})" if found.refused else ""
        raise Refusal(
            f"{what} is not loaded: its record lacks {found.missing} approval(s) of {', '.join(found.groups)} for "
            f"these files{refused}; approve it with `modelyard approve`, and the promoter adds that to its record"
        )


def lacks_approvals(workload: Section, pipeline: Section) -> bool:
    """Whether the version that an alias points to has a record without the approvals that are asked for now."""
    live = _live(pipeline)
    return live is not None and bool(approvals.standing(workload, pipeline, live.tags, live.move.digest).missing)


def add_later(workload: Section, pipeline: Section) -> None:
    """Record approvals of the version that an alias points to already.

    It may have gone live before anybody was asked, by hand, or with the approval of a key that is not listed any more.
    """
    live = _live(pipeline)
    if live is None or not approvals.standing(workload, pipeline, live.tags, live.move.digest).missing:
        return
    history, move = History(section(pipeline, "model")), live.move
    found = approvals.standing(workload, pipeline, {**live.version.tags, **live.tags}, move.digest)
    what = f"version {move.version} of {history.name}, which {move.alias!r} points to"
    if found.missing:
        groups = ", ".join(found.groups)
        _log.warning("%s, lacks %d approval(s) of %s: what starts now refuses it", what, found.missing, groups)
        return
    added = Move(
        move.alias, APPROVE, move.version, move.version, whoever(workload), _LATER, move.digest, evidence=found.evidence
    )
    history.finish(history.append(added))
    _log.info("%s, is approved by now", what)


@dataclass(frozen=True, slots=True)
class _Live:
    """The version that an alias points to, its record, and the statements in its records, as tags are."""

    version: registry.Version
    move: Move
    tags: Mapping[str, str]


def _live(pipeline: Section) -> _Live | None:
    """None where nothing is asked of the version, or where no record says what its files are."""
    alias, history = text(pipeline, "promoteTo"), History(section(pipeline, "model"))
    version = registry.version_at(history.name, alias) if section(pipeline, "approvals") else None
    if version is None:
        return None
    moves = history.moves(alias)
    move = recorded(moves, version.version)
    if move is None or not move.digest:
        return None
    return _Live(version, move, _tags(kept(moves, move.version, move.digest)))


def _tags(evidence: Mapping[str, str]) -> dict[str, str]:
    return {f"{APPROVAL_TAG}{_KEPT}{group}": statement for group, statement in evidence.items()}
