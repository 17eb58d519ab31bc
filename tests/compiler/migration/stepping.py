"""Runs the commands of a plan's steps with fakes of command-line tools."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from modelyard.migration.records import Step


def run_step(step: Step, folder: Path, programs: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a step's commands with these scripts, by name, first in PATH. `folder` is the home directory."""
    for name, script in programs.items():
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o700)
    environment = {"HOME": str(folder), "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    script = "\n".join(step.commands)
    return subprocess.run(["bash", "-euc", script], env=environment, capture_output=True, text=True, check=False)
