"""A folder with a spec, one with a wrong spec, and the command line in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelyard.cli.main import main
from tests.compiler.cli.said import SPEC, Said


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """A folder with a spec."""
    folder = tmp_path / "churn"
    folder.mkdir()
    (folder / "system.yaml").write_text(SPEC, encoding="utf-8")
    return folder


@pytest.fixture
def wrong(system: Path) -> Path:
    """A folder with a spec that has a typo in it."""
    (system / "system.yaml").write_text(SPEC.replace("compute:", "compte:"), encoding="utf-8")
    return system


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Runs the command line in this process."""

    def said(*arguments: str | Path) -> Said:
        code = main([str(one) for one in arguments])
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return said
