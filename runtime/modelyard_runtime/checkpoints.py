"""What a training has grown so far, in the store of artifacts: a driver that is killed goes on from there.

A training has one folder, which is known by what it trains and on which files. It is gone when the training is done.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pyarrow import fs

from modelyard_runtime.description import Json, Section, digest, names, section, sections, text
from modelyard_runtime.lineage import fingerprint
from modelyard_runtime.storage import Place, is_local, listed, make_folder, place, reading, write_whole

_FOLDER = "training-"
_BEGAN = "began"
_FORGOTTEN = timedelta(days=14)
"""A folder in which nothing was written for so long belongs to a run that nobody goes on with."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """The folder of one training. `began` decides which labels have come, so that a resumed one has the same rows."""

    folder: Place
    began: datetime

    @classmethod
    def of(cls, workload: Section, step: Section) -> Kept | None:
        """The folder that a killed driver has left for this step on the same files, or a new one.

        None where the description names no store for checkpoints.
        """
        pipeline = section(workload, "pipeline")
        described = section(pipeline, "checkpoints")
        if not described:
            return None
        root = place(workload, text(described, "uri"), text(described, "store"))
        _forget(root)
        data = sections(pipeline, "data")
        states: dict[str, Json] = {name: fingerprint(workload, data[name]) for name in names(step, "inputs")}
        about: dict[str, Json] = {"step": dict(step), "data": states}
        about |= {key: dict(section(pipeline, key)) for key in ("tuning", "split", "model")}
        folder = root.below(f"{_FOLDER}{digest(about)}")
        return cls(folder, _began(folder))

    def discard(self) -> None:
        """Remove the folder with all that is in it."""
        _remove_all(self.folder)


def files_of_ray(where: Place) -> fs.PyFileSystem:
    """The filesystem of a place as Ray Train may use it with the rights of one folder."""
    return fs.PyFileSystem(_OneFolder(where.filesystem))


def _began(folder: Place) -> datetime:
    try:
        with reading(folder.below(_BEGAN)) as stream:
            began = datetime.fromisoformat(stream.read().decode())
    except FileNotFoundError:
        began = datetime.now(UTC)
        make_folder(folder)
        write_whole(folder.below(_BEGAN), began.isoformat().encode())
        return began
    _log.info("a training that began at %s is gone on with", began.isoformat())
    return began


def _forget(root: Place) -> None:
    """Remove the folders of trainings that were killed, and whose data or description have changed since."""
    newest: dict[str, datetime] = {}
    for one in listed(root, recursive=True):
        name = str(one.path).removeprefix(root.path).strip("/").partition("/")[0]
        if name.startswith(_FOLDER) and one.type == fs.FileType.File and one.mtime is not None:
            newest[name] = max(one.mtime, newest.get(name, one.mtime))
    for name, at in newest.items():
        if at < datetime.now(UTC) - _FORGOTTEN:
            _remove_all(root.below(name))


def _remove_all(folder: Place) -> None:
    if is_local(folder):
        shutil.rmtree(folder.path, ignore_errors=True)
    elif listed(folder):
        folder.filesystem.delete_dir(folder.path)  # file by file, Arrow would leave a marker of the folder behind


class _OneFolder(fs.FileSystemHandler):  # type: ignore[misc]  # pyarrow has no types for it
    """A filesystem that needs no right outside the folder that it is used for.

    Arrow makes the markers of all folders above an object of S3, and asks for objects by name where a list would tell.
    """

    def __init__(self, inner: fs.FileSystem) -> None:
        self._inner = inner

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _OneFolder) and bool(self._inner.equals(other._inner))

    def __hash__(self) -> int:
        return hash(self._inner.type_name)

    def get_type_name(self) -> str:
        return str(self._inner.type_name)

    def normalize_path(self, path: str) -> str:
        return str(self._inner.normalize_path(path))

    def get_file_info(self, paths: Sequence[str]) -> list[fs.FileInfo]:
        return [self._info(path) for path in paths]

    def get_file_info_selector(self, selector: fs.FileSelector) -> list[fs.FileInfo]:
        return list(self._inner.get_file_info(selector))

    def create_dir(self, path: str, recursive: bool) -> None:
        make_folder(self._at(path))

    def delete_dir(self, path: str) -> None:
        _remove_all(self._at(path))

    def delete_dir_contents(self, path: str, missing_dir_ok: bool = False) -> None:
        _remove_all(self._at(path))
        make_folder(self._at(path))

    def delete_root_dir_contents(self) -> None:
        raise NotImplementedError

    def delete_file(self, path: str) -> None:
        self._inner.delete_file(path)

    def move(self, src: str, dest: str) -> None:
        self._inner.move(src, dest)

    def copy_file(self, src: str, dest: str) -> None:
        self._inner.copy_file(src, dest)

    def open_input_stream(self, path: str) -> Any:
        return self._inner.open_input_stream(path)

    def open_input_file(self, path: str) -> Any:
        return self._inner.open_input_file(path)

    def open_output_stream(self, path: str, metadata: dict[str, str]) -> Any:
        return self._inner.open_output_stream(path)

    def open_append_stream(self, path: str, metadata: dict[str, str]) -> Any:
        return self._inner.open_append_stream(path)

    def _at(self, path: str) -> Place:
        return Place(self._inner, path)

    def _info(self, path: str) -> fs.FileInfo:
        if is_local(self._at(path)):
            return self._inner.get_file_info(path)
        above, _, _ = path.rstrip("/").rpartition("/")
        found = {str(one.path): one for one in listed(self._at(above))}
        return found.get(path.rstrip("/"), fs.FileInfo(path, fs.FileType.NotFound))
