"""Trees on disk: whole or not at all, untouched when nothing changed, never at the cost of somebody's file."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from modelyard.diagnostics import Diagnostic
from modelyard.disk import (
    RECORD,
    OutputFile,
    Report,
    Tree,
    switch,
    unchanged,
    write_file_atomically,
    write_tree,
    write_trees,
)

FILES = {"README.md": "one", "workloads/Pulumi.yaml": "name: a", "workloads/manifests/a.yaml": "a: 1", "w/b": "b"}


def outputs(files: Mapping[str, str]) -> Iterator[OutputFile]:
    """Output files with these texts."""
    for path, text in files.items():
        yield OutputFile(path, lambda text=text: text.encode())  # type: ignore[misc]


def write(
    out: Path, files: Mapping[str, str], key: str = "k", *, target: str = "main", force: bool = False
) -> tuple[Report, list[str]]:
    """Write one tree; the codes of what was in the way, and the path that each names."""
    report, problems = write_tree(out, "prod", target, outputs(files), key, force)
    return report, told(problems, out)


def told(problems: Iterable[Diagnostic], out: Path) -> list[str]:
    """Each problem as its code and the quoted path."""
    return [f"{found.code} {found.message.replace(str(out) + '/', '')}" for found in problems]


def tree(out: Path) -> dict[str, str]:
    """Every file below the tree that is no record, with its text; folders that are empty too."""
    root = out / "prod" / "main"
    found: dict[str, str] = {}
    for folder, folders, files in os.walk(root):
        for name in files:
            path = Path(folder, name)
            text = f"-> {os.readlink(path)}" if path.is_symlink() else path.read_text()
            found[path.relative_to(root).as_posix()] = text
        for name in folders:
            path = Path(folder, name)
            if path.is_symlink():
                found[path.relative_to(root).as_posix()] = f"-> {os.readlink(path)}"
            elif not any(path.iterdir()):
                found[path.relative_to(root).as_posix() + "/"] = ""
    found.pop(RECORD, None)
    return found


def everything(out: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of every file and folder below the output folder, itself included."""
    paths = [out, *out.rglob("*")]
    return {str(path): (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in paths}


def content(out: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of everything but the folders in which the lock and the preparations come and go."""
    around = {str(out), f"{out}/prod", f"{out}/{switch.LOCK}"}
    return {path: seen for path, seen in everything(out).items() if path not in around}


def leftovers(out: Path) -> list[str]:
    """Whatever lies beside the trees."""
    return [path.name for path in (out / "prod").iterdir() if path.name.startswith(".")]


def test_a_tree_is_written(tmp_path: Path) -> None:
    """All files, with the usual permissions, nothing beside them."""
    mask = os.umask(0o022)
    try:
        report, problems = write(tmp_path / "build", FILES)
    finally:
        os.umask(mask)
    root = tmp_path / "build/prod/main"

    assert (report, problems) == (Report(4, 0, 0), [])
    assert report.total == 4
    assert tree(tmp_path / "build") == FILES
    assert leftovers(tmp_path / "build") == []
    assert (root / "README.md").stat().st_mode & 0o777 == 0o644
    assert (root / "workloads").stat().st_mode & 0o777 == 0o755


def test_nothing_changed_touches_nothing(tmp_path: Path) -> None:
    """The same again leaves every file and every folder as it was, inode and time."""
    write(tmp_path, FILES)
    (tmp_path / "prod/main/NOTES.md").write_text("mine")
    before = everything(tmp_path)
    report, problems = write(tmp_path, FILES)

    assert (report, problems) == (Report(0, 4, 0), [])
    assert everything(tmp_path) == before


def test_one_changed_file_is_the_only_one_written(tmp_path: Path) -> None:
    """All others keep inode and time, and have one name each."""
    write(tmp_path, FILES)
    before = everything(tmp_path)
    report, _ = write(tmp_path, {**FILES, "w/b": "B"}, "k2")
    after = everything(tmp_path)
    changed = {path for path in before if Path(path).is_file() and before[path] != after[path]}

    assert report == Report(1, 3, 0)
    assert changed == {str(tmp_path / "prod/main/w/b"), str(tmp_path / "prod/main" / RECORD)}
    assert (tmp_path / "prod/main/README.md").stat().st_nlink == 1


def test_another_key_changes_the_record_only(tmp_path: Path) -> None:
    """A spec that changed and came out the same writes one small file."""
    write(tmp_path, FILES)
    before = everything(tmp_path)
    write(tmp_path, FILES, "k2")
    after = everything(tmp_path)

    assert {path for path in after if Path(path).is_file() and before[path] != after[path]} == {
        str(tmp_path / "prod/main" / RECORD)
    }
    assert unchanged(tmp_path, "prod", "main", "k2")
    assert leftovers(tmp_path) == []


def test_the_same_tree_has_the_same_record(tmp_path: Path) -> None:
    """No time, no path, no order of writing is in it."""
    write(tmp_path / "a", FILES)
    write(tmp_path / "b", dict(reversed(FILES.items())))

    assert (tmp_path / "a/prod/main" / RECORD).read_bytes() == (tmp_path / "b/prod/main" / RECORD).read_bytes()


def test_files_that_are_no_more_are_removed(tmp_path: Path) -> None:
    """Files of ours go, and the folders that held nothing else."""
    write(tmp_path, FILES)
    report, problems = write(tmp_path, {"README.md": "one"})

    assert (report, problems) == (Report(0, 1, 3), [])
    assert tree(tmp_path) == {"README.md": "one"}


def test_a_file_may_become_a_folder_and_back(tmp_path: Path) -> None:
    """What is ours may change its shape."""
    write(tmp_path, {"a": "1", "b/c": "2"})
    _, problems = write(tmp_path, {"a/x": "3", "b": "4"})

    assert problems == []
    assert tree(tmp_path) == {"a/x": "3", "b": "4"}


def test_what_others_put_there_stays(tmp_path: Path) -> None:
    """Files, links, empty folders and whole folders of others come along; links are not followed."""
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

    assert (report, problems) == (Report(1, 0, 3), [])
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


def test_an_edited_file_refuses_the_whole_write(tmp_path: Path) -> None:
    """Whether it would be changed or would go: the edit is named, and nothing is written."""
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


def test_force_keeps_the_edited_text_beside(tmp_path: Path) -> None:
    """Under a name that nothing has; and the next compile carries it like any file of others."""
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
    assert write(tmp_path, {"README.md": "two"}) == (Report(0, 1, 0), [])
    assert tree(tmp_path) == expected


def test_an_edit_that_says_the_same_is_no_edit(tmp_path: Path) -> None:
    """Somebody who wrote just what would be written is in nobody's way."""
    write(tmp_path, FILES)
    (tmp_path / "prod/main/README.md").write_text("two")

    assert write(tmp_path, {**FILES, "README.md": "two"}) == (Report(0, 4, 0), [])


def test_a_file_that_was_deleted_is_written_again(tmp_path: Path) -> None:
    """Deleting a file of ours is undone by compiling."""
    write(tmp_path, FILES)
    (tmp_path / "prod/main/w/b").unlink()

    assert write(tmp_path, FILES) == (Report(1, 3, 0), [])
    assert tree(tmp_path) == FILES


def test_a_file_of_others_is_not_overwritten(tmp_path: Path) -> None:
    """At a path of ours it refuses the write; with force it is kept beside; what is the same is adopted."""
    root = tmp_path / "prod/main"
    (root / "w").mkdir(parents=True)
    (root / "README.md").write_text("mine")
    (root / "w/b").write_text("b")
    _, problems = write(tmp_path, FILES)

    assert problems == [
        "E0702 'prod/main/README.md' is not a file that modelyard wrote, and it wants to write there",
    ]
    assert tree(tmp_path) == {"README.md": "mine", "w/b": "b"}
    assert write(tmp_path, FILES, force=True) == (Report(3, 1, 0), [])
    assert tree(tmp_path) == {**FILES, "README.md.edited": "mine"}


def a_folder(path: Path) -> None:
    """A folder with a file of somebody."""
    path.mkdir(parents=True)
    (path / "mine").write_text("mine")


def a_file(path: Path) -> None:
    """A file of somebody."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")


def a_link(path: Path) -> None:
    """A link that leads out of the output folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("/tmp", target_is_directory=True)


@pytest.mark.parametrize(
    ("path", "make", "code"),
    [
        ("prod", a_file, "E0703"),
        ("prod", a_link, "E0704"),
        ("prod/main", a_file, "E0703"),
        ("prod/main", a_link, "E0704"),
        ("prod/main/workloads", a_file, "E0703"),
        ("prod/main/workloads", a_link, "E0704"),
        ("prod/main/workloads/manifests", a_link, "E0704"),
        ("prod/main/README.md", a_folder, "E0703"),
        ("prod/main/README.md", a_link, "E0704"),
        (f"prod/main/{RECORD}", a_folder, "E0703"),
        (f"prod/main/{RECORD}", a_link, "E0704"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_links_and_folders_in_the_way(
    tmp_path: Path, path: str, make: Callable[[Path], None], code: str, force: bool
) -> None:
    """They are named and never followed, removed or moved, not even with force."""
    make(tmp_path / path)
    before = content(tmp_path)
    _, problems = write(tmp_path, FILES, force=force)

    assert [problem.partition("' ")[0] for problem in problems] == [f"{code} '{path}"]
    assert content(tmp_path) == before
    assert set(os.listdir(tmp_path)) == {"prod", switch.LOCK}


def test_the_output_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    """It was given by the user, who knows where it leads."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "build").symlink_to("disk")

    assert write(tmp_path / "build", FILES)[1] == []
    assert tree(tmp_path / "disk") == FILES


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/x",
        "../x",
        "a/../b",
        "a//b",
        "./a",
        "a/",
        "a\\b",
        "a\0b",
        "a/" + "x" * 256,
        "ü" * 128,
        "\ud800",
        RECORD,
    ],
)
def test_paths_that_are_none_are_refused(tmp_path: Path, path: str) -> None:
    """Nothing is written outside the tree, and nothing that a system cannot hold."""
    _, problems = write(tmp_path, {**FILES, path: "x"})

    assert [problem[:5] for problem in problems] == ["E0705"]
    assert not (tmp_path / "prod").exists()


@pytest.mark.parametrize(
    ("one", "other"),
    [("a", "A"), ("x/a", "X/b"), ("a", "a/b"), ("a/b", "a"), ("straße", "STRASSE"), ("é", "e\u0301"), ("a", "a")],
)
def test_paths_that_meet_are_refused(tmp_path: Path, one: str, other: str) -> None:
    """Some systems hold only one of two names that differ in case or composition."""
    files = [OutputFile(one, lambda: b"1"), OutputFile(other, lambda: b"2")]
    _, problems = write_tree(tmp_path, "prod", "main", files, "k")

    assert [found.code for found in problems] == ["E0705"]


@pytest.mark.parametrize("name", ["..", ".hidden", "a/b", "", "a\0", "x" * 256])
def test_names_that_are_no_folder_are_refused(tmp_path: Path, name: str) -> None:
    """An environment and a target are one folder each."""
    for environment, target in ((name, "main"), ("prod", name)):
        _, problems = write_tree(tmp_path / "build", environment, target, outputs(FILES), "k")

        assert [found.code for found in problems] == ["E0705"]
    assert not (tmp_path / "build").exists()


def test_several_targets_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    """What is in the way of one target leaves all of them as they were."""
    trees = [Tree("prod", name, list(outputs(FILES)), "k") for name in ("cloud", "edge")]
    assert write_trees(tmp_path, trees) == ((Report(4, 0, 0), Report(4, 0, 0)), ())
    (tmp_path / "prod/edge/README.md").write_text("edited")
    before = content(tmp_path)
    changed = [Tree("prod", name, list(outputs({"README.md": "two"})), "k") for name in ("cloud", "edge")]
    reports, problems = write_trees(tmp_path, changed)

    assert reports == ()
    assert [found.code for found in problems] == ["E0701"]
    assert content(tmp_path) == before


def test_a_switch_that_fails_takes_back_those_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of three targets cannot be switched: the first is again what it was."""
    names = ("one", "two", "three")
    write_trees(tmp_path, [Tree("prod", name, list(outputs({"a": "old"})), "k") for name in names[:2]])
    real = switch.switch

    def failing(folder: str, root: str) -> bool:
        if root.endswith("/two"):
            raise OSError(errno.EIO, "disk on fire", root)
        return real(folder, root)

    monkeypatch.setattr("modelyard.disk.write.switch", failing)
    _, problems = write_trees(tmp_path, [Tree("prod", name, list(outputs({"a": "new"})), "k2") for name in names])

    assert told(problems, tmp_path) == ["E0707 cannot write 'prod/two': disk on fire"]
    assert (tmp_path / "prod/one/a").read_text() == "old"
    assert sorted(path.name for path in (tmp_path / "prod").iterdir()) == ["one", "two"]


def test_a_full_disk_is_told_with_the_path_of_the_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is half-written, and the message does not name the folder in which the tree was prepared."""
    write(tmp_path, FILES)
    before = tree(tmp_path)

    def full(_path: str, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), _path)

    monkeypatch.setattr("modelyard.disk.stage.write_new", full)
    _, problems = write(tmp_path, {**FILES, "w/b": "B"})

    assert problems == ["E0707 cannot write 'prod/main/w/b': No space left on device"]
    assert tree(tmp_path) == before
    assert leftovers(tmp_path) == []


def test_an_output_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    """The reason of the system is passed on."""
    (tmp_path / "build").write_text("")

    assert write(tmp_path / "build", FILES)[1] == [f"E0707 cannot write '{tmp_path}/build': File exists"]


def test_control_c_leaves_nothing_behind(tmp_path: Path) -> None:
    """An interrupt while a file is made ends the run and removes what was prepared."""
    write(tmp_path, FILES)

    def interrupted() -> bytes:
        raise KeyboardInterrupt

    files = [OutputFile("new", lambda: b"n"), OutputFile("z", interrupted)]
    with pytest.raises(KeyboardInterrupt):
        write_tree(tmp_path, "prod", "main", files, "k2")

    assert tree(tmp_path) == FILES
    assert leftovers(tmp_path) == []
    assert write(tmp_path, FILES) == (Report(0, 4, 0), [])


def test_what_dead_runs_left_is_removed(tmp_path: Path) -> None:
    """Prepared folders go, what they link to does not, and folders that only look alike stay."""
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


def test_a_tree_renamed_aside_by_a_dead_run_is_put_back(tmp_path: Path) -> None:
    """Where two renames are needed, a run that died between them has lost nothing."""
    write(tmp_path, FILES)
    (tmp_path / "prod/main/NOTES.md").write_text("mine")
    os.rename(tmp_path / "prod/main", tmp_path / "prod/.main.123-0123abcd.old")
    assert not unchanged(tmp_path, "prod", "main", "k")

    assert write(tmp_path, FILES) == (Report(0, 4, 0), [])
    assert tree(tmp_path) == {**FILES, "NOTES.md": "mine"}


def test_without_an_exchange_two_renames_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On systems that cannot exchange two folders the result is the same."""

    def cannot(_one: str, _other: str) -> bool:
        return False

    monkeypatch.setattr(switch, "_exchange", cannot)
    write(tmp_path, FILES)
    (tmp_path / "prod/main/NOTES.md").write_text("mine")

    assert write(tmp_path, {"README.md": "two"}) == (Report(1, 0, 3), [])
    assert tree(tmp_path) == {"README.md": "two", "NOTES.md": "mine"}
    assert leftovers(tmp_path) == []


def test_without_hard_links_files_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On file systems that have none, time and content stay."""
    write(tmp_path, FILES)
    before = (tmp_path / "prod/main/README.md").stat()

    def none(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", none)
    assert write(tmp_path, {**FILES, "w/b": "B"}) == (Report(1, 3, 0), [])
    assert tree(tmp_path) == {**FILES, "w/b": "B"}
    assert (tmp_path / "prod/main/README.md").stat().st_mtime_ns == before.st_mtime_ns


def test_what_is_written_in_the_last_moment_is_rescued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that appears or is edited between looking and switching is moved into the new tree."""
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


def test_unchanged_asks_key_and_content(tmp_path: Path) -> None:
    """Another key, a missing tree, an edit of the same length and time, a file that is gone: all are changes."""
    assert not unchanged(tmp_path, "prod", "main", "k")
    write(tmp_path, FILES)
    readme = tmp_path / "prod/main/README.md"
    status = readme.stat()

    assert unchanged(tmp_path, "prod", "main", "k")
    assert not unchanged(tmp_path, "prod", "main", "k2")
    assert not unchanged(tmp_path, "prod", "other", "k")
    readme.write_text("eno")
    os.utime(readme, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert not unchanged(tmp_path, "prod", "main", "k")
    readme.unlink()
    assert not unchanged(tmp_path, "prod", "main", "k")
    readme.write_text("one")
    (tmp_path / "prod/main/NOTES.md").write_text("mine")
    assert unchanged(tmp_path, "prod", "main", "k")
    os.rename(tmp_path / "prod/main/w", tmp_path / "w")
    (tmp_path / "prod/main/w").symlink_to(tmp_path / "w")
    assert not unchanged(tmp_path, "prod", "main", "k")


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"{}", b'{"key": "k", "files": []}', b'{"key": 1, "files": {}}', b"[" * 100_000, b"\xff"],
    ids=range(8),
)
def test_a_record_that_is_none_protects_every_file(tmp_path: Path, text: bytes) -> None:
    """Without a record nothing counts as ours: the same content is adopted, other content is not overwritten."""
    write(tmp_path, FILES)
    (tmp_path / "prod/main" / RECORD).write_bytes(text)

    assert not unchanged(tmp_path, "prod", "main", "k")
    assert write(tmp_path, {**FILES, "w/b": "B"})[1] == [
        "E0702 'prod/main/w/b' is not a file that modelyard wrote, and it wants to write there"
    ]
    assert write(tmp_path, FILES) == (Report(0, 4, 0), [])
    assert unchanged(tmp_path, "prod", "main", "k")


def test_a_record_cannot_lead_out_of_the_tree(tmp_path: Path) -> None:
    """A record that somebody edited removes and reads nothing elsewhere."""
    write(tmp_path, FILES)
    (tmp_path / "victim").write_text("v")
    record = tmp_path / "prod/main" / RECORD
    record.write_text(record.read_text().replace('"w/b"', '"../../victim"'))
    report, problems = write(tmp_path, {"README.md": "one", "w/b": "b"})

    assert problems == []
    assert report == Report(0, 2, 2)
    assert (tmp_path / "victim").read_text() == "v"


def test_a_busy_output_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that does not get the lock in time says who has it, and writes nothing."""
    monkeypatch.setattr(switch, "PATIENCE_S", 0.05)
    with switch.locked(str(tmp_path)):
        _, problems = write(tmp_path, FILES)

    assert problems == [f"E0706 another modelyard writes to '{tmp_path}'"]
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
    """They take turns; at the end the tree is what one of them wrote last."""
    runs = [subprocess.Popen([sys.executable, "-c", TWO_RUNS, str(tmp_path), name]) for name in ("a", "b")]

    assert [run.wait(60) for run in runs] == [0, 0]
    found = tree(tmp_path)
    assert len(found) == 40
    assert set(found.values()) in ({"a24"}, {"b24"})
    assert leftovers(tmp_path) == []


def test_a_single_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    """Written, untouched when it is the same, never through a link, and what dead runs left goes."""
    path = tmp_path / "modelyard.lock"
    assert write_file_atomically(path, b"one") == ()
    before = everything(tmp_path)
    assert write_file_atomically(path, b"one") == ()
    assert everything(tmp_path) == before
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f".modelyard.lock.{dead.pid}-0123abcd").write_text("half")
    (tmp_path / f".modelyard.lock.{os.getpid()}-0123abcd").write_text("alive")
    assert write_file_atomically(path, b"two") == ()
    assert path.read_bytes() == b"two"
    assert sorted(found.name for found in tmp_path.iterdir()) == [
        f".modelyard.lock.{os.getpid()}-0123abcd",
        "modelyard.lock",
    ]
    path.unlink()
    path.symlink_to("elsewhere")
    assert [found.code for found in write_file_atomically(path, b"x")] == ["E0704"]
    assert not (tmp_path / "elsewhere").exists()
    assert [found.code for found in write_file_atomically(tmp_path, b"x")] == ["E0703"]
    assert [found.code for found in write_file_atomically(tmp_path / "none/x", b"x")] == ["E0707"]
