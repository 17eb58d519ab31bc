"""Tests that shell completion scripts cover every command and option, and that shells accept them."""

from __future__ import annotations

import subprocess

import pytest

from modelyard.cli.arguments import SHELLS
from modelyard.cli.main import COMMANDS
from tests.compiler.cli.commands import Run
from tools.print_completions import FOLDER, completion


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_have_every_command_and_option(run: Run, accept: bool, shell: str) -> None:
    if accept:
        (FOLDER / f"modelyard.{shell}").write_text(completion(shell), encoding="utf-8")

    assert run("completion", shell).out == completion(shell)


def test_bash_completes(run: Run) -> None:
    """After Tab, bash offers only matching commands, options and option values."""
    script = run("completion", "bash").out

    def offered(*words: str) -> list[str]:
        typed = " ".join(f"'{word}'" for word in words)
        lines = (
            f"COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _shtab_modelyard; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        )
        process = subprocess.run(["bash", "-c", f"{script}\n{lines}"], capture_output=True, text=True, check=True)
        return process.stdout.split()

    assert offered("modelyard", "") == list(COMMANDS)
    assert offered("modelyard", "comp") == ["compile", "completion"]
    assert offered("modelyard", "render", "--form") == ["--format"]
    assert offered("modelyard", "render", "--format", "") == ["text", "yaml", "json"]
