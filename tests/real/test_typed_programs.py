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


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the folders of all infrastructure projects of the AWS examples."""
    return _written(on_aws(), tmp_path_factory.mktemp("examples"))


def _written(examples: Sequence[Example], root: Path) -> list[Path]:
    """Write the infrastructure projects of examples, and return their folders."""
    for example in examples:
        stacks = example.compiled().stacks
        _, problems = write_trees(
            root / example.name, [Tree(stack.environment, stack.target, stack_files(stack), "test") for stack in stacks]
        )
        assert problems == ()
    return sorted(path.parent for path in root.glob("*/*/*/infrastructure*/Pulumi.yaml"))


@pytest.fixture(scope="module")
def python(projects: list[Path], program_environment: Callable[[Path], Path]) -> Path:
    """Return the Python interpreter that all projects share, so that the AWS SDK is parsed only once."""
    (interpreter,) = {program_environment(project / "requirements.txt") for project in projects}
    return interpreter


def pyright_errors(program: Path, python: Path, projects: Sequence[Path] | None = None) -> list[str]:
    """Return the errors of pyright's strict mode in an emitted `__main__.py`, or in the programs of several projects.

    The library next to a program is checked at its source, with this repository's settings. A single run for several
    projects reads their SDK only once.
    """
    roots = [str(each.relative_to(program)) for each in ([program] if projects is None else projects)]
    settings: dict[str, Any] = {"typeCheckingMode": "strict", "pythonVersion": "3.11"}
    settings["include"] = [str(Path(root) / "__main__.py") for root in roots]
    settings["executionEnvironments"] = [{"root": root} for root in roots]
    (program / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", str(python), "--project", "."]
    result = subprocess.run(command, cwd=program, capture_output=True, text=True, check=False)
    (program / "pyrightconfig.json").unlink()
    report = json.loads(result.stdout)
    assert report["summary"]["filesAnalyzed"] == len(roots)
    return [
        f"{Path(problem['file']).relative_to(program)}:{problem['range']['start']['line'] + 1}: {problem['message']}"
        for problem in report["generalDiagnostics"]
    ]


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
    misspelt = tmp_path / "misspelt"
    shutil.copytree(next(folder for folder in folders if "leads" in str(folder)), misspelt)
    main = misspelt / "__main__.py"
    main.write_text(main.read_text().replace("min_nodes=", "min_node=", 1))

    errors = pyright_errors(tmp_path, interpreter, [*folders, misspelt])

    assert len(folders) >= least
    assert errors
    assert all("misspelt" in each and ("min_node" in each) for each in errors), errors
