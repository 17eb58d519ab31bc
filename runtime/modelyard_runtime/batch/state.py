"""The state of a batch inference, in `_modelyard/` below its output.

`scored/` has a marker for each file, whose name says which state of it was scored by which version, so that one listing
is enough to find what is due. `parts/` contains finished parts of large files that are incomplete. `refused.json` lists
the files that do not fit, and `runs/` what each run has scored, replaced and refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from modelyard_runtime.batch.files import Piece, outputs
from modelyard_runtime.storage.filesystem import Place, listed, make_folder, reading, remove, write_whole
from modelyard_runtime.workload.description import Json, Section, digest, integer, text
from modelyard_runtime.workload.description import rows as rows_of
from modelyard_runtime.workload.records import PipelineWorkload

FOLDER = "_modelyard"
REFUSED = "refused.json"

_SCORED, _PARTS, _RUNS = "scored", "parts", "runs"
_BEGUN = "begun"  # instead of a state: outputs with this many parts may exist, and are not reliable


@dataclass(frozen=True, slots=True)
class Mark:
    """The information in a marker's name: which state of a file was scored by which version, and in how many parts."""

    path: str
    state: str
    parts: int
    version: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished part that waits for the others."""

    path: str
    rows: int


class Known:
    """The state that earlier runs left, read with one listing and one file."""

    def __init__(self, target: Place) -> None:
        self._target = target
        self._marks: dict[str, list[Mark]] = {}
        self._parts: dict[str, dict[str, dict[int, Finished]]] = {}
        for one in listed(target.below(FOLDER), recursive=True):
            path = str(one.path)
            self._add(path, path.removeprefix(target.below(FOLDER).path).strip("/").split("/"))
        self.refused = {text(one, "name"): one for one in _refused(target)}

    def _add(self, path: str, names: Sequence[str]) -> None:
        if len(names) == 2 and names[0] == _SCORED:
            key, _, said = names[1].removesuffix(".json").partition(".")
            state, _, said = said.partition(".")
            parts, _, version = said.partition(".")
            if version and parts.isdecimal():
                self._marks.setdefault(key, []).append(Mark(path, state, int(parts), unquote(version)))
        elif len(names) == 4 and names[0] == _PARTS:
            number, _, rows = names[3].partition(".")
            if number.isdecimal() and rows.isdecimal():
                found = self._parts.setdefault(names[1], {}).setdefault(names[2], {})
                found[int(number)] = Finished(path, int(rows))

    def marks(self, piece: Piece) -> list[Mark]:
        """All markers of a file: normally one, but more if a run was killed."""
        return self._marks.get(_key(piece), [])

    def mark(self, piece: Piece) -> Mark | None:
        """The marker of a file's existing scores, preferably for its current state; None if it was never scored."""
        whole = [one for one in self.marks(piece) if one.state != _BEGUN]
        return next((one for one in whole if one.state == piece.state), whole[0] if whole else None)

    def finished(self, piece: Piece, work: str) -> dict[int, Finished]:
        """The finished parts of a file that the same work left."""
        return self._parts.get(_key(piece), {}).get(work, {})

    def is_refused(self, piece: Piece, version: str, described: str) -> bool:
        """Whether a file was refused, and nothing has changed since that could make it fit."""
        one = self.refused.get(piece.name, {})
        found = (text(one, "state"), text(one, "version"), text(one, "description"))
        return not one.get("everyRun") and found == (piece.state, version, described)

    def sweep(self, due: Iterable[tuple[Piece, str]], present: Iterable[Piece]) -> None:
        """Remove parts that will never be completed: of states that are not due, or of files that no longer exist."""
        kept = {(_key(piece), work) for piece, work in due}
        gone = {(key, work) for key, works in self._parts.items() for work in works} - kept
        for key, work in gone:
            for one in self._parts[key][work].values():
                remove(Place(self._target.filesystem, one.path))
        names = {piece.name for piece in present}
        self.refused = {name: one for name, one in self.refused.items() if name in names}


