"""Tests that each example's lock is committed alongside its spec and is up to date."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from modelyard.cli import main
from modelyard.inputs import LOCK_NAME
from tests.examples import FOLDER, golden_examples

COMPILED = {
    name: [each.environment for each in golden_examples() if each.name == name and each.root == FOLDER]
    for name in sorted(path.parent.name for path in FOLDER.glob("*/system.yaml"))
}


@pytest.mark.parametrize("name", COMPILED)
def test_compiling_changes_no_lock(tmp_path: Path, accept: bool, name: str) -> None:
    """Every environment that compiles has a lock entry, and no entry lists resources that no longer exist."""
    ours = FOLDER / name / LOCK_NAME
    folder = tmp_path / name
    shutil.copytree(FOLDER / name, folder, ignore=shutil.ignore_patterns("build", LOCK_NAME))
    if ours.is_file() and not accept:
        shutil.copy(ours, folder)
    for environment in COMPILED[name]:
        chosen = ["--env", environment] if environment else []
        assert main(["compile", str(folder), *chosen, "--out", str(tmp_path / "out")]) == 0
    text = (folder / LOCK_NAME).read_text(encoding="utf-8")
    if accept:
        ours.write_text(text, encoding="utf-8")

    assert COMPILED[name]
    assert text == ours.read_text(encoding="utf-8")
