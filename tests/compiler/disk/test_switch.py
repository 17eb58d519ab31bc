"""Tests that a new tree replaces the old one on any file system, even after a crashed run or during other runs."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelyard.disk import (
    switch,
    unchanged,
)
from tests.compiler.disk.written import FILES, Counts, a_folder, leftovers, tree, write


def test_leftovers_of_dead_runs_are_removed(tmp_path: Path) -> None:
    """Folders prepared by crashed runs are removed, but not their links' targets or folders with similar names."""
    write(tmp_path, FILES)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/o").write_text("o")
    for name in (".main.123-0123abcd", ".main.9-0123abcd.old", ".gone.7-00000000"):
        a_folder(tmp_path / "prod" / name / "sub")
        (tmp_path / "prod" / name / "link").symlink_to(tmp_path / "outside")
    a_folder(tmp_path / "prod/.main.backup")
    write(tmp_path, FILES)

    assert leftovers(tmp_path) == [".main.backup"]
    assert (tmp_path / "outside/o").read_text() == "o"


def test_a_tree_renamed_aside_by_a_dead_run_is_restored(tmp_path: Path) -> None:
    """No tree is lost if a run dies between its two renames."""
    write(tmp_path, FILES)
    (tmp_path / "prod/main/NOTES.md").write_text("mine")
    os.rename(tmp_path / "prod/main", tmp_path / "prod/.main.123-0123abcd.old")
    assert not unchanged(tmp_path, "prod", "main", "k")

    assert write(tmp_path, FILES) == (Counts(0, 4, 0), [])
    assert tree(tmp_path) == {**FILES, "NOTES.md": "mine"}


def test_without_atomic_exchange_two_renames_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is the same on systems that cannot exchange two folders."""

    def cannot(_one: str, _other: str) -> bool:
        return False

    monkeypatch.setattr(switch, "_exchange", cannot)
    write(tmp_path, FILES)
    (tmp_path / "prod/main/NOTES.md").write_text("mine")

    assert write(tmp_path, {"README.md": "two"}) == (Counts(1, 0, 3), [])
    assert tree(tmp_path) == {"README.md": "two", "NOTES.md": "mine"}
    assert leftovers(tmp_path) == []


def test_without_hard_links_files_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without hard links, unchanged files are copied along with their modification time."""
    write(tmp_path, FILES)
    before = (tmp_path / "prod/main/README.md").stat()

    def none(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", none)
    assert write(tmp_path, {**FILES, "w/b": "B"}) == (Counts(1, 3, 0), [])
    assert tree(tmp_path) == {**FILES, "w/b": "B"}
    assert (tmp_path / "prod/main/README.md").stat().st_mtime_ns == before.st_mtime_ns


def test_a_busy_output_folder_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that can't get the lock in time reports that another process holds it, and writes nothing."""
    monkeypatch.setattr(switch, "PATIENCE_S", 0.05)
    with switch.locked(str(tmp_path)):
        _, problems = write(tmp_path, FILES)

    assert problems == [f"E0706 another modelyard process is writing to '{tmp_path}'"]
    assert not (tmp_path / "prod").exists()
    assert write(tmp_path, FILES)[1] == []


TWO_RUNS = """
import sys
from pathlib import Path
from modelyard.disk import OutputFile, write_tree
for turn in range(25):
    files = [OutputFile(f"{n % 7}/{n}", (sys.argv[2] + str(turn)).encode) for n in range(40)]
    report, problems = write_tree(Path(sys.argv[1]), "prod", "main", files, sys.argv[2])
    assert not problems, problems
    assert report.total == 40
"""


def test_two_runs_at_once_do_not_mix(tmp_path: Path) -> None:
    """Concurrent runs take turns, and the final tree comes from the last run."""
    runs = [subprocess.Popen([sys.executable, "-c", TWO_RUNS, str(tmp_path), name]) for name in ("a", "b")]

    assert [run.wait(60) for run in runs] == [0, 0]
    content = tree(tmp_path)
    assert len(content) == 40
    assert set(content.values()) in ({"a24"}, {"b24"})
    assert leftovers(tmp_path) == []
