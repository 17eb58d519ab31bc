"""From arguments to `Inputs`: which files are read, and what is said when they cannot be."""

from __future__ import annotations

import argparse
import errno
import os
import re

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics import files as tell
from modelyard.inputs import Given, Inputs
from modelyard.source import Span

SPEC_NAME = "system.yaml"

_ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,39}")


def gather(arguments: argparse.Namespace) -> tuple[Inputs | None, tuple[Diagnostic, ...]]:
    """The spec and its overlay file as they lie on disk, and the values of variables."""
    variables, problems = _variables(arguments.set)
    environment: str | None = arguments.env
    if environment is not None and not _ENVIRONMENT.fullmatch(environment):
        problems.append(tell.environment_name(environment))
    path = spec_path(str(arguments.spec))
    spec = _read(path, problems)
    overlay = None
    if environment is not None and not problems:
        overlay_path = os.path.join(os.path.dirname(path), "environments", f"{environment}.yaml")
        overlay = _read(overlay_path, problems) if os.path.isfile(overlay_path) else None
    if spec is None or problems:
        return None, tuple(problems)
    return Inputs(spec, environment, overlay, variables), ()


def spec_path(typed: str) -> str:
    """The spec's file: what was typed, or `system.yaml` in the folder that was typed."""
    if typed in {"", ".", "./"}:
        return SPEC_NAME
    return os.path.join(typed, SPEC_NAME) if os.path.isdir(typed) else typed


def _read(path: str, problems: list[Diagnostic]) -> Given | None:
    try:
        with open(path, "rb") as file:
            return Given(path, file.read())
    except OSError as problem:
        is_missing = problem.errno in {errno.ENOENT, errno.ENOTDIR, errno.EISDIR}
        problems.append(tell.unreadable(Span(path, 1, 1, 1), problem.strerror or "it cannot be read", is_missing))
    except ValueError:  # a NUL byte in the path
        problems.append(tell.unreadable(Span("?", 1, 1, 1), "its name holds a NUL character"))
    return None


def _variables(typed: list[str]) -> tuple[dict[str, str], list[Diagnostic]]:
    values: dict[str, str] = {}
    problems: list[Diagnostic] = []
    for pair in typed:
        name, equals, value = pair.partition("=")
        if equals and name:
            values[name] = value
        else:
            problems.append(tell.not_an_assignment(name))
    return values, problems
