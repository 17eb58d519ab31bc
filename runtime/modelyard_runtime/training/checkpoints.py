"""Checkpoints of built-in training in the artifact store, used to resume training if the driver is killed.

Checkpoints are identified by the model being trained and its input files, and are removed once the model is registered.
They share one folder, where file names begin with the name of the training run. With nested folders, Arrow would leave
an empty object after each deletion, and deleting a folder in S3 would require permission to list any name.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import UnsupportedOperation
from typing import Any

from pyarrow import fs

from modelyard_runtime.registry.lineage import fingerprint
from modelyard_runtime.storage.filesystem import (
    Place,
    listed,
    make_folder,
    place,
    read_whole,
    remove,
    write_whole,
)
from modelyard_runtime.workload.description import Json, digest
from modelyard_runtime.workload.records import PipelineWorkload, Step

_BEGINNING, _WITHIN = "training-", "~"
_BEGAN = "began"
_FORGOTTEN = timedelta(days=14)
"""A training run that has written nothing for this long is never resumed."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints of one training run. A resumed run reuses `began`, which determines which labels are complete."""

    root: Place
    name: str
    began: datetime

    @classmethod
    def of(cls, workload: PipelineWorkload, step: Step) -> Checkpoints | None:
        """Open the checkpoints for this step and the same files, including those left by a killed driver.

        Returns None if the description names no checkpoint store.
        """
        location = workload.pipeline.checkpoints
        if location is None:
            return None
        root = place(workload, location.uri, location.store)
        _forget(root)
        name = f"{_BEGINNING}{digest(state_of(workload, step))}"
        return cls(root, name, _began(root, name))

    @property
    def path(self) -> str:
        """Return the folder where Ray Train stores checkpoints, which it accesses through the `files` filesystem."""
        return self.root.below(self.name).path

    @property
    def identity(self) -> str:
        """Return what identifies this training run. A run that resumes it has the same identity."""
        return f"{self.name} {self.began.isoformat()}"

    def files(self) -> fs.PyFileSystem:
        """Return the filesystem for Ray Train, which only needs permissions for the checkpoint folder."""
        return fs.PyFileSystem(FlatFileSystem(self.root))

    def discard(self) -> None:
        """Remove all checkpoints of this training run."""
        _remove_all(self.root, self.name)


def state_of(workload: PipelineWorkload, step: Step) -> dict[str, Json]:
    """Return everything a training run depends on. An interrupted run is resumed by one with the same state."""
    pipeline = workload.pipeline
    parts = {"tuning": pipeline.tuning, "split": pipeline.split, "model": pipeline.model}
    states: dict[str, Json] = {name: fingerprint(workload, pipeline.data[name]) for name in step.inputs}
    sources: dict[str, Json] = {name: {} if part is None else dict(part.source) for name, part in parts.items()}
    return {"step": dict(step.source), "data": states, **sources}


def _began(root: Place, name: str) -> datetime:
    file = root.below(f"{name}{_WITHIN}{_BEGAN}")
    try:
        began = datetime.fromisoformat(read_whole(file).decode())
    except FileNotFoundError:
        began = datetime.now(UTC)
        make_folder(root)
        write_whole(file, began.isoformat().encode())
        return began
    _log.info("resuming the training that started at %s", began.isoformat())
    return began


def _forget(root: Place) -> None:
    """Remove the checkpoints of killed training runs whose data or description have since changed."""
    newest: dict[str, datetime] = {}
    for entry in listed(root):
        name, within, _ = str(entry.base_name).partition(_WITHIN)
        modified: datetime | None = entry.mtime
        if name.startswith(_BEGINNING) and within and modified is not None:
            newest[name] = max(modified, newest.get(name, modified))
    for name, modified in newest.items():
        if modified < datetime.now(UTC) - _FORGOTTEN:
            _remove_all(root, name)


def _remove_all(root: Place, name: str) -> None:
    for entry in listed(root):
        if str(entry.base_name).startswith(f"{name}{_WITHIN}"):
            remove(root.at(str(entry.path)))


