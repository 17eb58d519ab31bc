"""Writes the scripts that complete the command line in a shell, from its parser.

    python tools/print_completions.py

Run it after a change of a command or option; a test compares the scripts with the parser. The command itself prints
the scripts as they are, so that users need no library for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import shtab

from modelyard.cli.arguments import SHELLS, parser
from modelyard.cli.main import COMMANDS

FOLDER: Final = Path(__file__).parent.parent / "compiler" / "modelyard" / "completions"
_PATHS: Final = {"SPEC": shtab.FILE, "FILE": shtab.FILE, "FOLDER": shtab.DIRECTORY}


def completion(shell: str) -> str:
    """The script for one shell."""
    top = parser(tuple(COMMANDS))
    for action in _actions(top):
        if action.metavar in _PATHS:
            action.complete = _PATHS[action.metavar]
    return str(shtab.complete(top, shell))


def _actions(command: Any) -> Iterator[Any]:
    """Every option and argument, those of subcommands too. argparse has no public way to list them."""
    for action in command._actions:
        yield action
        for below in getattr(action, "_name_parser_map", {}).values():  # of a subparsers action
            yield from _actions(below)


if __name__ == "__main__":
    for shell in SHELLS:
        (FOLDER / f"modelyard.{shell}").write_text(completion(shell), encoding="utf-8")
