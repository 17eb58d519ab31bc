"""Helpers that write output trees and inspect the resulting files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from modelyard.diagnostics import Diagnostic
from modelyard.disk import (
    RECORD,
    OutputFile,
    Report,
    switch,
    write_tree,
)

FILES = {"README.md": "one", "workloads/Pulumi.yaml": "name: a", "workloads/manifests/a.yaml": "a: 1", "w/b": "b"}


class Counts(NamedTuple):
    """The number of files in a tree that were written, left unchanged, and removed."""

    written: int
    unchanged: int
    removed: int


def counted(report: Report) -> Counts:
    """Return the counts of a write's report."""
    return Counts(len(report.written), report.unchanged, len(report.removed))


def outputs(files: Mapping[str, str]) -> Iterator[OutputFile]:
    """Yield output files with the given content."""
    for path, text in files.items():
        yield OutputFile(path, text.encode)


def write(
    out: Path, files: Mapping[str, str], key: str = "k", *, target: str = "main", force: bool = False
) -> tuple[Counts, list[str]]:
    """Write one tree, and return the counts and the conflicts with their paths."""
    report, problems = write_tree(out, "prod", target, outputs(files), key, force)
    return counted(report), messages_of(problems, out)


def messages_of(problems: Iterable[Diagnostic], out: Path) -> list[str]:
    """Return the code and message of each problem, with paths relative to the output folder."""
    return [f"{problem.code} {problem.message.replace(str(out) + '/', '')}" for problem in problems]


def tree(out: Path) -> dict[str, str]:
    """Return the text of every file in the tree except its record, including empty folders."""
    root = out / "prod" / "main"
    texts: dict[str, str] = {}
    for folder, folders, files in os.walk(root):
        for name in files:
            path = Path(folder, name)
            text = f"-> {os.readlink(path)}" if path.is_symlink() else path.read_text()
            texts[path.relative_to(root).as_posix()] = text
        for name in folders:
            path = Path(folder, name)
            if path.is_symlink():
                texts[path.relative_to(root).as_posix()] = f"-> {os.readlink(path)}"
            elif not any(path.iterdir()):
                texts[path.relative_to(root).as_posix() + "/"] = ""
    texts.pop(RECORD, None)
    return texts


def everything(out: Path) -> dict[str, tuple[int, int]]:
    """Return the inode and modification time of the output folder and of everything in it."""
    paths = [out, *out.rglob("*")]
    return {str(path): (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in paths}


def content(out: Path) -> dict[str, tuple[int, int]]:
    """Return the inode and time of all files and folders, except the lock and the folders holding the trees."""
    around = {str(out), f"{out}/prod", f"{out}/{switch.LOCK}"}
    return {path: state for path, state in everything(out).items() if path not in around}


def leftovers(out: Path) -> list[str]:
    """Return hidden files and folders next to the trees, which a run should have removed."""
    return [path.name for path in (out / "prod").iterdir() if path.name.startswith(".")]


def a_folder(path: Path) -> None:
    """Create a folder with a file, as a user would."""
    path.mkdir(parents=True)
    (path / "mine").write_text("mine")


def a_file(path: Path) -> None:
    """Create a file, as a user would."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")


def a_link(path: Path) -> None:
    """Create a symbolic link that leads out of the output folder, as a user might."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("/tmp", target_is_directory=True)
