"""The state of batch inference, stored in `_modelyard/` in the output folder.

`scored/` has a marker for each file. The marker's name contains the file's state and the version that scored it, so a
single listing shows which files are due. `parts/` contains the finished parts of incomplete large files. `refused.json`
lists unusable files, and `runs/` records what each run scored, replaced and refused.
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
from modelyard_runtime.storage.filesystem import Place, listed, make_folder, move, read_whole, remove, write_whole
from modelyard_runtime.workload.description import Json, Section, digest, integer, text
from modelyard_runtime.workload.description import rows as rows_of
from modelyard_runtime.workload.records import PipelineWorkload

FOLDER = "_modelyard"
REFUSED = "refused.json"

_SCORED, _PARTS, _RUNS = "scored", "parts", "runs"
_BEGUN = "begun"  # replaces the state in a marker of an incomplete output, whose number of parts is a maximum


@dataclass(frozen=True, slots=True)
class Mark:
    """The fields encoded in a marker's name: the file's state, the scoring version, and the number of parts."""

    path: str
    state: str
    parts: int
    version: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished part of a file whose other parts are not all finished."""

    path: str
    rows: int


class Known:
    """The state left by earlier runs, read with one listing and one file."""

    def __init__(self, target: Place) -> None:
        self._target = target
        self._marks: dict[str, list[Mark]] = {}
        self._parts: dict[str, dict[str, dict[int, Finished]]] = {}
        for entry in listed(target.below(FOLDER), recursive=True):
            path = str(entry.path)
            self._add(path, path.removeprefix(target.below(FOLDER).path).strip("/").split("/"))
        self.refused = {text(entry, "name"): entry for entry in _refused(target)}

    def _add(self, path: str, names: Sequence[str]) -> None:
        if len(names) == 2 and names[0] == _SCORED:
            key, _, suffix = names[1].removesuffix(".json").partition(".")
            state, _, suffix = suffix.partition(".")
            parts, _, version = suffix.partition(".")
            if version and parts.isdecimal():
                self._marks.setdefault(key, []).append(Mark(path, state, int(parts), unquote(version)))
        elif len(names) == 4 and names[0] == _PARTS:
            number, _, rows = names[3].partition(".")
            if number.isdecimal() and rows.isdecimal():
                finished = self._parts.setdefault(names[1], {}).setdefault(names[2], {})
                finished[int(number)] = Finished(path, int(rows))

    def marks(self, piece: Piece) -> list[Mark]:
        """Return all markers of a file. There's usually one, but a killed run can leave others behind."""
        return self._marks.get(_key(piece), [])

    def mark(self, piece: Piece) -> Mark | None:
        """Return a scored file's marker, preferring one for its current state, or None if it wasn't scored."""
        complete = [mark for mark in self.marks(piece) if mark.state != _BEGUN]
        return next((mark for mark in complete if mark.state == piece.state), complete[0] if complete else None)

    def finished(self, piece: Piece, work: str) -> dict[int, Finished]:
        """Return the finished parts of a file for the given work hash, by part number."""
        return self._parts.get(_key(piece), {}).get(work, {})

    def is_refused(self, piece: Piece, version: str, description: str) -> bool:
        """Return whether the file was already refused and the file, model and description haven't changed since."""
        record = self.refused.get(piece.name, {})
        refused = (text(record, "state"), text(record, "version"), text(record, "description"))
        return not record.get("everyRun") and refused == (piece.state, version, description)

    def sweep(self, due: Iterable[tuple[Piece, str]], present: Iterable[Piece]) -> None:
        """Remove parts that will never be completed because their file was deleted or their state is no longer due."""
        due_keys = {(_key(piece), work) for piece, work in due}
        obsolete = {(key, work) for key, works in self._parts.items() for work in works} - due_keys
        for key, work in obsolete:
            for entry in self._parts[key][work].values():
                remove(self._target.at(entry.path))
        names = {piece.name for piece in present}
        self.refused = {name: entry for name, entry in self.refused.items() if name in names}


