"""Diagnostics about the files and names on the command line, before their content is read."""

from __future__ import annotations

import re

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def standard_input() -> Diagnostic:
    """A spec must be a file, because environments and the lock file are next to it and errors point into it.

    Wrong: `cat system.yaml | modelyard validate -`

    Right: `modelyard validate system.yaml`
    """
    return Diagnostic(
        "E0154",
        Severity.ERROR,
        "a spec cannot be read from standard input",
        None,
        "pass the file, or the folder that contains it; to read a file named '-', pass './-'",
    )


def no_folder() -> Diagnostic:
    """`--out` sets the output folder, so its value cannot be empty.

    The usual cause is an unset shell variable.

    Wrong: `modelyard compile --out "$OUT"` where `OUT` is not set.

    Right: `modelyard compile --out build`, or without `--out`.
    """
    return Diagnostic("E0155", Severity.ERROR, "--out has an empty value", None, "name a folder, or omit --out")


def unreadable(span: Span, reason: str, no_spec: bool) -> Diagnostic:
    """A file on the command line cannot be read: it is missing, unreadable, or a folder without a spec.

    A rehearsal of a migration also reads the other files next to the spec.

    Wrong: `modelyard validate sytem.yaml`

    Right: `modelyard validate system.yaml`, or the folder that contains it.
    """
    return Diagnostic(
        "E0150",
        Severity.ERROR,
        f"cannot read '{span.file}': {reason[:1].lower()}{reason[1:]}",
        None,
        "pass a spec, or a folder with a system.yaml or modelyard.yaml; `modelyard init` creates one"
        if no_spec
        else "",
    )


def outside_repository(path: str) -> Diagnostic:
    """A spec or an overlay is a symbolic link to a file outside the repository, which modelyard does not follow.

    A pull request could otherwise make a CI runner read one of its own files, such as a token, and print a line of it.
    The repository is the folder with `.git` above the spec, or else the spec's own folder.

    Wrong: `environments/prod.yaml` as a link to `/etc/shared/prod.yaml`

    Right: a copy of that file in the repository
    """
    return Diagnostic(
        "E0156",
        Severity.ERROR,
        f"'{path}' is a symbolic link to a file outside the repository",
        None,
        "copy the file into the repository; links within the repository are followed",
    )


def two_specs(folder: str) -> Diagnostic:
    """A folder contains both `system.yaml` and `modelyard.yaml`, so it is ambiguous which one is the spec.

    Both would also share the environments, the lock file and the output folder.

    Wrong: `fraud/system.yaml` beside `fraud/modelyard.yaml`

    Right: `fraud/modelyard.yaml` alone, or each spec in its own folder
    """
    return Diagnostic(
        "E0157",
        Severity.ERROR,
        f"folder '{folder}' contains two specs, system.yaml and modelyard.yaml",
        None,
        "delete or move one of them",
    )


def environment_name(name: str) -> Diagnostic:
    """An environment's name becomes a folder name, so it may contain only lower-case letters, digits and hyphens.

    Wrong: `--env ../prod`

    Right: `--env prod`
    """
    return Diagnostic(
        "E0151",
        Severity.ERROR,
        f"{quote(name)} is not a valid environment name",
        None,
        "use at most 40 lower-case letters, digits and hyphens, starting with a letter",
    )


def not_an_assignment(name: str) -> Diagnostic:
    """`--set` needs a variable's name and its value. Messages never repeat the value, because it may be a secret.

    Wrong: `--set replicas`

    Right: `--set replicas=4`
    """
    return Diagnostic("E0152", Severity.ERROR, f"--set {quote(name)} has no value", None, "use --set NAME=VALUE")


def environment_file(path: str, name: str) -> Diagnostic:
    """A file in `environments/` must be named after its environment and end in `.yaml`, or it is not read.

    The name may contain only lower-case letters, digits and hyphens.

    Wrong: `environments/prod.yml`, `environments/Prod_EU.yaml`

    Right: `environments/prod.yaml`, `environments/prod-eu.yaml`
    """
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")
    return Diagnostic(
        "E0153",
        Severity.ERROR,
        f"file '{path}' does not belong to any environment",
        None,
        f"rename it to {quote(f'{stem}.yaml')}" if stem else "name it after the environment, such as 'prod.yaml'",
    )
