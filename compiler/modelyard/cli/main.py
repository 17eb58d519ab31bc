"""Run a command and return its exit code (0: success, 1: invalid input, 2: a bug in modelyard, 130: Ctrl-C)."""

from __future__ import annotations

import atexit
import errno
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from modelyard.cli.arguments import parser

if TYPE_CHECKING:
    import argparse

_OUTPUT_LOST = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF, errno.EFBIG}

FINE, WRONG_SPEC, WRONG_US, INTERRUPTED = 0, 1, 2, 130

# Each command is a module with `run(arguments) -> int`, imported on demand: --version imports none of them.
COMMANDS = {
    "init": "modelyard.cli.init",
    "validate": "modelyard.cli.validate",
    "compile": "modelyard.cli.compile",
    "try": "modelyard.cli.trying",
    "run": "modelyard.cli.run",
    "status": "modelyard.cli.status",
    "events": "modelyard.cli.status",
    "verify": "modelyard.cli.verify",
    "render": "modelyard.cli.render",
    "explain": "modelyard.cli.explain",
    "graph": "modelyard.cli.graph",
    "portability": "modelyard.cli.portability",
    "migrate": "modelyard.cli.migrate",
    "cost": "modelyard.cli.cost",
    "diff": "modelyard.cli.diff",
    "report": "modelyard.cli.report",
    "comment": "modelyard.cli.comment",
    "ci": "modelyard.cli.ci",
    "acknowledge": "modelyard.cli.acknowledge",
    "approve": "modelyard.cli.approve",
    "schema": "modelyard.cli.schema",
    "completion": "modelyard.cli.completion",
    "lsp": "modelyard.cli.lsp",
}


def command() -> NoReturn:
    """Run the typed command and end the process with its exit code.

    Python's cleanup of modules and values takes a tenth of the time of `validate`, so it is skipped unless a thread is
    still running or an `atexit` function is registered.
    """
    code = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:  # the reader exited after the last write
        _discard()
        sys.exit(code)
    except (OSError, ValueError):  # Python's normal exit reports streams that are closed or not writable
        sys.exit(code)
    waiting = atexit._ncallbacks()  # pyright: ignore[reportPrivateUsage] # there is no public way to ask
    if not waiting and not _has_other_threads():
        os._exit(code)
    sys.exit(code)


def _has_other_threads() -> bool:
    """Return whether any thread is still running. Only modules that start threads or processes import `threading`."""
    if "threading" not in sys.modules:
        return False
    import threading

    return threading.active_count() > 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. `argv` excludes the program name and defaults to sys.argv."""
    _reopen()
    typed = sys.argv[1:] if argv is None else argv
    try:
        if typed:
            return _obey(typed)
        parser(tuple(COMMANDS)).print_help(sys.stderr)  # without arguments, show the help
        return WRONG_SPEC
    except KeyboardInterrupt:
        print("\ninterrupted; no file is half-written", file=sys.stderr)
        return INTERRUPTED


def _obey(typed: Sequence[str]) -> int:
    """Run a command, returning an exit code for every outcome except an interruption."""
    try:
        # Create only the typed command's options, but show all commands after a misspelled one.
        arguments = parser((typed[0],) if typed[0] in COMMANDS else tuple(COMMANDS)).parse_args(typed)
    except SystemExit as ended:  # argparse has printed the error, but its exit code 2 would mean a bug in modelyard
        return FINE if ended.code in (0, None) else WRONG_SPEC
    try:
        return _run(arguments)
    except BrokenPipeError:  # the process that reads our output, such as `head`, has exited
        _discard()
        return FINE
    except OSError as problem:
        if problem.filename is None and problem.errno in _OUTPUT_LOST:
            return _lost(problem)
        return _confess(problem, arguments.debug)
    except Exception as problem:  # noqa: BLE001 - the last resort: any exception here is a bug of ours
        return _confess(problem, arguments.debug)


def _reopen() -> None:
    """Reopen streams that were closed before startup, so that no other file gets their descriptors."""
    if sys.stdout is None or sys.stderr is None:
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - stays open as long as the process
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere


def _discard() -> None:
    """Discard pending output, which Python would otherwise try to print again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _lost(problem: OSError) -> int:
    """Report that output could not be written, for example because the disk is full."""
    _discard()
    print(f"error: cannot print: {problem.strerror}", file=sys.stderr)
    return WRONG_SPEC


def _run(arguments: argparse.Namespace) -> int:
    """Run one command without the cycle collector, which would repeatedly scan values that never form cycles.

    This saves a fifth of the time for ten thousand models and uses no extra memory. The collector is enabled again
    afterwards for callers in the same process.
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