def work_of(workload: PipelineWorkload, piece: Piece, version: str, parts: int) -> str:
    """A hash of everything that the parts of one output must have in common."""
    return digest({"described": digest(workload.source), "state": piece.state, "version": version, "parts": parts})


def part_place(target: Place, piece: Piece, work: str, number: int, rows: int) -> Place:
    """Where a finished part waits for the others."""
    return target.below(FOLDER, _PARTS, _key(piece), work, f"{number}.{rows}")


def publish(target: Place, piece: Piece, staged: Sequence[Place], rows: int, version: str, before: list[Mark]) -> None:
    """Replace the output of a file. The marker is written last: without it, everything is done again.

    Each output file is complete or absent. While only some of several parts exist, a marker records how many names
    there may be, so that a later run with fewer parts leaves none behind.
    """
    layouts = {one.parts for one in before} | {len(staged)}
    begun = [_write_mark(target, piece, _BEGUN, parts, version, {}) for parts in layouts if parts > 1]
    for mark in before:
        if mark.path not in begun:
            remove(Place(target.filesystem, mark.path))
    names = outputs(piece.name, len(staged))
    for place, name in zip(staged, names, strict=True):
        final = target.below(name)
        make_folder(Place(final.filesystem, final.path.rpartition("/")[0]))
        final.filesystem.move(place.path, final.path)
    for name in {piece.name, *(name for parts in layouts for name in outputs(piece.name, parts))} - set(names):
        remove(target.below(name))
    about: dict[str, Json] = {"rows": rows, "at": datetime.now(UTC).isoformat()}
    if replaced := replaced_by(piece, version, before):
        about["replaced"] = replaced
    _write_mark(target, piece, piece.state, len(staged), version, about)
    for path in begun:
        remove(Place(target.filesystem, path))


def replaced_by(piece: Piece, version: str, before: Iterable[Mark]) -> dict[str, Json]:
    """The version whose scores of a file are replaced, and the reason. Empty if there was no output."""
    known = [one for one in before if one.state != _BEGUN]
    if not known:
        return {}
    changed = known[0].state != piece.state
    return {"version": known[0].version, "because": "the file changed" if changed else "the version changed"}


def write_refused(target: Place, refused: Iterable[Section]) -> None:
    """Write the list of refused files, sorted by name."""
    kept: list[Any] = [dict(one) for one in sorted(refused, key=lambda one: text(one, "name"))]
    write_whole(target.below(FOLDER, REFUSED), _json({"files": kept}))


def write_run(target: Place, began: datetime, run: str, about: Section) -> None:
    """Write the report of a run to a file of its own, which never changes."""
    write_whole(target.below(FOLDER, _RUNS, f"{began:%Y%m%dT%H%M%SZ}-{run}.json"), _json(about))


def packed_marks(marks: Iterable[Mark]) -> list[Any]:
    """Markers as JSON, to send to a worker."""
    return [asdict(one) for one in marks]


def unpacked_marks(packed: Iterable[Section]) -> list[Mark]:
    """Markers from their JSON."""
    return [Mark(text(one, "path"), text(one, "state"), integer(one, "parts"), text(one, "version")) for one in packed]


def _write_mark(target: Place, piece: Piece, state: str, parts: int, version: str, about: Section) -> str:
    where = target.below(FOLDER, _SCORED, f"{_key(piece)}.{state}.{parts}.{quote(version, safe='')}.json")
    write_whole(where, _json({"name": piece.name, "version": version, "state": state, "parts": parts, **about}))
    return where.path


def _key(piece: Piece) -> str:
    return hashlib.sha256(piece.name.encode()).hexdigest()[:32]


def _refused(target: Place) -> list[Section]:
    try:
        with reading(target.below(FOLDER, REFUSED)) as stream:
            found = json.loads(stream.read())
    except (FileNotFoundError, ValueError):
        return []
    return rows_of(found, "files") if isinstance(found, dict) else []


def _json(content: Section) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=False).encode()
