"""Prepare a new tree next to the old one by writing changed files and carrying over all other files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.emit import (
    edited_by_hand,
    file_in_the_way,
    folder_in_the_way,
    link_in_the_way,
    path_refused,
)
from modelyard.disk.files import NO_REPORT, OutputFile, Paths, Report, Tree, write_new
from modelyard.disk.folder_entries import FolderEntries, free_name, is_file, is_folder, is_link, scan, take_along
from modelyard.disk.record import NO_RECORD, RECORD, Record, digest, read_record, record_bytes
from modelyard.records import field, record
from modelyard.regular_files import read

_MANY: Final = 300
"""The minimum number of manifests that justifies another process. Starting it takes about a tenth of a second."""


@record
class _Prepared:
    """A file that was rendered and, unless it is the same as on disk, written to the new tree."""

    digest: str
    unchanged: bool


@record(frozen=False)
class Stage:
    """Prepares a tree in `folder`. `root` is its final location, and `current` lists the entries there now.

    The folder is created at the first difference. After `prepare`, `differs` means that the folder must replace the
    root, and `stale` means that only the record must be replaced.
    """

    root: str
    folder: str
    tree: Tree
    force: bool
    current: FolderEntries = field(default_factory=dict[str, os.stat_result])
    old: Record = NO_RECORD
    new: Record = NO_RECORD
    problems: list[Diagnostic] = field(default_factory=list[Diagnostic])
    report: Report = NO_REPORT
    differs: bool = False
    stale: bool = False
    replaced: bool = False  # the folder now contains the previous content of root
    _along: dict[str, str] = field(default_factory=dict[str, str])  # new paths to old paths
    _ours: dict[str, str] = field(default_factory=dict[str, str])  # our part of merged files
    _aside: list[str] = field(default_factory=list[str])
    _folders: set[str] = field(default_factory=set[str])

    def prepare(self) -> None:
        """Prepare the tree. Afterwards, there are problems, the folder is complete, or nothing differs."""
        self.current = scan(self.root)
        self.old = read_record(self.root)
        hashes, written = self._outputs()
        removed = self._leftovers(hashes)
        self._keep_unrelated(hashes)
        self._name_aside(hashes)
        self.report = Report(tuple(sorted(written)), len(hashes) - len(written), tuple(sorted(removed)))
        self.new = Record(self.tree.key, hashes, self._ours)
        self.differs = bool(written or removed or self._aside or not os.path.isdir(self.root))
        self.stale = not self.differs and self.old != self.new
        if not self.problems and self.differs:
            self._take_along()
        if not self.problems and (self.differs or self.stale):
            self._write(RECORD, record_bytes(self.new))

    def _outputs(self) -> tuple[Mapping[str, str], list[str]]:
        """Compare each output file with the disk. Returns the hashes of all files and the paths written."""
        paths = Paths()
        paths.refuse(RECORD)
        hashes: dict[str, str] = {}
        written: list[str] = []
        files = tuple(self.tree.files)
        reasons = [paths.refuse(file.path) for file in files]
        ahead = self._prepared([] if any(reasons) else files)
        for file, reason in zip(files, reasons, strict=True):
            if reason:
                self.problems.append(path_refused(self._full_path(file.path), reason))
                continue
            prepared = ahead.get(file.path)
            if self._record(file.path, prepared, hashes) if prepared else self._output(file, hashes):
                written.append(file.path)
        return hashes, written

    def _prepared(self, files: Sequence[OutputFile]) -> Mapping[str, _Prepared]:
        """If there are many manifests, prepare them in two processes. Returns nothing if there are few."""
        many = [file for file in files if file.facts is not None and self._is_free(file)]
        if len(many) < _MANY:
            return {}
        from modelyard.disk.two_processes import in_two_processes  # importing it takes longer than a few files

        prepared = in_two_processes(many, self._prepare)
        for file in many:
            if file.path not in prepared:  # the other process failed and may have left parts of its files
                with suppress(FileNotFoundError):
                    os.unlink(f"{self.folder}/{file.path}")
        return prepared

    def _is_free(self, file: OutputFile) -> bool:
        """Return whether a file can be written without merging, to a path at which there is at most a file."""
        status = self.current.get(file.path)
        return file.merge is None and (status is None or is_file(status))

    def _prepare(self, file: OutputFile) -> _Prepared:
        data = file.render()
        unchanged = self._there(file.path) == data
        if not unchanged:
            self._write(file.path, data)
        return _Prepared(digest(data), unchanged)

    def _output(self, file: OutputFile, hashes: dict[str, str]) -> bool:
        """Write an output file if it differs from the disk and its path is free. Returns whether it differs."""
        data = file.render()
        there = self._there(file.path)
        merged = None
        if file.merge is not None:
            self._ours[file.path] = data.decode("utf-8")
            if there is not None:
                merged = file.merge(there, self.old.merged.get(file.path, "").encode("utf-8", "replace"))
        if merged is not None:
            data = merged.data
        hashes[file.path] = digest(data)
        if there == data:
            self._along[file.path] = file.path
            return False
        if there is not None and (merged is None or merged.contradicts):
            self._overwrite(file.path, there)
        if not self.problems:
            self._write(file.path, data)
        return True

    def _record(self, path: str, prepared: _Prepared, hashes: dict[str, str]) -> bool:
        """Record an output file that has been prepared, as `_output` does. Returns whether it differs from the disk."""
        hashes[path] = prepared.digest
        if prepared.unchanged:
            self._along[path] = path
            return False
        there = self._there(path)
        if there is not None:
            self._overwrite(path, there)
        return True

    def _there(self, path: str) -> bytes | None:
        """Read the file at path if it exists. A link at that path is reported as a problem."""
        status = self.current.get(path)
        if is_file(status):
            return read(f"{self.root}/{path}")
        if status is not None and not is_folder(status):
            self._complain(link_in_the_way if is_link(status) else file_in_the_way, path)
        return None

    def _overwrite(self, path: str, there: bytes) -> None:
        """Report an existing file that is not exactly as we wrote it or, with `force`, keep it under another name."""
        ours = self.old.files.get(path)
        if ours is None:
            self._set_aside(path, file_in_the_way)
        elif digest(there) != ours:
            self._set_aside(path, edited_by_hand)

    def _leftovers(self, hashes: Mapping[str, str]) -> list[str]:
        """Return our files that are no longer part of the output. Edited files are reported or kept instead."""
        removed: list[str] = []
        for path, ours in self.old.files.items():
            if path in hashes or not is_file(self.current.get(path)):
                continue
            if digest(read(f"{self.root}/{path}")) == ours:
                removed.append(path)
            else:
                self._set_aside(path, edited_by_hand)
        return removed

    def _keep_unrelated(self, hashes: Mapping[str, str]) -> None:
        """Carry over all entries that are not ours, unless we must write to their path."""
        files = {RECORD, *self.old.files, *hashes}
        outputs = {RECORD, *hashes}
        folders = _folders_of(hashes)
        own = folders | _folders_of(self.old.files)
        for path, status in self.current.items():
            if (is_file(status) and path in files) or (is_folder(status) and path in own and path not in outputs):
                continue
            blocked = next((folder for folder in _above(path) if folder in outputs), "")
            if blocked or (path in outputs and is_folder(status) and path not in own):
                self._complain(folder_in_the_way, blocked or path)
            elif path in folders or path == RECORD:
                self._complain(link_in_the_way if is_link(status) else folder_in_the_way, path)
            elif path not in outputs:
                self._along[path] = path

    def _set_aside(self, path: str, complaint: Callable[[str], Diagnostic]) -> None:
        if self.force:
            self._aside.append(path)
        else:
            self._complain(complaint, path)

    def _name_aside(self, hashes: Mapping[str, str]) -> None:
        """Carry over the files that `force` overwrites under new names that are not taken."""
        for path in self._aside:
            taken = {*self.current, *self._along, *hashes}
            self._along[free_name(path, taken.__contains__)] = path

    def _complain(self, complaint: Callable[[str], Diagnostic], path: str) -> None:
        problem = complaint(self._full_path(path))
        if problem not in self.problems:
            self.problems.append(problem)

    def _full_path(self, path: str) -> str:
        return f"{self.root}/{path}"

    def _write(self, path: str, data: bytes) -> None:
        self._make_folder(path)
        write_new(f"{self.folder}/{path}", data)

    def _take_along(self) -> None:
        for path, source in self._along.items():
            status = self.current[source]
            self._make_folder(path)
            take_along(f"{self.root}/{source}", f"{self.folder}/{path}", status)
            if is_folder(status):
                self._folders.add(path)

    def _make_folder(self, path: str) -> None:
        """Create the parent folders of a path in the new tree."""
        for folder in ("", *_above(path)):
            if folder not in self._folders:
                os.makedirs(f"{self.folder}/{folder}", exist_ok=True)  # the other process may have created it
                self._folders.add(folder)


def _above(path: str) -> list[str]:
    """Return the parent folders of a path, outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _folders_of(paths: Iterable[str]) -> set[str]:
    return {folder for path in paths for folder in _above(path)}
