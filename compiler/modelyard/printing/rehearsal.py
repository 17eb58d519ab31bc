"""Print what a rehearsal did in each phase: what ran as in the real migration, and what was replaced or left out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from modelyard.migration.sides import Sides
from modelyard.rehearsal.rehearsal import PhaseReport
from modelyard.source import Json

_ALWAYS: Final = ""
_BUCKETS, _ENDPOINTS, _REGISTRY, _SCHEDULES, _SECRETS = "buckets", "endpoints", "registry", "schedules", "secrets"
_ROWS, _TEXTS = "rows", "texts"

_REAL: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "1-build": ((_ALWAYS, "the overlay is compiled and verified"),),
    "2-secrets": (),
    "3-images": (),
    "4-workloads": ((_REGISTRY, "MLflow of the new side runs"), (_ENDPOINTS, "the model servers of the new side run")),
    "5-data": ((_BUCKETS, "rclone copies the data and compares checksums"),),
    "6-registry": ((_REGISTRY, "the script copies MLflow's tables with their IDs, and the summaries are compared"),),
    "7-dual-run": ((_ENDPOINTS, "both sides get the same requests, and their answers are compared"),),
    "8-freeze": (
        (_BUCKETS, "rclone copies what has changed"),
        (_REGISTRY, "the script copies the tables again"),
    ),
    "9-cut-over": (
        (_ALWAYS, "the overlay with schedules is compiled"),
        (_ENDPOINTS, "callers move in steps, and every answer is compared"),
        (_BUCKETS, "rclone copies what the old side wrote up to the end"),
    ),
    "10-watch": (
        (_BUCKETS, "rclone copies back"),
        (_ENDPOINTS, "the old side answers direct requests"),
    ),
    "11-retire": (
        (
            _ALWAYS,
            "refused while clients, schedules, objects or registry addresses are still on the old side",
        ),
    ),
}
"""What each rehearsed phase does as in the real migration, listed only if the system has the named kind of part."""

_STAND_IN: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "1-build": (
        (_ALWAYS, "pulumi is a stand-in that records what was applied and what is protected; nothing is created"),
    ),
    "2-secrets": ((_SECRETS, "no secret store is contacted, and no value is read"),),
    "3-images": ((_ALWAYS, "no image is pulled, built or pushed, and crane is a stand-in that records names"),),
    "4-workloads": (
        (_ENDPOINTS, "servers run without Kubernetes and Ray, from a copy of the spec"),
        (_ALWAYS, "pulumi and kubectl are stand-ins"),
    ),
    "5-data": ((_BUCKETS, "buckets are folders, so no provider's API is used; rclone runs here, not in Jobs"),),
    "6-registry": ((_REGISTRY, "databases are SQLite files without logins"),),
    "7-dual-run": (
        (_ROWS, "requests are rows of the data"),
        (_TEXTS, "requests are short texts at temperature 0, for small models with random weights"),
        (_ENDPOINTS, "no Prometheus checks the objectives, and no days pass"),
    ),
    "8-freeze": ((_SCHEDULES, "kubectl is a stand-in that records which schedules are suspended; none runs here"),),
    "9-cut-over": ((_ENDPOINTS, "the gateway belongs to the rehearsal; there are no DNS records and no alerts"),),
    "10-watch": ((_ALWAYS, "no days pass"),),
    "11-retire": ((_ALWAYS, "pulumi is a stand-in; the old side's processes end, and its folders stay"),),
}
"""What each rehearsed phase does differently from the real migration, listed under the same condition."""


def _of_kinds(texts: tuple[tuple[str, str], ...], kinds: Collection[str]) -> list[str]:
    return [text for kind, text in texts if not kind or kind in kinds]


def phase_line(done: PhaseReport) -> str:
    """Return a one-line summary of a rehearsed phase."""
    acted = "".join(f"; {text}" for text in done.acted)
    return f"{done.phase} done in {done.seconds:.0f} s: {done.commands} commands ran{acted}"


def report_lines(sides: Sides, report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the whole report."""
    yield f"rehearsed: {sides.old.name} to {sides.live.name}"
    for phase in _phases(report):
        yield f"  {phase['name']}: {phase['commands']} commands in {phase['seconds']:.0f} s"
        yield from (f"    as in the real move: {text}" for text in phase["asInTheMove"])
        yield from (f"    done: {text}" for text in phase["acted"])
        yield from (f"    unlike the real move: {text}" for text in phase["notAsInTheMove"])
        yield from (f"    left out: {text}" for text in phase["leftOut"])
    if report["requests"]:
        yield f"callers sent {report['requests']} requests; every answer was the same as before the move"
    yield "rolled back once from 9-cut-over, then repeated the move from 8-freeze"


def report_data(sides: Sides, report: Mapping[str, Any]) -> Mapping[str, Json]:
    """Return the report as data, for use by programs."""
    return {
        "from": sides.old.name,
        "to": sides.live.name,
        "phases": list(_phases(report)),
        "requests": report["requests"],
        "takenBack": report["takenBack"],
    }


def _phases(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in _REAL:
        real, stand_in = (_of_kinds(texts[name], report["kinds"]) for texts in (_REAL, _STAND_IN))
        yield {"name": name, **report["phases"][name], "asInTheMove": real, "notAsInTheMove": stand_in}