class FlatFileSystem(fs.FileSystemHandler):  # type: ignore[misc]  # pyarrow has no types for it
    """Maps nested paths to flat file names in one folder, e.g. `a/b/c` to `a~b~c`. Files are found by listing."""

    def __init__(self, root: Place) -> None:
        self._root = root

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FlatFileSystem):
            return False
        return self._root.path == other._root.path and bool(self._root.filesystem.equals(other._root.filesystem))

    def __hash__(self) -> int:
        return hash(self._root.path)

    def get_type_name(self) -> str:
        return str(self._root.filesystem.type_name)

    def normalize_path(self, path: str) -> str:
        return path

    def get_file_info(self, paths: Sequence[str]) -> list[fs.FileInfo]:
        entries = {str(entry.base_name): entry for entry in listed(self._root)}
        return [self._info(path, entries) for path in paths]

    def get_file_info_selector(self, selector: fs.FileSelector) -> list[fs.FileInfo]:
        base = str(selector.base_dir).rstrip("/")
        name = self._name(base)
        below = f"{name}{_WITHIN}" if name else ""
        entries = {str(entry.base_name): entry for entry in listed(self._root)}
        paths: set[str] = set()
        for entry in (entry.removeprefix(below) for entry in entries if entry.startswith(below)):
            parts = entry.split(_WITHIN)
            paths |= {"/".join(parts[:depth]) for depth in range(1, len(parts) + 1 if selector.recursive else 2)}
        if not paths and not selector.allow_not_found:
            raise FileNotFoundError(base)
        return [self._info(f"{base}/{entry}", entries) for entry in sorted(paths)]

    def create_dir(self, path: str, recursive: bool) -> None:
        make_folder(self._root)

    def delete_dir(self, path: str) -> None:
        _remove_all(self._root, self._name(path))

    def delete_dir_contents(self, path: str, missing_dir_ok: bool = False) -> None:
        _remove_all(self._root, self._name(path))

    def delete_root_dir_contents(self) -> None:
        raise UnsupportedOperation("this folder contains checkpoints of other training runs: delete by name")

    def delete_file(self, path: str) -> None:
        remove(self._at(path))

    def move(self, src: str, dest: str) -> None:
        name, to = self._name(src), self._name(dest)
        for entry in [str(entry.base_name) for entry in listed(self._root)]:
            if entry == name or entry.startswith(f"{name}{_WITHIN}"):
                self._copy(entry, f"{to}{entry.removeprefix(name)}")
                remove(self._root.below(entry))

    def copy_file(self, src: str, dest: str) -> None:
        self._copy(self._name(src), self._name(dest))

    def open_input_stream(self, path: str) -> Any:
        return self._root.filesystem.open_input_stream(self._at(path).path)

    def open_input_file(self, path: str) -> Any:
        return self._root.filesystem.open_input_file(self._at(path).path)

    def open_output_stream(self, path: str, metadata: dict[str, str]) -> Any:
        return self._root.filesystem.open_output_stream(self._at(path).path)

    def open_append_stream(self, path: str, metadata: dict[str, str]) -> Any:
        raise UnsupportedOperation(f"{path} cannot be appended to: objects can only be written whole")

    def _copy(self, name: str, to: str) -> None:
        with self._root.filesystem.open_input_stream(self._root.below(name).path) as content:
            write_whole(self._root.below(to), content.read())

    def _name(self, path: str) -> str:
        return path.removeprefix(self._root.path).strip("/").replace("/", _WITHIN)

    def _at(self, path: str) -> Place:
        return self._root.below(self._name(path))

    def _info(self, path: str, entries: dict[str, fs.FileInfo]) -> fs.FileInfo:
        name = self._name(path)
        if name in entries:
            return fs.FileInfo(path, fs.FileType.File, size=entries[name].size)
        folder = any(existing.startswith(f"{name}{_WITHIN}") for existing in entries)
        return fs.FileInfo(path, fs.FileType.Directory if folder else fs.FileType.NotFound)
