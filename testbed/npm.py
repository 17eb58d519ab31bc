"""Tools that validate our schemas as editors do: yaml-language-server and Ajv, from npm into the cache folder."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from testbed.places import REPOSITORY, cache

_SOURCES = REPOSITORY / "testbed" / "editor"
_NAMES = ("package.json", "package-lock.json")


def install() -> None:
    """Install the packages in package-lock.json unless they are installed; print the reason if that is impossible."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("there is no Node.js with npm here, so no language server of YAML is installed")
        return
    folder = _folder()
    if (folder / "complete").exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _install(folder)


def missing_for_editors() -> list[str]:
    """Return why the YAML language server cannot run here; empty if it can."""
    if shutil.which("node") is None:
        return ["Node.js is not installed"]
    if not (_folder() / "complete").exists():
        npm = "" if shutil.which("npm") else ", and there is no npm to do it"
        return [f"yaml-language-server is not installed{npm}; `make testbed` does it"]
    return []


def language_server() -> list[str]:
    """Return the command of yaml-language-server, which communicates over standard input and output."""
    return ["node", str(_folder() / "node_modules/yaml-language-server/bin/yaml-language-server"), "--stdio"]


def strict_problems(schemas: list[Path]) -> str:
    """Return what Ajv in strict mode reports about schemas; empty if nothing."""
    command = ["node", str(_SOURCES / "strict.js"), *map(str, schemas)]
    return subprocess.run(command, cwd=_folder(), capture_output=True, text=True, check=False).stdout


def _folder() -> Path:
    digest = hashlib.sha256(b"".join((_SOURCES / name).read_bytes() for name in _NAMES)).hexdigest()[:16]
    return cache() / "testbed" / "editor" / digest


def _install(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in _NAMES:
        shutil.copy(_SOURCES / name, folder)
    print("installing yaml-language-server from npm", flush=True)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, check=True)
    (folder / "complete").touch()
