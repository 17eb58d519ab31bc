"""Read the files that the arguments name into `Inputs`, and report unreadable files."""

from __future__ import annotations

import argparse
import errno
import os
from collections.abc import Iterable

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics import files as tell
from modelyard.inputs import InputFile, Inputs
from modelyard.load.builder import LIMITS
from modelyard.patterns import pattern
from modelyard.source import Document, Span

SPEC_NAME = "system.yaml"
DISTINCT_NAME = "modelyard.yaml"
"""The alternative file name for a spec. No other tool uses it, so editors can choose the schema by this name."""
SPEC_NAMES = (SPEC_NAME, DISTINCT_NAME)
APPROVALS = "approvals"
"""The folder of signed approvals next to a spec. It may have a subfolder for each group."""

_ENVIRONMENT = pattern(r"[a-z][a-z0-9-]{0,39}")


def gather(arguments: argparse.Namespace, every: bool = False) -> tuple[Inputs | None, tuple[Diagnostic, ...]]:
    """Read the spec and its environment files from disk, and collect the values of variables.

    If `every` is set, read all environments and report unreadable files.
    """
    variables, problems = _variables(arguments.set)
    environment: str | None = arguments.env
    if environment is not None and not _ENVIRONMENT.fullmatch(environment):
        problems.append(tell.environment_name(environment))
    typed = str(arguments.spec) or "."
    path = spec_path(typed)
    if path == "-":
        return None, (*problems, tell.standard_input())
    if os.path.isdir(typed) and has_two_specs(typed):
        return None, (*problems, tell.two_specs(typed))
    repository = _repository(path)
    spec = _read(path, repository, problems, is_spec=True)
    overlays, unread = _beside(path, repository)
    if environment is not None:
        problems += unread.get(environment, ())
    if spec is None or problems:
        return None, tuple(problems)
    overlay = overlays.get(environment) if environment is not None else None
    approvals = _approvals(path, repository, problems)
    if problems:
        return None, tuple(problems)
    file_problems = (problem for name in sorted(unread) for problem in unread[name]) if every else ()
    tables = tables_of(path, (spec, *overlays.values()))
    return Inputs(spec, environment, overlay, variables, overlays, approvals, tables), tuple(file_problems)


def tables_of(spec: str, files: Iterable[InputFile]) -> dict[str, InputFile | str]:
    """Read the CSV files named in a spec and its environments. Unreadable files map to the reason instead."""
    names = names_of_tables(files)
    if not names:
        return {}
    from modelyard.sites.files import read_beside  # imported here because only a few specs have tables

    return {name: read_beside(spec, name) for name in names}


def names_of_tables(files: Iterable[InputFile]) -> list[str]:
    """Return the names of the CSV files that a spec and its environments refer to."""
    relevant = [file for file in files if any(word in _text(file.content) for word in ("sites", "lists"))]
    if not relevant:
        return []
    from modelyard.load import load  # imported here for the same reason
    from modelyard.sites.groups import files_of

    documents = (load(file.content, file.path, may_be_empty=True)[0] for file in relevant)
    return list(dict.fromkeys(name for document in documents if document is not None for name in files_of(document)))


def _text(content: str | bytes) -> str:
    return content if isinstance(content, str) else content.decode("utf-8", "replace")


def other_file(path: str) -> tuple[InputFile | None, tuple[Diagnostic, ...]]:
    """Read an additional file named in the arguments. Links that lead out of its repository are rejected."""
    problems: list[Diagnostic] = []
    file = _read(path, _repository(path), problems)
    return file, tuple(problems)


def environment_names(inputs: Inputs, spec: Document | None) -> list[str]:
    """Return the environments that `--env` accepts: those defined in the spec or in files next to it."""
    from modelyard.overlay import environments  # imported here because an unchanged compile loads no stage

    return sorted({*inputs.beside, *(() if spec is None else environments(spec))})


