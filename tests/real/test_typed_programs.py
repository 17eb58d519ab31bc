"""Tests that emitted infrastructure programs pass strict type checks with only their requirements."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from modelyard.disk import Tree, write_trees
from modelyard.emit import stack_files
from testbed import environments
from tests.examples import on_aws


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the folders of all infrastructure projects of the AWS examples."""
    root = tmp_path_factory.mktemp("examples")
    for example in on_aws():
        stacks = example.compiled().stacks
        _, problems = write_trees(
            root / example.name, [Tree(one.environment, one.target, stack_files(one), "test") for one in stacks]
        )
        assert problems == ()
    return sorted(path.parent for path in root.glob("*/*/*/infrastructure*/Pulumi.yaml"))


@pytest.fixture(scope="module")
def python(projects: list[Path], program_environment: Callable[[Path], Path]) -> Path:
    """Return the Python interpreter that all projects share, so that the AWS SDK is parsed only once."""
    (found,) = {program_environment(project / "requirements.txt") for project in projects}
    return found


def pyright_errors(program: Path, python: Path) -> list[str]:
    """Return the errors of pyright's strict mode in an emitted `__main__.py`.

    The library next to it is checked at its source, with this repository's settings.
    """
    settings = {"include": ["__main__.py"], "typeCheckingMode": "strict", "pythonVersion": "3.11"}
    (program / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", str(python), "--project", "."]
    done = subprocess.run(command, cwd=program, capture_output=True, text=True, check=False)
    (program / "pyrightconfig.json").unlink()
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == 1
    return [f"{one['range']['start']['line'] + 1}: {one['message']}" for one in report["generalDiagnostics"]]


def test_every_infrastructure_program_is_well_typed(projects: list[Path], python: Path) -> None:
    """Both mypy and pyright pass. They report a misspelt argument, which shows that the checks work."""
    assert len(projects) >= len(on_aws())
    for project in projects:
        assert environments.type_errors(project, python) == "", project
        assert pyright_errors(project, python) == [], project

    main = projects[0] / "__main__.py"
    main.write_text(main.read_text().replace("min_nodes=", "min_node=", 1))

    assert "min_node" in environments.type_errors(projects[0], python)
    assert "min_node" in " ".join(pyright_errors(projects[0], python))
