"""Write a folder as a whole, leaving either all new files or everything as before."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.emit import (
    cannot_write,
    folder_in_the_way,
    link_in_the_way,
    not_written_by_us,
    output_busy,
)
from modelyard.disk.files import NO_REPORT, OutputFile, Report, Tree
from modelyard.disk.folder_entries import is_folder, is_link, status_of
from modelyard.disk.record import NO_RECORD, read_record
from modelyard.disk.stage import Stage
from modelyard.disk.switch import OutputBusyError, clean, locked_folder, staging_folder
from modelyard.disk.write import shown_path, switch_all, tidy


def write_folder(folder: Path, files: Iterable[OutputFile]) -> tuple[Report, tuple[Diagnostic, ...]]:
    """Write files into a folder that is missing, empty, or from an earlier run. Any other folder is rejected."""
    root = os.path.join(folder.parent, folder.name)
    root = root if os.path.dirname(root) else f"./{root}"
    problems = _refused(root)
    if problems:
        return NO_REPORT, problems
    above = os.path.dirname(root)
    try:
        os.makedirs(above, exist_ok=True)
        with locked_folder(above):
            clean(above)
            return _write(Stage(root, staging_folder(root), Tree("", folder.name, files, ""), force=True))
    except OutputBusyError:
        return NO_REPORT, (output_busy(str(folder)),)
    except OSError as error:
        return NO_REPORT, (cannot_write(shown_path(error, folder), error),)


def _refused(root: str) -> tuple[Diagnostic, ...]:
    status = status_of(root)
    if status is None:
        return ()
    if not is_folder(status):
        return ((link_in_the_way if is_link(status) else folder_in_the_way)(root),)
    if os.listdir(root) and read_record(root) is NO_RECORD:
        return (not_written_by_us(root),)
    return ()


def _write(stage: Stage) -> tuple[Report, tuple[Diagnostic, ...]]:
    try:
        stage.prepare()
        if not stage.problems:
            # The disk is not flushed, which may take a minute: if the machine crashes, the next run writes lost files
            # again.
            switch_all([stage] if stage.differs or stage.stale else [], durable=False)
    finally:
        tidy(stage)
    return stage.report, tuple(stage.problems)
