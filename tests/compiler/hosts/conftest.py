"""A fixture that runs the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.cli.main import main
from tests.compiler.cli.commands import CommandResult, Run


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command line in this process."""

    def run_command(*arguments: str | Path) -> CommandResult:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return CommandResult(code, captured.out, captured.err)

    return run_command