def work_of(workload: PipelineWorkload, piece: Piece, version: str, parts: int) -> str:
    """Return a hash of everything that must match across all parts of an output."""
    return digest({"described": digest(workload.source), "state": piece.state, "version": version, "parts": parts})


def part_place(target: Place, piece: Piece, work: str, number: int, rows: int) -> Place:
    """Return the location of a finished part of an incomplete file."""
    return target.below(FOLDER, _PARTS, _key(piece), work, f"{number}.{rows}")


def publish(target: Place, piece: Piece, staged: Sequence[Place], rows: int, version: str, before: list[Mark]) -> None:
    """Replace the output of a file. The marker is written last, so an interrupted replacement is repeated in full.

    Each output file is either complete or absent. While parts are missing, a marker records the maximum number of parts
    so that a later run with fewer parts can delete the surplus.
    """
    layouts = {marker.parts for marker in before} | {len(staged)}
    begun = [_write_mark(target, piece, _BEGUN, parts, version, {}) for parts in layouts if parts > 1]
    for mark in before:
        if mark.path not in begun:
            remove(target.at(mark.path))
    names = outputs(piece.name, len(staged))
    for place, name in zip(staged, names, strict=True):
        final = target.below(name)
        make_folder(final.folder())
        move(place, final)
    for name in {piece.name, *(name for parts in layouts for name in outputs(piece.name, parts))} - set(names):
        remove(target.below(name))
    details: dict[str, Json] = {"rows": rows, "at": datetime.now(UTC).isoformat()}
    if replaced := replaced_by(piece, version, before):
        details["replaced"] = replaced
    _write_mark(target, piece, piece.state, len(staged), version, details)
    for path in begun:
        remove(target.at(path))


def replaced_by(piece: Piece, version: str, before: Iterable[Mark]) -> dict[str, Json]:
    """Return which version's scores are being replaced and why, or an empty dict if there was no output yet."""
    marks = [mark for mark in before if mark.state != _BEGUN]
    if not marks:
        return {}
    changed = marks[0].state != piece.state
    return {"version": marks[0].version, "because": "the file changed" if changed else "the version changed"}


def write_refused(target: Place, refused: Iterable[Section]) -> None:
    """Write the list of refused files, sorted by name."""
    records: list[Any] = [dict(record) for record in sorted(refused, key=lambda record: text(record, "name"))]
    write_whole(target.below(FOLDER, REFUSED), _json({"files": records}))


def write_run(target: Place, began: datetime, run: str, report: Section) -> None:
    """Write the report of a run to its own file, which never changes afterwards."""
    write_whole(target.below(FOLDER, _RUNS, f"{began:%Y%m%dT%H%M%SZ}-{run}.json"), _json(report))


def packed_marks(marks: Iterable[Mark]) -> list[Any]:
    """Convert markers to JSON for a worker."""
    return [asdict(mark) for mark in marks]


def unpacked_marks(packed: Iterable[Section]) -> list[Mark]:
    """Parse markers from JSON."""
    return [
        Mark(text(record, "path"), text(record, "state"), integer(record, "parts"), text(record, "version"))
        for record in packed
    ]


def _write_mark(target: Place, piece: Piece, state: str, parts: int, version: str, details: Section) -> str:
    where = target.below(FOLDER, _SCORED, f"{_key(piece)}.{state}.{parts}.{quote(version, safe='')}.json")
    write_whole(where, _json({"name": piece.name, "version": version, "state": state, "parts": parts, **details}))
    return where.path


def _key(piece: Piece) -> str:
    return hashlib.sha256(piece.name.encode()).hexdigest()[:32]


def _refused(target: Place) -> list[Section]:
    try:
        content = json.loads(read_whole(target.below(FOLDER, REFUSED)))
    except (FileNotFoundError, ValueError):
        return []
    return rows_of(content, "files") if isinstance(content, dict) else []


def _json(content: Section) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=False).encode()
