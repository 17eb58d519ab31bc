"""From arguments to an exit code: 0 fine, 1 what was given is wrong, 2 modelyard is wrong, 130 interrupted."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from modelyard.cli.arguments import parser

if TYPE_CHECKING:
    import argparse

_OUTPUT_LOST = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF, errno.EFBIG}

FINE, WRONG_SPEC, WRONG_US, INTERRUPTED = 0, 1, 2, 130

# Each command is a module with `run(arguments) -> int`, imported only when it is asked for: --version pays for none.
COMMANDS = {
    "init": "modelyard.cli.init",
    "validate": "modelyard.cli.validate",
    "compile": "modelyard.cli.compile",
    "verify": "modelyard.cli.verify",
    "render": "modelyard.cli.render",
    "explain": "modelyard.cli.explain",
    "graph": "modelyard.cli.graph",
    "approve": "modelyard.cli.approve",
    "schema": "modelyard.cli.schema",
    "completion": "modelyard.cli.completion",
    "lsp": "modelyard.cli.lsp",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` is without the program's name, sys.argv's by default."""
    _reopen()
    typed = sys.argv[1:] if argv is None else argv
    try:
        if typed:
            return _obey(typed)
        parser(tuple(COMMANDS)).print_help(sys.stderr)  # who types the name alone asks what there is
        return WRONG_SPEC
    except KeyboardInterrupt:
        print("\ninterrupted; nothing was left half-written", file=sys.stderr)
        return INTERRUPTED


def _obey(typed: Sequence[str]) -> int:
    """The exit code of what was typed, whatever happens but an interruption."""
    try:
        arguments = parser(tuple(COMMANDS)).parse_args(typed)
    except SystemExit as ended:  # argparse has said why; its own 2 would claim that modelyard is wrong
        return FINE if ended.code in (0, None) else WRONG_SPEC
    try:
        return _run(arguments)
    except BrokenPipeError:  # the reader of our output has gone, such as `head`
        _discard()
        return FINE
    except OSError as problem:
        if problem.filename is None and problem.errno in _OUTPUT_LOST:
            return _lost(problem)
        return _confess(problem, arguments.debug)
    except Exception as problem:  # noqa: BLE001 - the last door before the user: what comes here is our mistake
        return _confess(problem, arguments.debug)


def _reopen() -> None:
    """Streams that were closed before we started lead nowhere, so that nothing else takes their place."""
    if sys.stdout is None or sys.stderr is None:
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - it stays open as long as the process
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere


def _discard() -> None:
    """What is still to be printed goes nowhere: at its end, Python would try again and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _lost(problem: OSError) -> int:
    """The disk that the output is redirected to is full, or the like."""
    _discard()
    print(f"error: cannot print: {problem.strerror}", file=sys.stderr)
    return WRONG_SPEC


def _run(arguments: argparse.Namespace) -> int:
    """One command with the cycle collector off: it would look at every value again and again, and there are no cycles.

    A fifth of the time of ten thousand models, and no more memory; the process ends soon. A caller in the same process
    has it back afterwards.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        code: int = import_module(COMMANDS[arguments.command]).run(arguments)
    finally:
        if was_on:
            gc.enable()
    sys.stdout.flush()
    return code


def _confess(problem: Exception, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exception(problem)
    kind = type(problem).__name__
    print(
        f"internal error ({kind}); please report it, with the output of the same command and --debug", file=sys.stderr
    )
    return WRONG_US
