"""Write trees: prepare all of them, then switch all of them or none."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.emit import cannot_write, folder_in_the_way, link_in_the_way, output_busy, path_refused
from modelyard.disk.files import NO_REPORT, OutputFile, Report, Tree, name_refused
from modelyard.disk.folder_entries import discard, is_folder, is_link, status_of
from modelyard.disk.record import NO_RECORD, RECORD, digest, read_record
from modelyard.disk.stage import Stage
from modelyard.disk.switch import OutputBusyError, clean, locked, staging_folder, switch, sync
from modelyard.patterns import pattern
from modelyard.regular_files import read

_STAGED = pattern(r"\.([^/]+)\.[0-9]+-[0-9a-f]{8}(\.old)?(?=/|$)")


def write_tree(
    out: Path, environment: str, target: str, files: Iterable[OutputFile], key: str, force: bool = False
) -> tuple[Report, tuple[Diagnostic, ...]]:
    """Write a single tree. See `write_trees`."""
    reports, problems = write_trees(out, [Tree(environment, target, files, key)], force)
    return reports[0] if reports else NO_REPORT, problems


def write_trees(
    out: Path, trees: Iterable[Tree], force: bool = False
) -> tuple[tuple[Report, ...], tuple[Diagnostic, ...]]:
    """Write trees into `out`. Returns a report for each tree or, if nothing could be written, the problems.

    `out` is created if it is missing, and may be a link to a folder. Waits while another run is writing there.
    """
    trees = tuple(trees)
    problems = _names(trees)
    if problems:
        return (), problems
    try:
        with locked(str(out)):
            return _write(str(out), trees, force)
    except OutputBusyError:
        return (), (output_busy(str(out)),)
    except OSError as error:
        return (), (cannot_write(shown_path(error, out), error),)


def unchanged(out: Path, environment: str, target: str, key: str) -> bool:
    """Return whether the tree was written from exactly these inputs and all our files are unchanged.

    Every file in the record is read and hashed, which takes about 12 ms per thousand files. Comparing sizes and times
    would be faster, but would miss edits that change neither. Files that are not in the record are ignored.
    """
    root = f"{out}/{environment}/{target}"
    record = read_record(root)
    if record is NO_RECORD or record.key != key:
        return False
    folders = {f"{out}/{environment}"} | {os.path.dirname(f"{root}/{path}") for path in (RECORD, *record.files)}
    try:
        return all(is_folder(status_of(folder)) for folder in folders) and all(
            digest(read(f"{root}/{path}")) == expected for path, expected in record.files.items()
        )
    except (OSError, ValueError):  # a path that is missing, unreadable or invalid; the record is not ours
        return False


def _names(trees: Iterable[Tree]) -> tuple[Diagnostic, ...]:
    names = dict.fromkeys(name for tree in trees for name in (tree.environment, tree.target))
    return tuple(path_refused(name, reason) for name in names if (reason := name_refused(name)))


def _write(out: str, trees: tuple[Tree, ...], force: bool) -> tuple[tuple[Report, ...], tuple[Diagnostic, ...]]:
    environments = dict.fromkeys(f"{out}/{tree.environment}" for tree in trees)
    new = [folder for folder in environments if not os.path.lexists(folder)]
    for folder in environments:
        clean(folder)
    stages = [_stage(out, tree, force) for tree in trees]
    try:
        for stage in stages:
            stage.problems.extend(_managed(out, stage))
            if not stage.problems:
                stage.prepare()
        problems = tuple(problem for stage in stages for problem in stage.problems)
        if not problems:
            switch_all([stage for stage in stages if stage.differs or stage.stale])
    finally:
        for stage in stages:
            tidy(stage)
        for folder in new:
            with suppress(OSError):
                os.rmdir(folder)  # succeeds only for an empty folder, to which nothing was written
    return () if problems else tuple(stage.report for stage in stages), problems


def _stage(out: str, tree: Tree, force: bool) -> Stage:
    root = f"{out}/{tree.environment}/{tree.target}"
    return Stage(root, staging_folder(root), tree, force)


def _managed(out: str, stage: Stage) -> Iterable[Diagnostic]:
    """Report an environment's or target's path if it exists but isn't a folder."""
    for path in (f"{out}/{stage.tree.environment}", stage.root):
        status = status_of(path)
        if status is not None and not is_folder(status):
            return ((link_in_the_way if is_link(status) else folder_in_the_way)(path),)
    return ()


def switch_all(stages: list[Stage], durable: bool = True) -> None:
    """Switch all trees in order, undoing earlier switches if one fails. With `durable`, flush the disk first."""
    if stages and durable:
        sync(stages[0].folder)
    switched: list[Stage] = []
    try:
        for stage in stages:
            if stage.differs:
                stage.replaced = switch(stage.folder, stage.root)
                switched.append(stage)
            else:
                os.replace(f"{stage.folder}/{RECORD}", f"{stage.root}/{RECORD}")
    except BaseException:
        for stage in reversed(switched):
            _switch_back(stage)
        raise


def _switch_back(stage: Stage) -> None:
    if stage.replaced:
        switch(stage.folder, stage.root)
        stage.replaced = False
    else:
        os.rename(stage.root, stage.folder)


def tidy(stage: Stage) -> None:
    """Remove leftovers next to the tree: the old tree, or an unused new one.

    The tree itself is already complete, so anything that can't be removed now is left for the next run.
    """
    with suppress(OSError):
        if stage.replaced:
            discard(stage.folder, stage.current, stage.root)
        elif os.path.lexists(stage.folder):
            discard(stage.folder)


def shown_path(error: OSError, out: Path) -> str:
    """Return the path to show in an error, in the final tree rather than the staging folder."""
    path = os.fsdecode(error.filename) if error.filename is not None else str(out)
    return _STAGED.sub(r"\1", path)
