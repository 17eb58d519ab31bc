"""Tests that `modelyard init` writes templates that compile unchanged, and never overwrites files."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.cli.init import templates
from tests.compiler.cli.commands import SPEC, Run


@pytest.mark.parametrize("template", templates())
def test_templates_compile_unchanged(run: Run, tmp_path: Path, template: str) -> None:
    folder = tmp_path / "my-first"
    result = run("init", folder, "--template", template)

    assert result.code == 0
    assert f"next: modelyard {'run' if template == 'local' else 'compile'} {folder}" in result.err
    assert run("validate", folder).code == 0
    assert run("compile", folder).code == 0
    assert "name: my-first" in (folder / "system.yaml").read_text(encoding="utf-8")


def test_init_overwrites_no_file(run: Run, system: Path) -> None:
    result = run("init", system)

    assert result.code == 1
    assert "already exists" in result.err
    assert (system / "system.yaml").read_text(encoding="utf-8") == SPEC


def test_init_refuses_a_folder_with_a_spec(run: Run, system: Path) -> None:
    (system / "system.yaml").rename(system / "modelyard.yaml")
    result = run("init", system)

    assert (result.code, f"'{system / 'modelyard.yaml'}' already exists" in result.err) == (1, True)
    assert not (system / "system.yaml").exists()


def test_init_lists_templates_and_suggests_the_nearest(run: Run, tmp_path: Path) -> None:
    assert set(templates()) == {line.split()[0] for line in run("init", "--list").out.splitlines()}
    wrong = run("init", tmp_path / "x", "--template", "minimla")
    assert (wrong.code, "minimal" in wrong.err) == (1, True)
    assert not (tmp_path / "x").exists()
