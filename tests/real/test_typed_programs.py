"""Tests that emitted infrastructure programs pass strict type checks given only their requirements."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from modelyard.disk import Tree, write_trees
from modelyard.emit import stack_files
from testbed import environments
from tests.examples import Example, on_aws
from tests.stacks.azure.systems import azure_systems
from tests.stacks.gcp.systems import google_systems


def _written(examples: Sequence[Example], root: Path) -> list[Path]:
    """Write the infrastructure projects of examples, and return their folders."""
    for example in examples:
        stacks = example.compiled().stacks
        _, problems = write_trees(
            root / example.name, [Tree(stack.environment, stack.target, stack_files(stack), "test") for stack in stacks]
        )
        assert problems == ()
    return sorted(path.parent for path in root.glob("*/*/*/infrastructure*/Pulumi.yaml"))


def _misspelt(project: Path, folder: Path) -> Path:
    """Copy a project to a folder, with a misspelt argument in its program."""
    shutil.copytree(project, folder)
    main = folder / "__main__.py"
    main.write_text(main.read_text().replace("min_nodes=", "min_node=", 1))
    return folder


def pyright_errors(root: Path, python: Path, projects: Sequence[Path]) -> list[str]:
    """Return the errors of pyright's strict mode in the emitted `__main__.py` of several projects below a folder.

    The library next to a program is checked at its source, with this repository's settings. A single run for all
    projects reads their SDK only once.
    """
    roots = [str(project.relative_to(root)) for project in projects]
    settings: dict[str, Any] = {"typeCheckingMode": "strict", "pythonVersion": "3.11"}
    settings["include"] = [str(Path(each) / "__main__.py") for each in roots]
    settings["executionEnvironments"] = [{"root": each} for each in roots]
    (root / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", str(python), "--project", "."]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    report = json.loads(result.stdout)
    assert report["summary"]["filesAnalyzed"] == len(roots)
    return [
        f"{Path(problem['file']).relative_to(root)}:{problem['range']['start']['line'] + 1}: {problem['message']}"
        for problem in report["generalDiagnostics"]
    ]


def test_every_infrastructure_program_is_well_typed(
    tmp_path: Path, program_environment: Callable[[Path], Path]
) -> None:
    """Both mypy and pyright pass. They report a misspelt argument, which shows that the checks work.

    All projects share a Python interpreter, so that the AWS SDK is parsed only once.
    """
    projects = _written(on_aws(), tmp_path)
    (python,) = {program_environment(project / "requirements.txt") for project in projects}
    misspelt = _misspelt(projects[0], tmp_path / "misspelt")

    assert len(projects) >= len(on_aws())
    for project in projects:
        assert environments.type_errors(project, python) == "", project
    assert "min_node" in environments.type_errors(misspelt, python)
    errors = pyright_errors(tmp_path, python, [*projects, misspelt])
    assert errors
    assert all("misspelt" in each and "min_node" in each for each in errors), errors


@pytest.mark.parametrize(("systems", "least"), [(google_systems, 3), (azure_systems, 2)])
def test_programs_on_other_clouds_are_well_typed(
    systems: Callable[[], Sequence[Example]],
    least: int,
    tmp_path: Path,
    program_environment: Callable[[Path], Path],
) -> None:
    """pyright reads only what a program uses of an SDK. mypy would need minutes for either SDK, so it is left out.

    The component library that the programs call is checked by both tools at its source.
    """
    folders = _written(systems(), tmp_path)
    (interpreter,) = {program_environment(folder / "requirements.txt") for folder in folders}
    misspelt = _misspelt(next(folder for folder in folders if "leads" in str(folder)), tmp_path / "misspelt")

    errors = pyright_errors(tmp_path, interpreter, [*folders, misspelt])

    assert len(folders) >= least
    assert errors
    assert all("misspelt" in each and "min_node" in each for each in errors), errors
