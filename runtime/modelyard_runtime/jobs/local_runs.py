"""Records of runs on one machine, with a file per run in a folder shared by the supervisor and monitors."""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from modelyard_runtime.jobs.starting import Start
from modelyard_runtime.workload.records import BreachRun, Request

RUNS = "MODELYARD_RUNS"
"""The environment variable with the folder. Without it, runs are Jobs of a cluster."""

REQUESTED, RUNNING = "requested", "running"
SUCCEEDED, FAILED, INTERRUPTED, REPLACED = "succeeded", "failed", "interrupted", "replaced"
_ACTIVE = frozenset({REQUESTED, RUNNING})
_OVERLAPS = "overlaps.json"


@dataclass(frozen=True, slots=True)
class LocalRuns:
    """The runs of all pipelines on this machine."""

    folder: Path

    @classmethod
    def of_this_process(cls) -> LocalRuns | None:
        """Return the runs of the local system that started this process, or None when running in a Pod."""
        folder = os.environ.get(RUNS)
        return cls(Path(folder)) if folder else None

    def declare(self, overlaps: dict[str, str]) -> None:
        """Record each pipeline's overlap policy, which is `forbid`, `allow` or `replace`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / _OVERLAPS).write_text(json.dumps(overlaps), encoding="utf-8")

    @contextmanager
    def deciding(self) -> Generator[None]:
        """Hold a lock so that two monitors do not both start a run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("a") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    def last(self, monitor: str) -> datetime | None:
        """Return the time at which a monitor last started a run."""
        moments = [datetime.fromisoformat(entry["at"]) for entry in self.all() if entry["startedBy"] == monitor]
        return max(moments, default=None)

    def prevented(self, run: BreachRun | Request) -> bool:
        """Return whether an active run prevents a new run."""
        active = any(entry["pipeline"] == run.pipeline and entry["state"] in _ACTIVE for entry in self.all())
        return active and self._overlap(run.pipeline) == "forbid"

    def begin(self, run: BreachRun | Request, start: Start) -> None:
        """Request a run, to be started by the supervisor."""
        self.add(run.pipeline, start.now, REQUESTED, start.monitor)

    def add(self, pipeline: str, at: datetime, state: str, started_by: str = "") -> str:
        """Record a new run, and return its ID."""
        name = f"{at.strftime('%Y%m%dT%H%M%S')}-{uuid.uuid4().hex[:8]}"
        self._write(name, {"pipeline": pipeline, "at": at.isoformat(), "state": state, "startedBy": started_by})
        return name

    def change(self, name: str, state: str, message: str = "") -> None:
        """Record a change in a run's state."""
        entry = self._read(self.folder / f"{name}.json")
        if entry is not None:
            self._write(name, {**entry, "state": state, "message": message})

    def requested(self) -> list[tuple[str, str, str]]:
        """Return the ID, pipeline and monitor of each requested run, oldest first."""
        return [
            (entry["id"], entry["pipeline"], entry["startedBy"]) for entry in self.all() if entry["state"] == REQUESTED
        ]

    def interrupt(self) -> None:
        """Mark the unfinished runs of an earlier supervisor as interrupted."""
        for entry in list(self.all()):
            if entry["state"] == RUNNING:
                self.change(entry["id"], INTERRUPTED)

    def all(self) -> Iterator[dict[str, Any]]:
        """Yield all runs, oldest first, each with its ID."""
        for path in sorted(self.folder.glob("*.json")):
            entry = self._read(path) if path.name != _OVERLAPS else None
            if entry is not None:
                yield {**entry, "id": path.stem}

    def _overlap(self, pipeline: str) -> str:
        overlaps = self._read(self.folder / _OVERLAPS) or {}
        return str(overlaps.get(pipeline, "forbid"))

    def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return content if isinstance(content, dict) else None

    def _write(self, name: str, entry: dict[str, Any]) -> None:
        staged = self.folder / f".{name}.{uuid.uuid4().hex}"
        self.folder.mkdir(parents=True, exist_ok=True)
        staged.write_text(json.dumps(entry, ensure_ascii=False), encoding="utf-8")
        staged.replace(self.folder / f"{name}.json")
