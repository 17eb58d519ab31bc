"""Resolves the Python packages that are emitted, and writes them with the hash of every file that pip may choose.

    python tools/lock_packages.py

Needs uv and the package index, and is run when a version in `requirements.json` or `programs.json` changes. The result
is `packages.json` beside them; the compiler reads that and needs neither.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path
from typing import Any, Final

from packaging.markers import Marker

FOLDER: Final = Path(__file__).parent.parent / "targets" / "modelyard_targets" / "kube" / "image"
MACHINES: Final = ("x86_64", "aarch64")

_IMAGE_WHEEL: Final = re.compile(
    r"-(?:cp311|cp3[0-9]*-abi3|py3|py2\.py3)\b.*(?:manylinux.*(?:x86_64|aarch64)|none-any)\.whl$"
)
_PROGRAM_WHEEL: Final = re.compile(r"-(?:cp31[1-9]-cp31[1-9]-|cp3[0-9]*-abi3-|py3-|py2\.py3-).*\.whl$")
_UNUSUAL: Final = re.compile(r"musllinux|win32|i686|ppc64|s390x|armv7|riscv|ios_|android|pyodide|universal_|loongarch")


def main() -> None:
    """Resolve both sets of packages and write the table."""
    image: dict[str, Any] = json.loads((FOLDER / "requirements.json").read_text(encoding="utf-8"))
    roots = [
        *image["always"],
        *image["databases"],
        *image["registry"],
        *(line for lines in image["frameworks"].values() for line in lines),
    ]
    programs: list[str] = json.loads((FOLDER / "programs.json").read_text(encoding="utf-8"))["programs"]
    linux = [f"sys_platform == 'linux' and platform_machine == '{machine}'" for machine in MACHINES]
    table = {
        "about": "Made by tools/lock_packages.py: emitted packages, what each requires, and its hashes.",
        "image": _packages(_locked([image["beside"], *roots], "==3.11.*", linux), _IMAGE_WHEEL, roots),
        "programs": _packages(_locked(programs, ">=3.11", []), _PROGRAM_WHEEL, programs),
    }
    text = json.dumps(table, indent=1, sort_keys=True) + "\n"
    (FOLDER / "packages.json").write_text(text, encoding="utf-8")


def _locked(requirements: list[str], python: str, environments: list[str]) -> list[dict[str, Any]]:
    """What uv resolves for a project with these requirements."""
    quoted = ", ".join(json.dumps(line) for line in requirements)
    project = f'[project]\nname = "emitted"\nversion = "0"\nrequires-python = "{python}"\ndependencies = [{quoted}]\n'
    if environments:
        project += f"[tool.uv]\nenvironments = {json.dumps(environments)}\n"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").write_text(project, encoding="utf-8")
        subprocess.run(["uv", "lock", "--quiet"], cwd=folder, check=True)
        packages: list[dict[str, Any]] = tomllib.loads(Path(folder, "uv.lock").read_text(encoding="utf-8"))["package"]
    return packages


def _packages(resolved: list[dict[str, Any]], wheels: re.Pattern[str], roots: list[str]) -> dict[str, Any]:
    """Every package that a root needs: its version, what it requires by machine, and the hashes of its files."""
    packages = {package["name"]: package for package in resolved}
    waiting = [_name(root) for root in roots]
    locked: dict[str, Any] = {}
    while waiting:
        name = waiting.pop()
        if name in locked:
            continue
        package = packages[name]
        locked[name] = {
            "version": package["version"],
            "requires": dict(_requires(package, packages)),
            "hashes": _hashes(package, wheels),
        }
        waiting += locked[name]["requires"]
    return locked


def _requires(package: dict[str, Any], packages: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """Names of what a package requires, extras followed, each with the one machine that it is required on, or ''."""
    edges = list(package.get("dependencies", ()))
    result: list[tuple[str, str]] = []
    while edges:
        edge = edges.pop()
        for extra in edge.get("extra", ()):
            edges += packages[edge["name"]].get("optional-dependencies", {}).get(extra, ())
        marker = Marker(edge["marker"]) if "marker" in edge else None
        on = [machine for machine in MACHINES if marker is None or _holds(marker, machine)]
        if on:
            result.append((edge["name"], "" if len(on) > 1 else on[0]))
    return sorted(result)


def _holds(marker: Marker, machine: str) -> bool:
    python = {"python_version": "3.11", "python_full_version": "3.11.9"}
    return marker.evaluate({"platform_machine": machine, "sys_platform": "linux", **python})


def _hashes(package: dict[str, Any], wheels: re.Pattern[str]) -> list[str]:
    """Hashes of the wheels that may be chosen; of the source where there is no wheel."""
    files = [
        file for file in package.get("wheels", ()) if wheels.search(file["url"]) and not _UNUSUAL.search(file["url"])
    ]
    return sorted(file["hash"] for file in files or [package["sdist"]])


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[=\[<>]", requirement)[0]).lower()


if __name__ == "__main__":
    main()
