"""Generates the shell completion scripts from the command line's parser.

python tools/print_completions.py

Run this script after changing a command or option. A test compares the scripts with the parser. The command
line prints these files unchanged, so users need no library for completion.
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
    """Return the completion script for a shell."""
    top = parser(tuple(COMMANDS))
    for action in _actions(top):
        if action.metavar in _PATHS:
            action.complete = _PATHS[action.metavar]
    return str(shtab.complete(top, shell))


def _actions(actions: Any) -> Iterator[Any]:
    """Yield all options and arguments, including those of subcommands. argparse has no public interface for this."""
    for action in actions._actions:
        yield action
        for below in getattr(action, "_name_parser_map", {}).values():  # only the subparsers action has this attribute
            yield from _actions(below)


if __name__ == "__main__":
    for shell in SHELLS:
        (FOLDER / f"modelyard.{shell}").write_text(completion(shell), encoding="utf-8")
