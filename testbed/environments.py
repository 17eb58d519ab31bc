"""Virtual environments in the cache folder, created once per set of requirements."""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from testbed import machine, services
from testbed.places import cache

CHECKOV = "checkov==3.3.30\n"
"""checkov pins older versions of packages that other tools need, so it has its own environment."""


def program_environment(requirements: Path) -> Path:
    """Return the interpreter of an environment containing only the packages in a requirements.txt."""
    return environment(requirements.read_text())


def environment(requirements: str) -> Path:
    """Return the interpreter of an environment with the given requirements, in requirements.txt format.

    Processes requesting the same environment wait for each other. An incomplete environment is created again.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    lines = re.sub(r"\s*\\\n\s*", " ", requirements).splitlines()  # put a requirement and its hashes on one line
    normalized = "\n".join(sorted(line.strip() for line in lines if line.strip()))
    digest = hashlib.sha256(f"{version}\n{normalized}".encode()).hexdigest()[:16]
    folder = cache() / "environments" / digest
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, normalized)
    return folder / "bin" / "python"


def type_errors(folder: Path, python: Path) -> str:
    """Return the errors of `mypy --strict` for a folder of programs, checked against an environment's packages.

    mypy runs from our own environment, because the programs' environment contains only their requirements. It reads
    only those services of an SDK that the programs use.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
        file.write(services.settings(folder, python))
        file.flush()
        command = [sys.executable, "-m", "mypy", f"--config-file={file.name}", f"--python-executable={python}"]
        caching = f"--cache-dir={cache() / 'mypy' / python.parent.parent.name}"
        result = subprocess.run(
            [*command, caching, "--no-error-summary", "."], cwd=folder, capture_output=True, text=True, check=False
        )
    return result.stdout + result.stderr


def _make(folder: Path, requirements: str) -> None:
    names = re.findall(r"^[^\s;]+", requirements, re.MULTILINE)
    print(f"making an environment for {', '.join(names)}", file=sys.stderr, flush=True)
    machine.make_venv(folder)
    (folder / "requirements.txt").write_text(requirements)
    install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    result = subprocess.run(
        [*install, "--requirement", str(folder / "requirements.txt")], capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise RuntimeError(f"pip could not install {requirements}:\n{result.stderr[-4000:]}")
    (folder / "complete").touch()