def _beside(spec: str, repository: str) -> tuple[dict[str, InputFile], dict[str, list[Diagnostic]]]:
    """Return the environment files next to a spec, and the errors for unreadable ones, by environment name."""
    folder = os.path.join(os.path.dirname(spec), "environments")
    files: dict[str, InputFile] = {}
    unread: dict[str, list[Diagnostic]] = {}
    try:
        entries = sorted(os.listdir(folder))
    except (OSError, ValueError):  # the folder does not exist, or the spec's path is invalid
        return files, unread
    for entry in entries:
        name, extension = os.path.splitext(entry)
        if extension not in {".yaml", ".yml"} or name.startswith("."):
            continue
        problems: list[Diagnostic] = []
        path = os.path.join(folder, entry)
        if extension == ".yml" or not _ENVIRONMENT.fullmatch(name):
            problems.append(tell.environment_file(path, name))
        elif os.path.isfile(path) or not os.path.exists(path):  # report dangling links, but do not wait for pipes
            file = _read(path, repository, problems)
            if file is not None:
                files[name] = file
        if problems:
            unread.setdefault(name, []).extend(problems)
    return files, unread


def _approvals(spec: str, repository: str, problems: list[Diagnostic]) -> tuple[InputFile, ...]:
    """Return the signed approvals next to a spec (`approvals/*.json` and `approvals/*/*.json`), sorted by path."""
    folder = os.path.join(os.path.dirname(spec), APPROVALS)
    paths: list[str] = []
    for root in (folder, *_listed(folder)):
        paths += [path for path in _listed(root) if path.endswith(".json") and os.path.isfile(path)]
    files = (_read(path, repository, problems) for path in sorted(paths))
    return tuple(file for file in files if file is not None)


def _listed(folder: str) -> list[str]:
    """Return the paths in a folder, or an empty list if the folder does not exist."""
    try:
        return sorted(os.path.join(folder, entry) for entry in os.listdir(folder) if not entry.startswith("."))
    except (OSError, ValueError):
        return []


def spec_path(typed: str) -> str:
    """Return the path of the spec: the argument itself, or a folder's `modelyard.yaml` or `system.yaml`."""
    folder = "" if typed in {"", ".", "./"} else typed
    if folder and not os.path.isdir(folder):
        return typed
    distinct = os.path.join(folder, DISTINCT_NAME)
    return distinct if os.path.lexists(distinct) else os.path.join(folder, SPEC_NAME)


def has_two_specs(folder: str) -> bool:
    """Return whether a folder is ambiguous because it contains a spec under both names."""
    return all(os.path.lexists(os.path.join(folder, name)) for name in SPEC_NAMES)


def _repository(spec: str) -> str:
    """Return the folder that symbolic links must stay within: the spec's git repository, or else its folder."""
    own = folder = os.path.dirname(os.path.abspath(spec))
    while not os.path.lexists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return own
        folder = above
    return folder


def _is_inside(path: str, repository: str) -> bool:
    """Return whether a file is in the repository after resolving all links."""
    root = os.path.realpath(repository)
    return os.path.commonpath((root, os.path.realpath(path))) == root


def _read(path: str, repository: str, problems: list[Diagnostic], is_spec: bool = False) -> InputFile | None:
    try:
        if not _is_inside(path, repository):
            problems.append(tell.outside_repository(path))
            return None
        with open(path, "rb") as file:
            return InputFile(
                path, file.read(LIMITS.size_mib * 2**20 + 1)
            )  # one byte more shows that the file is too large
    except OSError as problem:
        no_spec = is_spec and problem.errno in {errno.ENOENT, errno.ENOTDIR, errno.EISDIR}
        problems.append(tell.unreadable(Span(path, 1, 1, 1), problem.strerror or "it cannot be read", no_spec))
    except ValueError:  # a NUL byte in the path
        problems.append(tell.unreadable(Span("?", 1, 1, 1), "its name contains a NUL character", is_spec))
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
