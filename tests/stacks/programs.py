"""Small projects that test the component library, and the resources they register under mocks."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import modelyard_stacks

Registration: TypeAlias = dict[str, Any]

_RUNNER = Path(__file__).with_name("registrations.py")


class Refused(Exception):
    """Raised if a program ends with an error. The message is the program's output."""


def registrations(*folders: Path) -> list[list[Registration]]:
    """Run the projects in a separate process and return the resources each one registers."""
    completed = subprocess.run(
        [sys.executable, "-W", "ignore", str(_RUNNER), *map(str, folders)], capture_output=True, text=True, timeout=300
    )
    if completed.returncode:
        raise Refused(completed.stderr)
    return [json.loads(line) for line in completed.stdout.splitlines() if line.startswith("[")]


def project(
    folder: Path, program: str, manifests: Sequence[tuple[str, str]] = (), settings: str = "context: here"
) -> Path:
    """Write a project with the given program, manifests and settings, and a copy of the component library."""
    shutil.copytree(next(iter(modelyard_stacks.__path__)), folder / "modelyard_stacks")
    (folder / "manifests").mkdir()
    (folder / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    lines = "".join(f"  tiny:{line}\n" for line in settings.splitlines())
    (folder / "Pulumi.prod.yaml").write_text(f"config:\n{lines}" if lines else "{}\n")
    (folder / "__main__.py").write_text(f"from modelyard_stacks import kubernetes\n\n{program}")
    for name, text in manifests:
        (folder / "manifests" / name).write_text(text)
    return folder


def of_type(registered: list[Registration], type_: str) -> list[Registration]:
    """Return the registrations of one resource type."""
    return [each for each in registered if each["type"] == type_]


def config_map(name: str, namespace: str = "tiny", annotations: str = "") -> str:
    """Return a ConfigMap as a YAML document."""
    more = f", annotations: {annotations}" if annotations else ""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}{more}}}\n"
