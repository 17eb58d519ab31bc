"""Tests that programs are type-checked in an environment that contains only the SDKs they require."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from testbed import environments

TINY = Path(__file__).parent / "programs" / "tiny"


@pytest.fixture(scope="module")
def python() -> Path:
    """Return the interpreter of the tiny program's environment."""
    return environments.program_environment(TINY / "requirements.txt")


def test_environment_is_created_once_without_the_compiler(python: Path) -> None:
    """The environment contains the required SDK version but not modelyard."""
    assert environments.program_environment(TINY / "requirements.txt") == python

    listed = subprocess.run([python, "-m", "pip", "list"], capture_output=True, text=True, check=True).stdout

    assert "pulumi_kubernetes 4.34.2" in " ".join(listed.split())
    assert "modelyard" not in listed


def test_misspelt_argument_is_a_type_error(python: Path, tmp_path: Path) -> None:
    """A correct program passes the type check, while a misspelled argument fails against the real SDK."""
    program = tmp_path / "program"
    shutil.copytree(TINY, program)
    assert environments.type_errors(program, python) == ""
    main = program / "__main__.py"
    main.write_text(main.read_text().replace("cluster_identifier", "cluster_identifer"))

    assert "cluster_identifer" in environments.type_errors(program, python)
