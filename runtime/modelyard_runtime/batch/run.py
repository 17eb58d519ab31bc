"""Scores whole datasets with a Ray Data actor pool. Each file is scored once, and large files in several parts.

Each input file has an output named after it, and a marker recording the file's state and the model version. Changed
files are scored again, but files scored by another version only if `reprocess` says so. Interrupted work is redone
under the same name. Unusable files are skipped and listed, whereas a problem that affects all files fails the run.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modelyard_runtime.batch.files import Piece, parts_of, pieces
from modelyard_runtime.batch.scorer import ModelHandle, Scorer, Task
from modelyard_runtime.batch.state import Finished, Known, publish, replaced_by, work_of, write_refused, write_run
from modelyard_runtime.bundles.tar import packed
from modelyard_runtime.models.loading import Models
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.storage.datasets import dataset_place
from modelyard_runtime.storage.filesystem import Place, remove
from modelyard_runtime.telemetry.otlp import Sample
from modelyard_runtime.telemetry.reported import labels_of, report
from modelyard_runtime.workload.description import Json, Section, digest, integer, text
from modelyard_runtime.workload.records import PipelineWorkload

REFUSED_FILES = "modelyard_batch_refused_files"

_LOOKS = 8  # the number of large files whose row groups are read at the same time
_SHOWN = 20
_log = logging.getLogger(__name__)


def score_datasets(
    workload: PipelineWorkload, inputs: tuple[str, ...], output: str, worker: dict[str, Any], workers: tuple[int, int]
) -> dict[str, int]:
    """Score all files that are due, and return the number of scored, unchanged and refused files."""
    pipeline = workload.pipeline
    model = pipeline.trained_model
    source = Models(workload, model)
    version = source.version()
    if version is None:
        reason = f": no version has been promoted to {model.alias!r}" if model.alias else ""
        raise Refusal(f"{model.uri} does not exist yet{reason}")
    files = list(pieces(workload, inputs))
    run = _Run(workload, dataset_place(workload, pipeline.data[output]), version)
    waiting = run.due(files)
    try:
        if waiting:
            run.score(list(run.tasks(waiting)), output, worker, workers, source)
    finally:
        run.close(files)
    run.judge()
    return {"scored": len(run.scored), "found": len(files), "refused": len(run.known.refused)}


def scored_text(counts: Mapping[str, float]) -> str:
    """Describe the numbers of files that `score_datasets` returned."""
    found, scored, refused = (int(counts[name]) for name in ("found", "scored", "refused"))
    others = {"already scored": found - scored - refused, "skipped": refused}
    return "; ".join(
        [f"scored {scored} of {found} files", *(f"{why}: {count}" for why, count in others.items() if count > 0)]
    )


def report_refused(workload: PipelineWorkload, refused: float) -> None:
    """Push the number of refused files to the metrics receiver, if any. A failed push doesn't fail the run."""
    if workload.metrics is not None:
        report(workload, [Sample(REFUSED_FILES, refused, labels_of(workload, "pipeline"))], time.time())


def on_workers(
    workload: PipelineWorkload,
    output: str,
    model_handle: ModelHandle,
    tasks: list[Task],
    worker: dict[str, Any],
    workers: tuple[int, int],
) -> Iterable[Mapping[str, Any]]:
    """Yield the workers' report on each task as soon as the task is done."""
    import ray.data

    min_workers, max_workers = (min(max(count, 1), len(tasks)) for count in workers)
    options: dict[str, Any] = {key: value for key, value in worker.items() if value}
    items = [{"task": task.packed()} for task in tasks]
    results = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
        Scorer,
        fn_constructor_args=(workload, output, model_handle),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(min_size=min_workers, max_size=max_workers),
        **options,
    )
    return results.iter_rows()


@dataclass(slots=True)
class _Large:
    """A file split into parts. Tracks finished parts, and the reason if a part was refused."""

    parts: int
    done: dict[int, Finished] = field(default_factory=dict)
    reason: str = ""
    by_model: bool = False
    seen: int = 0


