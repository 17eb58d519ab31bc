"""Builds workload descriptions from only the fields that matter to a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from modelyard_runtime.promotion.look import Subject
from modelyard_runtime.workload import records
from modelyard_runtime.workload.decode import Record, decode

R = TypeVar("R", bound=Record)

BEGINNING = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Workload"}
"""The fields at the beginning of every workload description that is mounted."""

_EMPTY: dict[Any, Any] = {str: "", int: 0, float: 0.0, bool: False, tuple: [], Mapping: {}}
_SECTIONS = {
    "applications": records.ServerWorkload,
    "pipeline": records.PipelineWorkload,
    "monitor": records.MonitorWorkload,
    "promotions": records.PromoterWorkload,
    "imports": records.PromoterWorkload,
    "stages": records.PromoterWorkload,
    "requests": records.StarterWorkload,
}


def record(kind: type[R], described: Mapping[str, Any] | R) -> R:
    """Return a record with the described fields, and empty values for all other required fields.

    The workload type is derived from the sections. Sections that do not belong to that type are dropped.
    """
    if isinstance(described, Record):
        return described
    if kind is records.Workload:
        kind = cast(
            "type[R]",
            next((workload_type for section, workload_type in _SECTIONS.items() if section in described), kind),
        )
    return decode(kind, completed(kind, described))


def completed(kind: Any, described: Mapping[str, Any]) -> dict[str, Any]:
    """Fill missing fields with empty values, and drop sections that belong to other workload types."""
    hints, result = get_type_hints(kind), dict(described)
    if issubclass(kind, records.Workload):
        other = {*_SECTIONS, "trainedBy", "stage"} - hints.keys()
        result = {key: entry for key, entry in result.items() if key not in other}
    for entry in fields(kind):
        key = _key(entry.name)
        required = entry.default is MISSING and entry.default_factory is MISSING
        if entry.name != "source" and (key in result or required):
            result[key] = _completed(hints[entry.name], result.get(key, MISSING))
    return result


def look_of(described: Mapping[str, Any]) -> Subject:
    """Return the subject of a promoter pass: an alias that a pipeline promotes to, or a training pipeline."""
    own = {name: value for name, value in described.items() if name not in {"pipeline", "trainedBy", "stage"}}
    pipeline = described["pipeline"]
    if not described.keys() & {"trainedBy", "stage"} and not pipeline.keys() & {"after", "soak", "import", "changes"}:
        return Subject.of_training(record(records.PipelineWorkload, described))
    workload = record(records.Workload, {"type": "promoter", **own})
    made_by = described.get("trainedBy") or workload.address
    promotion = record(records.Promotion, {key: entry for key, entry in pipeline.items() if key not in _OF_PIPELINES})
    return Subject(workload, promotion, made_by, described.get("stage", ""), "trainedBy" not in described)


_OF_PIPELINES = {"steps", "data", "timeoutSeconds", "promotedBy"}


def steps_of(described: Mapping[str, Any]) -> dict[str, records.Step]:
    """Return the described steps as records, keyed by name."""
    return {name: record(records.Step, step) for name, step in described.items()}


def _key(name: str) -> str:
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def _completed(kind: Any, value: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return _completed(arguments[0], value)
    if isinstance(kind, type) and issubclass(kind, Record):
        return completed(kind, {} if value is MISSING else value)
    if value is MISSING:
        return _EMPTY[origin or kind]
    if origin is tuple:
        return [_completed(arguments[0], item) for item in value]
    if origin is Mapping:
        return {key: _completed(arguments[1], item) for key, item in value.items()}
    return value
