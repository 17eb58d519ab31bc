"""Pipeline files that review a change on a code host and post the review as a single comment."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from modelyard.hosts.sources import FORMS, is_pinned
from modelyard.patterns import pattern
from modelyard.records import record

_FOLDER: Final = Path(__file__).parent / "pipelines"
_MARKS: Final = ("#{", "#}")
_PLAIN: Final = pattern(r"(?!-)[A-Za-z0-9._/ -]+")
_OF_SOURCE: Final = pattern(r"(?m)^.*@SOURCE@.*\n")

PATHS: Final[Mapping[str, Mapping[str, str]]] = {
    "github": {
        ".github/workflows/modelyard.yml": "github.yml",
        ".github/workflows/modelyard-comment.yml": "github-comment.yml",
    },
    "gitlab": {".gitlab/modelyard.yml": "gitlab.yml"},
    "azure": {".azure/modelyard.yml": "azure.yml"},
}
"""The files for each host, by path in the repository, with their templates."""


@record
class Settings:
    """Pipeline settings: the spec's path, the finding level that fails the run, and how to install and preview.

    `requirements` is a pip requirements file with hashes, for jobs that check out the repository. Other jobs install
    from `source`. `preview` is the environment whose stacks are previewed, using the Pulumi version in `pulumi`.
    """

    spec: str
    fail_on: str
    requirements: str = ""
    source: str = ""
    preview: str = ""
    pulumi: str = ""


def pipeline_files(host: str, settings: Settings) -> Mapping[str, str]:
    """Return the files for a host by path.

    Raises ValueError if a pipeline could misread a path, or if a required pinned source is missing. A package name
    isn't enough, since anyone who registers it in the package index could run code with access to the pipeline's
    tokens.
    """
    for path in (settings.spec, settings.requirements, settings.preview):
        if path and not is_plain(path):
            raise ValueError(
                f"'{path}' cannot be used in a pipeline: the path must be inside the repository, "
                "and contain only letters, digits, spaces and . _ / -"
            )
    if settings.source and not is_pinned(settings.source):
        raise ValueError(f"'{settings.source}' is not a pinned source: use {FORMS}")
    return {path: _filled(path, template, settings) for path, template in PATHS[host].items()}


def is_plain(path: str) -> bool:
    """Return whether a path is inside the working directory and not special in YAML, shells or expressions."""
    inside = not os.path.isabs(path) and os.path.normpath(path).split(os.sep)[0] != ".."
    return bool(_PLAIN.fullmatch(path)) and inside


def _filled(path: str, template: str, settings: Settings) -> str:
    text = _chosen((_FOLDER / template).read_text(encoding="utf-8"), settings)
    ours = '"modelyard @ $MODELYARD_SOURCE"'
    hashed = f"--require-hashes --requirement {json.dumps(settings.requirements)}"
    values = {
        "@SOURCE@": json.dumps(settings.source),
        "@SPEC@": json.dumps(settings.spec),
        "@FAIL_ON@": json.dumps(settings.fail_on),
        "@INSTALL@": hashed if settings.requirements else ours,
        "@INSTALL_ELSEWHERE@": ours,
        "@PATH@": path,
        "@PREVIEW@": json.dumps(settings.preview),
        "@PREVIEWS@": ' "${previews[@]}"' if settings.preview else "",
        "@OTHER_PREVIEWS@": ' "$@"' if settings.preview else "",
        "@PULUMI@": settings.pulumi,
    }
    if settings.requirements and "@INSTALL_ELSEWHERE@" not in text:
        text = _OF_SOURCE.sub("", text)
    elif not settings.source:
        raise ValueError(
            "this modelyard was installed by name or from a folder, so a pipeline cannot install the same one: pass a "
            f"source with --source, {FORMS}"
        )
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def _chosen(text: str, settings: Settings) -> str:
    """Strip the markers from a template's preview sections. The sections stay only if stacks are previewed."""
    lines: list[str] = []
    is_optional = False
    for line in text.splitlines(keepends=True):
        if line.strip() in _MARKS:
            is_optional = line.strip() == _MARKS[0]
        elif line.strip() == "@PREVIEW_SCRIPT@" and settings.preview:
            lines += _indented((_FOLDER / "preview.sh").read_text(encoding="utf-8"), line[: line.index("@")])
        elif settings.preview or not is_optional:
            lines.append(line)
    return "".join(lines)


def _indented(script: str, margin: str) -> list[str]:
    return [f"{margin}{line}" for line in script.splitlines(keepends=True)]