class _Run:
    """A single run, with its work and results."""

    def __init__(self, workload: PipelineWorkload, target: Place, version: registry.Version) -> None:
        self._workload = workload
        self._target = target
        self._version = version
        self._description_digest = digest(workload.source)
        self._began = datetime.now(UTC)
        self.known = Known(target)
        self._refused_before = dict(self.known.refused)
        self.scored: list[dict[str, Json]] = []
        self._refused: list[dict[str, Json]] = []
        self._pieces: dict[str, Piece] = {}
        self._large: dict[str, _Large] = {}
        self._kept = 0

    def due(self, files: list[Piece]) -> list[Piece]:
        """Return new and changed files, as well as files from other versions that `reprocess` wants scored again."""
        number, still_unfit, scores_by_version = self._version.version, 0, Counter[str]()
        waiting: list[Piece] = []
        for piece in files:
            mark = self.known.mark(piece)
            if mark is not None and mark.state == piece.state and not self._scores_again(piece, mark.version):
                scores_by_version.update([mark.version] if mark.version != number else [])
                self.known.refused.pop(piece.name, None)
            elif self.known.is_refused(piece, number, self._description_digest):
                still_unfit += 1
            else:
                waiting.append(piece)
        self._kept = scores_by_version.total()
        _log.info("scoring %d of %d files with version %s", len(waiting), len(files), number)
        if still_unfit:
            _log.warning("skipping %d files that could not be scored before and have not changed since", still_unfit)
        for before, count in scores_by_version.items():
            _log.info(
                "keeping the scores of %d files by version %s, because reprocess is %s",
                count,
                before,
                self._reprocess(),
            )
        replaced = Counter(mark.version for piece in waiting if (mark := self.known.mark(piece)) is not None)
        for before, count in replaced.items():
            _log.warning("replacing the scores of %d files by version %s", count, before)
        return waiting

    def _reprocess(self) -> str:
        return self._workload.pipeline.reprocess or "none"

    def _scores_again(self, piece: Piece, version: str) -> bool:
        """Return whether an unchanged file scored by another version must be scored again."""
        if version == self._version.version:
            return False
        if self._reprocess() == "window":
            window_s = self._workload.pipeline.reprocess_seconds or 0
            return self._began.timestamp() - piece.changed_ns / 1e9 <= window_s
        return self._reprocess() == "all"

    def tasks(self, waiting: list[Piece]) -> Iterator[Task]:
        """Yield the tasks for the given files, skipping parts of large files that were finished by an earlier run."""
        with ThreadPoolExecutor(_LOOKS) as pool:
            cut = list(pool.map(lambda piece: parts_of(self._workload, piece), waiting))
        for piece, parts in zip(waiting, cut, strict=True):
            self._pieces[piece.name] = piece
            finished: dict[int, Finished] = {}
            if len(parts) > 1:
                finished = self.known.finished(piece, self._work(piece, len(parts)))
                self._large[piece.name] = _Large(len(parts), finished, seen=len(finished))
                _log.info("scoring %s in %d parts, of which %d are done", piece.path, len(parts), len(finished))
            before = tuple(self.known.marks(piece))
            yield from (Task(piece, part, len(parts), before) for part in parts if part.number not in finished)

    def score(
        self, tasks: list[Task], output: str, worker: dict[str, Any], workers: tuple[int, int], source: Models
    ) -> None:
        """Score all tasks on the workers, recording each result as it arrives."""
        import ray

        for name in [name for name, large in self._large.items() if large.seen == large.parts]:
            self._end_large(name)
        bundle = None if source.bundles is None else ray.put(packed(Path(self._version.uri).parent))
        model_handle = ModelHandle(self._version, bundle)
        for row in on_workers(self._workload, output, model_handle, tasks, worker, workers) if tasks else ():
            self._note(row)

    def _note(self, row: Mapping[str, Any]) -> None:
        name = str(row["name"])
        large = self._large.get(name)
        if large is None:
            self._end(name, int(row["rows"]), str(row["reason"]), bool(row["by_model"]))
            return
        large.seen += 1
        if row["reason"]:
            large.reason, large.by_model = str(row["reason"]), bool(row["by_model"])
        elif row["path"]:
            large.done[int(row["number"])] = Finished(str(row["path"]), int(row["rows"]))
        if large.seen == large.parts:
            self._end_large(name)

    def _end_large(self, name: str) -> None:
        """Publish the output of a large file after all its parts are done."""
        large, piece = self._large[name], self._pieces[name]
        places = [self._target.at(large.done[number].path) for number in sorted(large.done)]
        rows = sum(part.rows for part in large.done.values())
        if large.reason:
            for place in places:
                remove(place)
        else:
            publish(self._target, piece, places, rows, self._version.version, self.known.marks(piece))
        self._end(name, rows, large.reason, large.by_model)

    def _end(self, name: str, rows: int, reason: str, by_model: bool) -> None:
        piece = self._pieces[name]
        details: dict[str, Json] = {"name": name, "path": piece.path, "dataset": piece.dataset}
        before = replaced_by(piece, self._version.version, self.known.marks(piece))
        if reason:
            _log.error("skipping %s: %s", piece.path, reason)
            refused: dict[str, Json] = {
                **details,
                "reason": reason,
                "at": datetime.now(UTC).isoformat(),
                "state": piece.state,
                "version": self._version.version,
                "description": self._description_digest,
                "everyRun": by_model,
            }
            if before:
                refused["scoresLeft"] = before["version"]
            self._refused.append(refused)
        else:
            replaced: dict[str, Json] = {"replaced": before} if before else {}
            self.scored.append({**details, "rows": rows, **replaced})

    def close(self, files: list[Piece]) -> None:
        """Record the refused files and the run's report, even if the run failed."""
        parts = {name: entry.parts for name, entry in self._large.items()}
        due = [(piece, self._work(piece, parts[name])) for name, piece in self._pieces.items() if name in parts]
        self.known.sweep(due, files)
        for entry in self.scored:
            self.known.refused.pop(text(entry, "name"), None)
        self.known.refused |= {text(entry, "name"): entry for entry in self._refused}
        if self.known.refused != self._refused_before:
            write_refused(self._target, self.known.refused.values())
        if self.scored or self._refused:
            report_fields: dict[str, Json] = {"at": self._began.isoformat(), "version": self._version.version}
            report_fields |= {
                "model": self._version.name,
                "reprocess": self._reprocess(),
                "scoresOfOtherVersions": self._kept,
            }
            lists: dict[str, Any] = {"scored": self.scored, "refused": self._refused}
            write_run(self._target, self._began, uuid.uuid4().hex[:8], {**report_fields, **lists})
            _log.info("scored %d rows in %d files", _rows(self.scored), len(self.scored))

    def judge(self) -> None:
        """Log the refused files, and fail the run if nothing could be scored because the model itself failed."""
        for record in list(self.known.refused.values())[:_SHOWN]:
            _log.warning("%s cannot be scored: %s", text(record, "path"), text(record, "reason"))
        failed = next((record for record in self._refused if record["everyRun"]), None)
        if failed is not None and not self.scored:
            raise Refusal(f"no file could be scored, for example {failed['path']}: {failed['reason']}")

    def _work(self, piece: Piece, parts: int) -> str:
        return work_of(self._workload, piece, self._version.version, parts)


def _rows(scored: Iterable[Section]) -> int:
    return sum(integer(record, "rows") for record in scored)
