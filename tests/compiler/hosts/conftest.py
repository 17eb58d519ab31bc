"""A fixture that runs the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.cli.main import main
from tests.compiler.cli.said import Run, Said


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command line in this process."""

    def said(*arguments: str | Path) -> Said:
        code = main([str(one) for one in arguments])
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return said
