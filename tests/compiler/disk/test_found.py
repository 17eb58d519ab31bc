"""Tests that files that users add or edit in an output tree are never lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.disk import (
    switch,
)
from tests.compiler.disk.written import FILES, Counts, content, leftovers, tree, write


def test_files_of_others_are_kept(tmp_path: Path) -> None:
    """Files, links and folders added by users are kept, even empty folders. Links aren't followed."""
    write(tmp_path, FILES)
    root = tmp_path / "prod/main"
    (root / "NOTES.md").write_text("mine")
    (root / "workloads/Pulumi.dev.yaml").write_text("config: {}")
    (root / "venv/lib").mkdir(parents=True)
    (root / "venv/lib/x.py").write_text("x")
    (root / "venv/empty").mkdir(mode=0o500)
    (root / "venv/python").symlink_to("/usr/bin/python3")
    (root / "lost").symlink_to("nowhere")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/o").write_text("o")
    (root / "venv/folder").symlink_to(tmp_path / "outside")
    inode = (root / "venv/lib/x.py").stat().st_ino
    report, problems = write(tmp_path, {"README.md": "two"})

    assert (report, problems) == (Counts(1, 0, 3), [])
    assert tree(tmp_path) == {
        "README.md": "two",
        "NOTES.md": "mine",
        "workloads/Pulumi.dev.yaml": "config: {}",
        "venv/lib/x.py": "x",
        "venv/empty/": "",
        "venv/python": "-> /usr/bin/python3",
        "lost": "-> nowhere",
        "venv/folder": f"-> {tmp_path}/outside",
    }
    assert (root / "venv/lib/x.py").stat().st_ino == inode
    assert (tmp_path / "outside/o").read_text() == "o"
    assert leftovers(tmp_path) == []


def test_an_edited_file_stops_the_whole_write(tmp_path: Path) -> None:
    """If a compile would change or remove an edited file, it reports the file and writes nothing."""
    write(tmp_path, FILES)
    root = tmp_path / "prod/main"
    for path in ("README.md", "workloads/Pulumi.yaml", "w/b"):
        (root / path).write_text("edited")
    before = content(tmp_path)
    _, problems = write(tmp_path, {"README.md": "two", "workloads/Pulumi.yaml": "name: a", "new": "n"})

    assert problems == [
        f"E0701 'prod/main/{path}' was edited after modelyard wrote it"
        for path in ("README.md", "workloads/Pulumi.yaml", "w/b")
    ]
    assert content(tmp_path) == before


def test_force_keeps_a_copy_of_the_edited_text(tmp_path: Path) -> None:
    """The copy gets an unused name, and the next compile keeps it like any other user file."""
    write(tmp_path, FILES)
    root = tmp_path / "prod/main"
    (root / "README.md").write_text("edited")
    (root / "README.md.edited").write_text("earlier")
    (root / "w/b").write_text("gone but edited")
    _, problems = write(tmp_path, {"README.md": "two"}, force=True)

    assert problems == []
    expected = {
        "README.md": "two",
        "README.md.edited": "earlier",
        "README.md.edited-2": "edited",
        "w/b.edited": "gone but edited",
    }
    assert tree(tmp_path) == expected
    assert write(tmp_path, {"README.md": "two"}) == (Counts(0, 1, 0), [])
    assert tree(tmp_path) == expected


def test_an_edit_equal_to_the_new_content_is_no_conflict(tmp_path: Path) -> None:
    """An edit that equals the new content is accepted without an error."""
    write(tmp_path, FILES)
    (tmp_path / "prod/main/README.md").write_text("two")

    assert write(tmp_path, {**FILES, "README.md": "two"}) == (Counts(0, 4, 0), [])


def test_a_deleted_file_is_written_again(tmp_path: Path) -> None:
    """A compile restores a deleted file."""
    write(tmp_path, FILES)
    (tmp_path / "prod/main/w/b").unlink()

    assert write(tmp_path, FILES) == (Counts(1, 3, 0), [])
    assert tree(tmp_path) == FILES


def test_a_file_of_others_is_not_overwritten(tmp_path: Path) -> None:
    """A user's file at one of our paths is an error unless the contents match.

    With force, it is kept under a different name.
    """
    root = tmp_path / "prod/main"
    (root / "w").mkdir(parents=True)
    (root / "README.md").write_text("mine")
    (root / "w/b").write_text("b")
    _, problems = write(tmp_path, FILES)

    assert problems == [
        "E0702 modelyard needs to write 'prod/main/README.md', but did not create the existing file",
    ]
    assert tree(tmp_path) == {"README.md": "mine", "w/b": "b"}
    assert write(tmp_path, FILES, force=True) == (Counts(3, 1, 0), [])
    assert tree(tmp_path) == {**FILES, "README.md.edited": "mine"}


def test_last_moment_changes_are_rescued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files added or edited by users between the check and the switch of trees are moved into the new tree."""
    write(tmp_path, FILES)
    real = switch.switch

    def meanwhile(folder: str, root: str) -> bool:
        Path(root, "late/deep").mkdir(parents=True)
        Path(root, "late/deep/x").write_text("late")
        Path(root, "w/b").write_text("edited late")
        return real(folder, root)

    monkeypatch.setattr("modelyard.disk.write.switch", meanwhile)
    assert write(tmp_path, {**FILES, "w/b": "B"})[1] == []
    assert tree(tmp_path) == {**FILES, "w/b": "B", "w/b.edited": "edited late", "late/deep/x": "late"}
