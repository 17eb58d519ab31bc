"""The third room: whether a document fits the schema, and if not, what the user is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, cast

import modelyard_schemas
from modelyard.diagnostics import load as tell_load
from modelyard.diagnostics import validate as tell
from modelyard.diagnostics.base import Diagnostic, in_order
from modelyard.faults import Faults
from modelyard.keywords import python_pattern
from modelyard.mistakes import describe, owner_of
from modelyard.shape import Schema
from modelyard.source import Document, Json, Path

if TYPE_CHECKING:
    from jsonschema import ValidationError

Engine: TypeAlias = "Callable[[Json], Iterator[Path]]"
"""Gives the place of every value that does not fit."""

_MOST: Final = 1000


def validate(document: Document) -> tuple[Diagnostic, ...]:
    """What keeps the document from fitting the schema of the spec; nothing if it fits."""
    return validate_with(_system(), _engine(), document)


def validate_with(schema: Schema, engine: Engine, document: Document) -> tuple[Diagnostic, ...]:
    """The same by any schema and engine."""
    within = {path[:length] for path in islice(engine(document.value), 5 * _MOST) for length in range(len(path) + 1)}
    if not within:
        return ()
    faults = list(islice(Faults(schema, within).of([schema], document.value), _MOST + 1))
    found = [describe(document, fault) for fault in faults[:_MOST]]
    if len(faults) > _MOST:
        found.append(tell_load.too_many_mistakes(document.key_span(faults[_MOST].path), _MOST))
    return in_order(found) or _unexplained(document, max(within, key=len))


def _unexplained(document: Document, path: Path) -> tuple[Diagnostic, ...]:
    return (tell.does_not_fit(document.key_span(path), owner_of(path)),)


@lru_cache(maxsize=1)
def _system() -> Schema:
    return cast("Schema", modelyard_schemas.load("system"))


@lru_cache(maxsize=1)
def _engine() -> Engine:
    try:
        return rust_engine(_system())
    except ImportError:
        return python_engine(_system())


def rust_engine(schema: Schema) -> Engine:
    """jsonschema-rs: fast, and there is a wheel of it for the usual machines."""
    import jsonschema_rs

    validator = jsonschema_rs.Draft202012Validator(schema, pattern_options=jsonschema_rs.RegexOptions())

    def paths(value: Json) -> Iterator[Path]:
        for error in validator.iter_errors(value):
            yield tuple(error.instance_path)

    return paths


class _Validator(Protocol):
    def iter_errors(self, instance: Json) -> Iterator[ValidationError]: ...


def python_engine(schema: Schema) -> Engine:
    """jsonschema, with patterns that mean the same as in the other one."""
    from jsonschema import Draft202012Validator

    validator = cast("_Validator", Draft202012Validator(_for_python(schema)))

    def paths(value: Json) -> Iterator[Path]:
        for error in validator.iter_errors(value):
            yield tuple(error.absolute_path)

    return paths


def _for_python(schema: Schema) -> Schema:
    """The same schema with its patterns as Python reads them."""
    result = {key: _part_for_python(value) for key, value in schema.items()}
    pattern = schema.get("pattern")
    return {**result, "pattern": python_pattern(pattern)} if isinstance(pattern, str) else result


def _part_for_python(part: Json) -> Json:
    if isinstance(part, list):
        return [_part_for_python(one) for one in part]
    return _for_python(part) if isinstance(part, dict) else part
