"""`modelyard ci`: write the pipeline files that a code host uses to review changes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from modelyard.cli.console import report, say
from modelyard.diagnostics import files as tell
from modelyard.disk import write_file_atomically
from modelyard.hosts.pipelines import Settings, pipeline_files
from modelyard.hosts.sources import installed_source
from modelyard_targets import pulumi_version


def run(arguments: argparse.Namespace) -> int:
    """Write or print the files. Returns 1 if a path is unusable or already holds a different file."""
    if arguments.out == "":  # an empty path would mean the working directory
        report((tell.no_folder(),), (), "text", "auto")
        return 1
    try:
        spec, source = os.path.normpath(arguments.spec), arguments.source or installed_source()
        pulumi = pulumi_version()
        settings = Settings(spec, arguments.fail_on, arguments.requirements, source, arguments.preview, pulumi)
        files = pipeline_files(arguments.host, settings)
    except ValueError as problem:
        say(f"error: {problem}")
        return 1
    if arguments.out == "-":
        sys.stdout.write("---\n".join(files.values()))
        return 0
    return _write(Path(arguments.out), files)


def _write(root: Path, files: Mapping[str, str]) -> int:
    """Write all files, or none if any of them already exists with different content."""
    conflicts = [root / path for path, text in files.items() if _differs(root / path, text)]
    if conflicts:
        say(
            "\n".join(f"error: '{path}' exists with different content; remove it, or use --out -" for path in conflicts)
        )
        return 1
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        problems = write_file_atomically(root / path, text.encode())
        report(problems, (), "text", "auto")
        if problems:
            return 1
        say(f"wrote {root / path}")
    return 0


def _differs(path: Path, text: str) -> bool:
    return os.path.lexists(path) and not (path.is_file() and path.read_bytes() == text.encode())
