"""Scale down everything sized for a cluster or real data: hardware, searches, and expected row counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.local_copy.code import HasCode
from modelyard.local_copy.note import Entry, Note, entries, mapping
from modelyard.source import Json

_KEPT: Final = ("cpu", "memory")
_SMALL: Final[Entry] = {"cpu": 1, "memory": "2Gi"}
_MOST_TRIALS: Final = 4
_ROWS: Final = "rows"
_ALL: Final = "100%"


def reduced(spec: Entry, has_code: HasCode) -> Iterator[Note]:
    """Keep only CPUs and memory of each compute class. `modelyard run` then adjusts workers and CPUs to the machine."""
    for name, compute in entries(spec, "compute"):
        yield from _left_out(f"compute.{name}", compute)
        mapping(spec["compute"])[name] = _only_cpus(compute)
    for section in ("pipelines", "inference", "monitors"):
        for name, entry in entries(spec, section):
            parts = (entry, *(below for field in ("steps", "variants") for _, below in entries(entry, field)))
            for part in parts:
                yield from _compute(f"{section}.{name}.compute", part, mapping(spec.get("compute")))
    for name, endpoint in entries(spec, "inference"):
        yield from _capture(f"inference.{name}.capture.sample", mapping(endpoint.get("capture")))
    for name, pipeline in entries(spec, "pipelines"):
        yield from _search(f"pipelines.{name}.tuning", mapping(pipeline.get("tuning")))
    for name, monitor in entries(spec, "monitors"):
        for check, bounds in entries(monitor, "checks"):
            yield from _rows(f"monitors.{name}.checks.{check}", str(bounds.get("metric", check)), bounds)


def _compute(here: str, entry: Entry, classes: Entry) -> Iterator[Note]:
    compute = entry.get("compute")
    if isinstance(compute, dict):
        yield from _left_out(here, compute)
        entry["compute"] = _only_cpus(compute)
    elif isinstance(compute, str) and compute not in classes:  # an accelerator by its name
        yield Note(here, f"{compute} is left out, so CPUs do the work")
        entry["compute"] = dict(_SMALL)


def _only_cpus(compute: Entry) -> Entry:
    kept: dict[str, Json] = {field: compute[field] for field in _KEPT if field in compute}
    return {**_SMALL, **kept}


def _left_out(here: str, compute: Entry) -> Iterator[Note]:
    if "accelerators" in compute or "acceleratorMemory" in compute:
        yield Note(here, "accelerators are left out, so CPUs do the work")


def _search(here: str, tuning: Entry) -> Iterator[Note]:
    trials = mapping(tuning.get("trials"))
    most = trials.get("max")
    if isinstance(most, int) and most > _MOST_TRIALS:
        yield Note(here, f"{most} trials are reduced to {_MOST_TRIALS}")
        trials["max"] = _MOST_TRIALS
        if isinstance(trials.get("parallel"), int):
            trials["parallel"] = min(int(str(trials["parallel"])), _MOST_TRIALS)


def _capture(here: str, capture: Entry) -> Iterator[Note]:
    """Capture all requests, since a sample of the few generated ones may be too small for a monitor."""
    share = capture.get("sample", _ALL)
    if share not in (_ALL, 1):
        yield Note(here, f"{share} becomes {_ALL}, because few requests are sent")
        capture["sample"] = _ALL


def _rows(here: str, metric: str, bounds: Entry) -> Iterator[Note]:
    """Expect only one row per window, because generated data has few rows and must not raise an alarm."""
    least = bounds.get("min")
    if metric == _ROWS and isinstance(least, int | float) and least > 1:
        yield Note(here, f"min: {least} is reduced to 1, because generated data has few rows")
        bounds["min"] = 1
