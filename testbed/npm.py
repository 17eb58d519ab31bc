"""Tools from npm in the cache folder, namely the schema validators used by editors, and Azurite."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from testbed.places import REPOSITORY, cache

_NAMES = ("package.json", "package-lock.json")


@dataclass(frozen=True, slots=True)
class _Packages:
    """Packages that are installed together. `sources` is the folder of package.json and package-lock.json."""

    name: str
    program: str
    sources: Path

    def folder(self) -> Path:
        """Return the installation folder, which depends on the content of the lock file."""
        digest = hashlib.sha256(b"".join((self.sources / name).read_bytes() for name in _NAMES)).hexdigest()[:16]
        return cache() / "testbed" / self.name / digest

    def missing(self) -> list[str]:
        """Return the reasons why the program cannot run here, or an empty list."""
        if shutil.which("node") is None:
            return ["Node.js is not installed"]
        if not (self.folder() / "complete").exists():
            npm = "" if shutil.which("npm") else ", and there is no npm to do it"
            return [f"{self.program} is not installed{npm}; `make testbed` does it"]
        return []


_EDITOR = _Packages("editor", "yaml-language-server", REPOSITORY / "testbed" / "editor")
_AZURE = _Packages("azure", "Azurite", REPOSITORY / "testbed" / "clouds" / "azure")


def install() -> None:
    """Install missing packages from each package-lock.json, or print why this is impossible."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("there is no Node.js with npm here, so neither a language server of YAML nor Azurite is installed")
        return
    for packages in (_EDITOR, _AZURE):
        folder = packages.folder()
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "complete").exists():
                _install(packages)


def missing_for_editors() -> list[str]:
    """Return why the YAML language server can't run here, or an empty list if it can."""
    return _EDITOR.missing()


def missing_for_azure() -> list[str]:
    """Return the reasons why Azurite cannot run here, or an empty list."""
    return _AZURE.missing()


def language_server() -> list[str]:
    """Return the yaml-language-server command, which communicates over standard input and output."""
    return ["node", str(_EDITOR.folder() / "node_modules/yaml-language-server/bin/yaml-language-server"), "--stdio"]


def azurite(host: str = "127.0.0.1", port: int = 0) -> list[str]:
    """Return the command for Azurite's Blob Storage, which prints its port, by default a free one."""
    program = _AZURE.folder() / "node_modules/azurite/dist/src/blob/main.js"
    where = ["--blobHost", host, "--blobPort", str(port), "--inMemoryPersistence"]
    # Clients may use a newer API version, but requests that Azurite does not support still fail.
    return ["node", str(program), *where, "--silent", "--disableTelemetry", "--skipApiVersionCheck"]


def strict_problems(schemas: list[Path]) -> str:
    """Return the problems that Ajv's strict mode reports in schemas."""
    command = ["node", str(_EDITOR.sources / "strict.js"), *map(str, schemas)]
    return subprocess.run(command, cwd=_EDITOR.folder(), capture_output=True, text=True, check=False).stdout


def _install(packages: _Packages) -> None:
    folder = packages.folder()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in _NAMES:
        shutil.copy(packages.sources / name, folder)
    print(f"installing {packages.program} from npm", flush=True)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
    subprocess.run(command, cwd=folder, check=True)
    (folder / "complete").touch()
