"""Diagnostics about the files and names on the command line, before their content is read."""

from __future__ import annotations

import re

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def standard_input() -> Diagnostic:
    """A spec is read from a file, because environments and the lock are beside it and errors point into it.

    Wrong: `cat system.yaml | modelyard validate -`

    Right: `modelyard validate system.yaml`
    """
    return Diagnostic(
        "E0154",
        Severity.ERROR,
        "a spec cannot be read from standard input",
        None,
        "name its file, or the folder that holds it; a file named '-' is './-'",
    )


def no_folder() -> Diagnostic:
    """`--out` names the output folder, and an empty value names none.

    The usual cause is a shell variable without a value.

    Wrong: `modelyard compile --out "$OUT"` where `OUT` is not set.

    Right: `modelyard compile --out build`, or without `--out`.
    """
    return Diagnostic("E0155", Severity.ERROR, "--out '' names no folder", None, "name a folder, or leave out --out")


def unreadable(span: Span, reason: str, is_missing: bool = True) -> Diagnostic:
    """A file on the command line cannot be read: it is missing, unreadable, or a folder without a spec.

    Wrong: `modelyard validate sytem.yaml`

    Right: `modelyard validate system.yaml`, or the folder that holds it.
    """
    return Diagnostic(
        "E0150",
        Severity.ERROR,
        f"cannot read '{span.file}': {reason[:1].lower()}{reason[1:]}",
        None,
        "name the spec, or the folder that holds it as system.yaml or modelyard.yaml; `modelyard init` writes one"
        if is_missing
        else "",
    )


def outside_repository(path: str) -> Diagnostic:
    """A spec or an overlay is a symbolic link that leads out of the repository, which modelyard does not follow.

    The repository is the folder with `.git` above the spec, or else the spec's own folder. Otherwise, a pull request
    could make a CI runner read one of its own files, such as a token, and print a line of it.

    Wrong: `environments/prod.yaml` as a link to `/etc/shared/prod.yaml`

    Right: a copy of that file in the repository
    """
    return Diagnostic(
        "E0156",
        Severity.ERROR,
        f"'{path}' is a symbolic link to a file outside the repository",
        None,
        "put the file itself there; links inside the repository are followed",
    )


def two_specs(folder: str) -> Diagnostic:
    """A folder holds both `system.yaml` and `modelyard.yaml`. Each is the name of a spec, and only one can be meant.

    They would share the environments, the lock and the output folder.

    Wrong: `fraud/system.yaml` beside `fraud/modelyard.yaml`

    Right: `fraud/modelyard.yaml` alone, or the other one in a folder of its own
    """
    return Diagnostic(
        "E0157",
        Severity.ERROR,
        f"the folder '{folder}' holds two specs, system.yaml and modelyard.yaml",
        None,
        "delete or move one of them",
    )


def environment_name(name: str) -> Diagnostic:
    """The name of an environment becomes a folder, so it consists of lower-case letters, digits and hyphens.

    Wrong: `--env ../prod`

    Right: `--env prod`
    """
    return Diagnostic(
        "E0151",
        Severity.ERROR,
        f"{quote(name)} is not a valid environment name",
        None,
        "use lower-case letters, digits and hyphens, starting with a letter, 40 at most",
    )


def not_an_assignment(name: str) -> Diagnostic:
    """`--set` takes a variable's name and its value. Messages never repeat the value: it could be a secret.

    Wrong: `--set replicas`

    Right: `--set replicas=4`
    """
    return Diagnostic("E0152", Severity.ERROR, f"--set {quote(name)} has no value", None, "write --set NAME=VALUE")


def environment_file(path: str, name: str) -> Diagnostic:
    """A file in `environments/` is named after its environment and ends in `.yaml`; other names are never read.

    The name consists of lower-case letters, digits and hyphens.

    Wrong: `environments/prod.yml`, `environments/Prod_EU.yaml`

    Right: `environments/prod.yaml`, `environments/prod-eu.yaml`
    """
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")
    return Diagnostic(
        "E0153",
        Severity.ERROR,
        f"no environment reads the file '{path}'",
        None,
        f"rename it to {quote(f'{stem}.yaml')}" if stem else "name it after the environment, such as 'prod.yaml'",
    )
