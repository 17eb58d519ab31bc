"""Tests that the lock and the output depend on a spec's values rather than its text."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
import yaml

from modelyard.cli.inputs import gather
from modelyard.cli.locking import text_key
from modelyard.cli.remembered import STATE
from modelyard.inputs import LOCK_NAME
from modelyard.source import Json
from tests.compiler.cli.commands import SPEC, Run
from tests.narrowing import present


def _compiled(folder: Path) -> dict[str, bytes]:
    """Return all compiled files, and the lock."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and STATE not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files if path.name != "system.yaml"}


def _reversed(value: Json) -> Json:
    return {key: _reversed(value[key]) for key in reversed(value)} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    "text",
    [
        f"# reviewed\n{SPEC}\n# the end\n",
        json.dumps(yaml.safe_load(SPEC), indent=1),
        yaml.safe_dump(_reversed(yaml.safe_load(SPEC)), sort_keys=False),
        SPEC.replace("memory: 2Gi", "memory: 2048Mi").replace('"${vars.replicas}"', "1"),
        SPEC.replace('replicas: "${vars.replicas}"', "replicas: {max: 1, min: 1}"),
    ],
    ids=["comments", "json", "order", "units and variables", "short forms"],
)
def test_other_ways_to_write_the_same_change_no_byte(run: Run, system: Path, text: str) -> None:
    run("compile", system)
    run("compile", system, "--env", "prod")
    before = _compiled(system)
    (system / "system.yaml").write_text(text, encoding="utf-8")

    assert run("verify", system).code == 0
    assert run("compile", system).code == 0
    assert run("compile", system, "--env", "prod").code == 0
    assert _compiled(system) == before
    assert "nothing has changed" in run("compile", system).err


def test_another_value_changes_the_lock(run: Run, system: Path) -> None:
    run("compile", system)
    before = (system / LOCK_NAME).read_bytes()
    (system / "system.yaml").write_text(SPEC.replace("memory: 2Gi", "memory: 3Gi"), encoding="utf-8")

    assert run("verify", system).code == 1
    run("compile", system)
    assert (system / LOCK_NAME).read_bytes() != before


def test_a_lock_of_version_1_is_read_and_written_anew(run: Run, system: Path) -> None:
    """The lock still lists resources removed from the spec but not destroyed, and `verify` shows what to do."""
    run("compile", system)
    lock = system / LOCK_NAME
    fresh = lock.read_text(encoding="utf-8")
    old = fresh.replace("lockVersion: 2", "lockVersion: 1").replace("inputs: sha256:", "inputs: sha256:f", 1)
    lock.write_text(
        old.replace("model-server/score: inference.score", "model-server/gone: inference.gone"), encoding="utf-8"
    )
    (system / STATE / "compiled.json").unlink()
    result = run("verify", system)

    assert result.code == 1
    assert "written by an earlier version of modelyard" in result.err
    result = run("compile", system)
    assert result.code == 0
    assert "W0502" in result.err
    assert "lockVersion: 2" in lock.read_text(encoding="utf-8")
    run("compile", system, "--forget-removed")
    assert lock.read_text(encoding="utf-8") == fresh


def test_what_is_remembered_is_local_and_optional(run: Run, system: Path, tmp_path: Path) -> None:
    """Git ignores the file of remembered compiles, and losing or damaging it changes nothing.

    Links aren't followed.
    """
    run("compile", system)
    state = system / STATE
    before = _compiled(system)
    assert (state / ".gitignore").read_text(encoding="utf-8") == "*\n"
    for content in ("[]", "{", '{"default": {"text": 1}}'):
        (state / "compiled.json").write_text(content, encoding="utf-8")
        assert run("compile", system).code == 0
    for path in state.iterdir():
        path.unlink()
    state.rmdir()
    (tmp_path / "elsewhere").mkdir()
    state.symlink_to(tmp_path / "elsewhere")

    assert run("compile", system).code == 0
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert _compiled(system) == before


def test_what_somebody_else_remembered_is_not_trusted(
    run: Run, system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of remembered compiles that were edited, or written by another user, don't suppress a compile."""
    run("compile", system)
    entries = json.loads((system / STATE / "compiled.json").read_text(encoding="utf-8"))
    (system / "system.yaml").write_text(SPEC.replace("memory: 2Gi", "memory: 3Gi"), encoding="utf-8")
    inputs = present(gather(argparse.Namespace(spec=str(system), env=None, set=[]))[0])
    entries["default"]["text"] = text_key(inputs)
    (system / STATE / "compiled.json").write_text(json.dumps(entries), encoding="utf-8")
    assert "nothing has changed" not in run("compile", system).err

    assert "nothing has changed" in run("compile", system).err
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    assert "nothing has changed" not in run("compile", system).err
    assert "nothing has changed" in run("compile", system).err
    key = tmp_path / "another" / "modelyard" / "seal.key"
    assert (key.stat().st_mode & 0o777, len(key.read_bytes())) == (0o600, 32)


def test_without_a_place_for_a_key_every_compile_is_a_whole_one(
    run: Run, system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (system / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(system / "file"))

    assert [run("compile", system).code for _ in range(2)] == [0, 0]
    assert "nothing has changed" not in run("compile", system).err
