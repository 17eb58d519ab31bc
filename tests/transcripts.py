"""Reruns a document's commands in order and replaces the output it shows."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

_SHOWN: Final = re.compile(
    r"^```console\n(?P<console>.*?)^```$|^<!-- (?P<command>modelyard graph [^\n]*) -->\n```mermaid\n.*?^```$",
    re.DOTALL | re.MULTILINE,
)
_COUNTS: Final = re.compile(r"[0-9]+ (files|written|removed)")


def played(text: str, place: Path) -> str:
    """Return the document with the current output of its commands, run in `place`.

    A console block contains commands and their output. A diagram's command is in a comment before the diagram.
    """

    def again(match: re.Match[str]) -> str:
        if match["command"]:
            return f"<!-- {match['command']} -->\n```mermaid\n{_output(match['command'], place)}```"
        commands = [line.removeprefix("$ ") for line in match["console"].splitlines() if line.startswith("$ ")]
        return "```console\n" + "".join(f"$ {each}\n{_output(each, place)}" for each in commands) + "```"

    return _SHOWN.sub(again, text)


def uncounted(text: str) -> str:
    """Remove file counts from a text, because they grow with every module of the runtime."""
    return _COUNTS.sub(r"N \1", text)


def _output(command: str, place: Path) -> str:
    words = shlex.split(command)
    if words[0] == "modelyard":
        words = [sys.executable, "-m", *words]
    environment = {**os.environ, "LC_ALL": "C", "NO_COLOR": "1", "COLUMNS": "120"}
    run = subprocess.run(
        words, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert run.returncode in (0, 1), run.stdout
    return run.stdout
