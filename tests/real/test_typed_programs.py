"""Tests that every emitted program passes strict type checks given only its requirements."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from modelyard.emit import stack_files
from testbed import environments
from tests.examples import SYSTEMS, Example, every_example

PROJECTS = ("infrastructure", "crossings", "workloads")
LIBRARY = "modelyard_stacks"
SDKS = {
    "pulumi-aws": ("min_nodes=", "aws/storage.py", "force_destroy="),
    "pulumi-gcp": ("min_nodes=", "gcp/storage.py", "uniform_bucket_level_access="),
    "pulumi-azure-native": ("min_nodes=", "azure/storage.py", "container_name="),
    "pulumi-kubernetes": ("namespace=", "kubernetes.py", "enable_server_side_apply="),
}
"""For each SDK, an argument in a program, and an argument of the SDK in a file of the component library."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Write all programs of examples and test specs, and return their folder for each SDK.

    The programs in a folder share one component library, so each type checker has to read it and the SDK only once.
    """
    root, seen = tmp_path_factory.mktemp("programs"), set[bytes]()
    for name, files in _projects():
        main, requirements = files.pop("__main__.py"), files["requirements.txt"]
        (sdk,) = [each for each in SDKS if f"\n{each}==" in f"\n{requirements.decode()}"]
        texts = {path: text for path, text in files.items() if path.endswith(".py")}
        if main not in seen:
            seen.add(main)
            texts[f"{name}.py"] = main
        for path, text in {**texts, "requirements.txt": requirements}.items():
            file = root / sdk / path
            file.parent.mkdir(parents=True, exist_ok=True)
            assert not file.exists() or file.read_bytes() == text, path
            file.write_bytes(text)
    return {sdk: root / sdk for sdk in SDKS}


def _projects() -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield the Python files and the requirements of every project, with a module name for the program."""
    systems = (Example(folder.name, None, SYSTEMS) for folder in sorted(SYSTEMS.iterdir()))
    for example in (*every_example(), *systems):
        for stack in example.compiled().stacks:
            sources = [file for file in stack_files(stack) if file.path.endswith((".py", "/requirements.txt"))]
            for project in PROJECTS:
                inside = [file for file in sources if file.path.startswith(f"{project}/")]
                if any(file.path == f"{project}/__main__.py" for file in inside):
                    name = f"{example}-{stack.target}-{project}".replace("-", "_")
                    yield name, {file.path.removeprefix(f"{project}/"): file.render() for file in inside}


def pyright_errors(folder: Path, python: Path) -> list[str]:
    """Return the errors of pyright's strict mode in the programs of a folder.

    The library next to them is checked at its source, with this repository's settings.
    """
    programs = sorted(file.name for file in folder.glob("*.py"))
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "include": programs}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", str(python), "--project", "."]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    report: Any = json.loads(result.stdout)
    assert report["summary"]["filesAnalyzed"] == len(programs)
    return [f"{Path(problem['file']).name}: {problem['message']}" for problem in report["generalDiagnostics"]]


@pytest.mark.parametrize("sdk", SDKS)
def test_every_program_is_well_typed(sdk: str, folders: Mapping[str, Path]) -> None:
    """mypy and pyright report only misspelt arguments: one in a copy of a program, and one of the SDK in the library.

    mypy reads only the services of an SDK that the programs use.
    """
    folder = folders[sdk]
    python = environments.program_environment(folder / "requirements.txt")
    in_program, path, in_library = SDKS[sdk]
    program = next(file for file in sorted(folder.glob("*.py")) if f" {in_program}" in file.read_text())
    _misspell(program, folder / "misspelt.py", in_program)
    _misspell(folder / LIBRARY / path, (folder / LIBRARY / path).with_name("misspelt.py"), in_library)

    by_mypy = environments.type_errors(folder, python).splitlines()
    by_pyright = pyright_errors(folder, python)

    errors = [line for line in by_mypy if ": error: " in line]
    assert all("misspelt.py:" in line for line in by_mypy), by_mypy
    assert any(line.startswith("misspelt.py:") and f'"x{in_program[:-1]}"' in line for line in errors), errors
    assert any(line.startswith(LIBRARY) and f'"x{in_library[:-1]}"' in line for line in errors), errors
    assert by_pyright
    assert all(each.startswith("misspelt.py: ") and in_program[:-1] in each for each in by_pyright), by_pyright


def _misspell(file: Path, copy: Path, argument: str) -> None:
    """Copy a file, and misspell the first use of an argument in the copy."""
    text = file.read_text()
    assert f" {argument}" in text
    copy.write_text(text.replace(f" {argument}", f" x{argument}", 1))
