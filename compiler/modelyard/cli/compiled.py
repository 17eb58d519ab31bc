"""The machine-readable result of a compile: each target's projects and files, and which files changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from modelyard.diagnostics import Diagnostic
from modelyard.disk import Report
from modelyard.disk.record import read_record
from modelyard.printing.diagnostics import json_report

_PROJECT = "/Pulumi.yaml"


def compiled_json(
    diagnostics: Iterable[Diagnostic], lock: Path, folder: Path, reports: Mapping[str, Report | None]
) -> str:
    """Return a JSON object with the diagnostics, the lock, and a list of targets.

    `folder` is the environment's output folder. `reports` maps each target to its report, or to None if it is
    unchanged.
    """
    listed = [_target(folder / target, report) for target, report in reports.items()]
    return json_report(diagnostics, environment=folder.name, lock=str(lock), targets=listed)


def _target(folder: Path, report: Report | None) -> dict[str, object]:
    files = sorted(read_record(str(folder)).files)
    return {
        "target": folder.name,
        "folder": str(folder),
        "projects": [file.removesuffix(_PROJECT) for file in files if file.endswith(_PROJECT)],
        "files": files,
        "written": list(report.written) if report else [],
        "removed": list(report.removed) if report else [],
    }
