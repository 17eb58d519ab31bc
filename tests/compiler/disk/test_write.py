"""Tests that trees are written completely, all together or not at all, without touching unchanged files."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from modelyard.disk import (
    RECORD,
    OutputFile,
    Tree,
    switch,
    unchanged,
    write_tree,
    write_trees,
)
from tests.compiler.disk.written import (
    FILES,
    Counts,
    content,
    counted,
    everything,
    leftovers,
    messages_of,
    outputs,
    tree,
    write,
)


def test_a_tree_is_written(tmp_path: Path) -> None:
    """All files of a tree have the usual permissions, and no other files are written."""
    mask = os.umask(0o022)
    try:
        report, problems = write(tmp_path / "build", FILES)
    finally:
        os.umask(mask)
    root = tmp_path / "build/prod/main"

    assert (report, problems) == (Counts(4, 0, 0), [])
    assert tree(tmp_path / "build") == FILES
    assert leftovers(tmp_path / "build") == []
    assert (root / "README.md").stat().st_mode & 0o777 == 0o644
    assert (root / "workloads").stat().st_mode & 0o777 == 0o755


def test_an_unchanged_tree_is_not_touched(tmp_path: Path) -> None:
    """Writing the same files again preserves the inode and modification time of every file and folder."""
    write(tmp_path, FILES)
    (tmp_path / "prod/main/NOTES.md").write_text("mine")
    before = everything(tmp_path)
    report, problems = write(tmp_path, FILES)

    assert (report, problems) == (Counts(0, 4, 0), [])
    assert everything(tmp_path) == before


def test_only_a_changed_file_is_written(tmp_path: Path) -> None:
    """All other files keep their inode and time, and have a single link."""
    write(tmp_path, FILES)
    before = everything(tmp_path)
    report, _ = write(tmp_path, {**FILES, "w/b": "B"}, "k2")
    after = everything(tmp_path)
    changed = {path for path in before if Path(path).is_file() and before[path] != after[path]}

    assert report == Counts(1, 3, 0)
    assert changed == {str(tmp_path / "prod/main/w/b"), str(tmp_path / "prod/main" / RECORD)}
    assert (tmp_path / "prod/main/README.md").stat().st_nlink == 1


def test_a_new_key_rewrites_only_the_record(tmp_path: Path) -> None:
    """If the spec changes but the output doesn't, only the tree's small record is rewritten."""
    write(tmp_path, FILES)
    before = everything(tmp_path)
    write(tmp_path, FILES, "k2")
    after = everything(tmp_path)

    assert {path for path in after if Path(path).is_file() and before[path] != after[path]} == {
        str(tmp_path / "prod/main" / RECORD)
    }
    assert unchanged(tmp_path, "prod", "main", "k2")
    assert leftovers(tmp_path) == []


def test_files_no_longer_in_the_output_are_removed(tmp_path: Path) -> None:
    """Files no longer in the output are removed, along with any folders that become empty."""
    write(tmp_path, FILES)
    report, problems = write(tmp_path, {"README.md": "one"})

    assert (report, problems) == (Counts(0, 1, 3), [])
    assert tree(tmp_path) == {"README.md": "one"}


def test_a_file_may_become_a_folder_and_back(tmp_path: Path) -> None:
    """A file that we write may replace a folder that we wrote, and vice versa."""
    write(tmp_path, {"a": "1", "b/c": "2"})
    _, problems = write(tmp_path, {"a/x": "3", "b": "4"})

    assert problems == []
    assert tree(tmp_path) == {"a/x": "3", "b": "4"}


def test_the_output_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    """The user chose the output folder, so it may be a link."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "build").symlink_to("disk")

    assert write(tmp_path / "build", FILES)[1] == []
    assert tree(tmp_path / "disk") == FILES


def test_several_targets_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    """A conflict in one target leaves all targets unchanged."""
    trees = [Tree("prod", name, list(outputs(FILES)), "k") for name in ("cloud", "edge")]
    reports, problems = write_trees(tmp_path, trees)

    assert (tuple(map(counted, reports)), problems) == ((Counts(4, 0, 0), Counts(4, 0, 0)), ())
    assert reports[0].total == 4
    (tmp_path / "prod/edge/README.md").write_text("edited")
    before = content(tmp_path)
    changed = [Tree("prod", name, list(outputs({"README.md": "two"})), "k") for name in ("cloud", "edge")]
    reports, problems = write_trees(tmp_path, changed)

    assert reports == ()
    assert [problem.code for problem in problems] == ["E0701"]
    assert content(tmp_path) == before


def test_a_failed_switch_restores_earlier_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the second of three targets can't be switched, the first target is restored."""
    names = ("one", "two", "three")
    write_trees(tmp_path, [Tree("prod", name, list(outputs({"a": "old"})), "k") for name in names[:2]])
    real = switch.switch

    def failing(folder: str, root: str) -> bool:
        if root.endswith("/two"):
            raise OSError(errno.EIO, "disk on fire", root)
        return real(folder, root)

    monkeypatch.setattr("modelyard.disk.write.switch", failing)
    _, problems = write_trees(tmp_path, [Tree("prod", name, list(outputs({"a": "new"})), "k2") for name in names])

    assert messages_of(problems, tmp_path) == ["E0707 cannot write 'prod/two': disk on fire"]
    assert (tmp_path / "prod/one/a").read_text() == "old"
    assert sorted(path.name for path in (tmp_path / "prod").iterdir()) == ["one", "two"]


def test_a_full_disk_is_reported_with_the_final_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk, no file is half-written, and the error names the final path rather than the temporary one."""
    write(tmp_path, FILES)
    before = tree(tmp_path)

    def full(_path: str, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), _path)

    monkeypatch.setattr("modelyard.disk.stage.write_new", full)
    _, problems = write(tmp_path, {**FILES, "w/b": "B"})

    assert problems == ["E0707 cannot write 'prod/main/w/b': no space left on device"]
    assert tree(tmp_path) == before
    assert leftovers(tmp_path) == []


def test_an_output_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    """If the output folder is a file, the message includes the operating system's reason."""
    (tmp_path / "build").write_text("")

    assert write(tmp_path / "build", FILES)[1] == [f"E0707 cannot write '{tmp_path}/build': file exists"]


def test_control_c_leaves_nothing_behind(tmp_path: Path) -> None:
    """An interrupt during rendering ends the run and removes the prepared files."""
    write(tmp_path, FILES)

    def interrupted() -> bytes:
        raise KeyboardInterrupt

    files = [OutputFile("new", lambda: b"n"), OutputFile("z", interrupted)]
    with pytest.raises(KeyboardInterrupt):
        write_tree(tmp_path, "prod", "main", files, "k2")

    assert tree(tmp_path) == FILES
    assert leftovers(tmp_path) == []
    assert write(tmp_path, FILES) == (Counts(0, 4, 0), [])
