"""Tests that trees aren't written if paths leave the tree or collide, or links or folders are in the way."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from modelyard.disk import (
    RECORD,
    OutputFile,
    switch,
    write_tree,
)
from tests.compiler.disk.written import FILES, a_file, a_folder, a_link, content, outputs, write


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
def test_links_and_folders_in_the_way_are_refused(
    tmp_path: Path, path: str, make: Callable[[Path], None], code: str, force: bool
) -> None:
    """Links and folders in the way are reported, but never followed, removed or moved, even with force."""
    make(tmp_path / path)
    before = content(tmp_path)
    _, problems = write(tmp_path, FILES, force=force)

    assert [problem.partition("' ")[0] for problem in problems] == [f"{code} '{path}"]
    assert content(tmp_path) == before
    assert set(os.listdir(tmp_path)) == {"prod", switch.LOCK}


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
def test_invalid_paths_are_refused(tmp_path: Path, path: str) -> None:
    """Nothing is written outside the tree, or under a name that some file systems can't store."""
    _, problems = write(tmp_path, {**FILES, path: "x"})

    assert [problem[:5] for problem in problems] == ["E0705"]
    assert not (tmp_path / "prod").exists()


@pytest.mark.parametrize(
    ("path", "other"),
    [("a", "A"), ("x/a", "X/b"), ("a", "a/b"), ("a/b", "a"), ("straße", "STRASSE"), ("é", "e\u0301"), ("a", "a")],
)
def test_colliding_paths_are_refused(tmp_path: Path, path: str, other: str) -> None:
    """Paths that only differ in case or Unicode composition are refused, as some file systems mix them up."""
    files = [OutputFile(path, lambda: b"1"), OutputFile(other, lambda: b"2")]
    _, problems = write_tree(tmp_path, "prod", "main", files, "k")

    assert [problem.code for problem in problems] == ["E0705"]


@pytest.mark.parametrize("name", ["..", ".hidden", "a/b", "", "a\0", "x" * 256])
def test_invalid_folder_names_are_refused(tmp_path: Path, name: str) -> None:
    """The environment and the target must each be the name of a single folder."""
    for environment, target in ((name, "main"), ("prod", name)):
        _, problems = write_tree(tmp_path / "build", environment, target, outputs(FILES), "k")

        assert [problem.code for problem in problems] == ["E0705"]
    assert not (tmp_path / "build").exists()
