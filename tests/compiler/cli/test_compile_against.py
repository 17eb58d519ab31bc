"""Tests that `compile --against` only compiles an approved change, and lists the resources it destroys."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.compiler.cli.commands import SPEC, Run, many_endpoints, tree


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Write the old version of the spec to a file, and return the file."""
    path = tmp_path / "old.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def _fingerprint(run: Run, old: Path, system: Path) -> str:
    return run("diff", old, system, "--fingerprint").out.strip()


def test_only_the_approved_change_is_compiled(run: Run, old: Path, system: Path) -> None:
    spec = system / "system.yaml"
    spec.write_text(SPEC.replace("memory: 2Gi", "memory: 3Gi"), encoding="utf-8")
    approved = _fingerprint(run, old, system)
    assert run("compile", system, "--against", old, "--approved", approved).code == 0
    before = tree(system)
    spec.write_text(SPEC.replace("memory: 2Gi", "memory: 4Gi"), encoding="utf-8")
    result = run("compile", system, "--against", old, "--approved", approved)

    assert result.code == 1
    assert "error[E0719]" in result.err
    assert _fingerprint(run, old, system) in result.err
    after = tree(system)
    assert {path for path in after if after[path] != before.get(path)} == {"system.yaml"}


def test_the_hash_of_a_change_covers_values_of_every_environment_and_no_formatting(
    run: Run, old: Path, system: Path
) -> None:
    spec = system / "system.yaml"
    same = _fingerprint(run, old, system)
    spec.write_text(f"# a comment\n{SPEC}", encoding="utf-8")
    assert _fingerprint(run, old, system) == same
    spec.write_text(SPEC.replace("max: 4}", "max: 5}"), encoding="utf-8")
    other = _fingerprint(run, old, system)

    assert len(same) == len(other) == 40
    assert other != same


def test_what_is_destroyed_is_named_although_the_lock_has_forgotten_it(run: Run, old: Path, system: Path) -> None:
    """Reviewers see the removal of an endpoint even if the same change confirms the removal in the lock."""
    old.write_text(many_endpoints((1, 2)), encoding="utf-8")
    (system / "system.yaml").write_text(many_endpoints((1, 2)), encoding="utf-8")
    run("compile", system)
    (system / "system.yaml").write_text(many_endpoints((1,)), encoding="utf-8")
    run("compile", system)
    run("compile", system, "--forget-removed")
    lock = (system / "modelyard.lock").read_bytes()

    assert "W0502" not in run("compile", system).err
    result = run("compile", system, "--against", old)
    assert result.code == 0
    assert "W0502" in result.err
    assert "e1" in result.err
    assert (system / "modelyard.lock").read_bytes() == lock


@pytest.mark.parametrize("broken", ["old", "new"])
def test_a_version_that_does_not_compile_approves_nothing(run: Run, old: Path, system: Path, broken: str) -> None:
    path = old if broken == "old" else system / "system.yaml"
    path.write_text(SPEC.replace("memory: 2Gi", "memory: much"), encoding="utf-8")
    before = tree(system)
    result = run("compile", system, "--against", old, "--approved", "")

    assert result.code == 1
    assert "error[E0720]" in result.err
    assert tree(system) == before


def test_without_the_old_version_nothing_is_compiled(run: Run, system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(system.parent))
    result = run("compile", system, "--against", "nowhere")

    assert result.code == 1
    assert "error[E0720]" in result.err
    assert not (system / "build").exists()


@pytest.mark.parametrize("refused", ["unknown", "owner", "elsewhere"])
def test_a_folder_is_never_read_instead_of_a_branch_that_git_does_not_know(
    run: Run, system: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    """Otherwise, a change could add a folder named like a missing branch, and be compared with that."""
    (system / "main").mkdir()
    (system / "main" / "system.yaml").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(system)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(system.parent))
    if refused != "elsewhere":
        subprocess.run(["git", "init", "-q", "-b", "work"], cwd=system, check=True)
    if refused == "owner":
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    reasons = {"unknown": "'main' is not a revision", "owner": "dubious ownership", "elsewhere": "not a git repository"}
    result = run("compile", ".", "--against", "main")

    assert (result.code, reasons[refused] in result.err) == (1, True)
    assert "for the path, write './main'" in result.err
    assert not (system / "build").exists()
    assert run("compile", ".", "--against", "./main").code == 0
