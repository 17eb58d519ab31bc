"""Locks the Python packages for Pulumi programs and images, with hashes of all files that pip may choose.

python tools/lock_packages.py [--keep]

Run this script when a version in `requirements.json` or `programs.json` changes. It needs uv and the package
index, and writes `packages.json`, which is all that the compiler reads. With `--keep`, all packages that are
already in the table stay at their versions, so that emitted images do not change.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
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
    """Resolve the packages for images and those for programs, and write the table."""
    image: dict[str, Any] = json.loads((FOLDER / "requirements.json").read_text(encoding="utf-8"))
    roots = [
        *image["always"],
        *image["databases"],
        *image["registry"],
        *(line for lines in image["frameworks"].values() for line in lines),
        *(line for lines in image["protocols"].values() for line in lines),
    ]
    programs: list[str] = json.loads((FOLDER / "programs.json").read_text(encoding="utf-8"))["programs"]
    before: dict[str, Any] = json.loads((FOLDER / "packages.json").read_text(encoding="utf-8"))
    none: dict[str, Any] = {"image": {}, "programs": {}}
    kept = before if "--keep" in sys.argv[1:] else none
    linux = [f"sys_platform == 'linux' and platform_machine == '{machine}'" for machine in MACHINES]
    table = {
        "about": "Made by tools/lock_packages.py: emitted packages, what each requires, and its hashes.",
        "image": _packages(_locked([image["beside"], *roots], "==3.11.*", linux, kept["image"]), _IMAGE_WHEEL, roots),
        "programs": _packages(_locked(programs, ">=3.11", [], kept["programs"]), _PROGRAM_WHEEL, programs),
    }
    text = json.dumps(table, indent=1, sort_keys=True) + "\n"
    (FOLDER / "packages.json").write_text(text, encoding="utf-8")


def _locked(
    requirements: list[str], python: str, environments: list[str], kept: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return the packages uv resolves for the given requirements. `kept` packages keep their versions."""
    quoted = ", ".join(json.dumps(line) for line in requirements)
    project = f'[project]\nname = "emitted"\nversion = "0"\nrequires-python = "{python}"\ndependencies = [{quoted}]\n'
    project += "[tool.uv]\n"
    if environments:
        project += f"environments = {json.dumps(environments)}\n"
    if kept:
        pins = [f"{name}=={package['version']}" for name, package in kept.items()]
        project += f"constraint-dependencies = {json.dumps(pins)}\n"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").write_text(project, encoding="utf-8")
        subprocess.run(["uv", "lock", "--quiet"], cwd=folder, check=True)
        packages: list[dict[str, Any]] = tomllib.loads(Path(folder, "uv.lock").read_text(encoding="utf-8"))["package"]
    return packages


def _packages(resolved: list[dict[str, Any]], wheels: re.Pattern[str], roots: list[str]) -> dict[str, Any]:
    """Return the root packages and all their dependencies, each with its version, requirements and file hashes."""
    known = {package["name"]: package for package in resolved}
    extras = {_name(root): tuple(re.findall(r"[\w-]+", root.partition("[")[2].partition("]")[0])) for root in roots}
    waiting = list(extras)
    packages: dict[str, Any] = {}
    while waiting:
        name = waiting.pop()
        if name in packages:
            continue
        package = known[name]
        packages[name] = {
            "version": package["version"],
            "requires": dict(_requires(package, known, extras.get(name, ()))),
            "hashes": _hashes(package, wheels),
        }
        waiting += packages[name]["requires"]
    return packages


def _requires(
    package: dict[str, Any], known: dict[str, dict[str, Any]], extras: tuple[str, ...]
) -> list[tuple[str, str]]:
    """Return a package's requirements, including extras, each with the only CPU architecture that needs it.

    The architecture is "" if several do.
    """
    edges = list(package.get("dependencies", ()))
    for extra in extras:
        edges += package["optional-dependencies"][extra]
    result: list[tuple[str, str]] = []
    while edges:
        edge = edges.pop()
        for extra in edge.get("extra", ()):
            edges += known[edge["name"]].get("optional-dependencies", {}).get(extra, ())
        marker = Marker(edge["marker"]) if "marker" in edge else None
        on = [machine for machine in MACHINES if marker is None or _holds(marker, machine)]
        if on:
            result.append((edge["name"], "" if len(on) > 1 else on[0]))
    return sorted(result)


def _holds(marker: Marker, machine: str) -> bool:
    python = {"python_version": "3.11", "python_full_version": "3.11.9"}
    return marker.evaluate({"platform_machine": machine, "sys_platform": "linux", **python})


def _hashes(package: dict[str, Any], wheels: re.Pattern[str]) -> list[str]:
    """Return the hashes of the wheels that pip may choose or, without wheels, of the source distribution."""
    files = [
        file for file in package.get("wheels", ()) if wheels.search(file["url"]) and not _UNUSUAL.search(file["url"])
    ]
    return sorted(file["hash"] for file in files or [package["sdist"]])


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[=\[<>]", requirement)[0]).lower()


if __name__ == "__main__":
    main()
