"""The third stage: validate a document against the schema, and report the errors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, cast

import modelyard_schemas
from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.bounds import MOST_MISTAKES, at_most
from modelyard.diagnostics.validate import does_not_fit
from modelyard.indexes import index
from modelyard.shape import Schema
from modelyard.source import Document, Json, Path
from modelyard.validate.small import SmallFits

if TYPE_CHECKING:
    from modelyard.validate.faults import Fault

Fits: TypeAlias = "Callable[[Schema, Json], bool]"
"""A function that checks whether a value matches a schema, which is a part of the spec's schema."""


_MANY: Final = 1_000
"""The number of values above which importing and building the fast validator pays off compared with using Python."""


def validate(document: Document, aside: Collection[Path] = ()) -> tuple[Diagnostic, ...]:
    """Report where a document doesn't match the spec's schema.

    Skips errors in the entries at the paths in `aside`, which an earlier stage has set aside.
    """
    faults = _first_faults(document)
    if faults is None:
        return ()
    if aside and len(faults) > MOST_MISTAKES:  # there may be other errors to report
        return validate_with(_system(), system_fits(), document, aside)
    return _described(document, faults, aside)


def validate_with(
    schema: Schema, fits: Fits, document: Document, aside: Collection[Path] = ()
) -> tuple[Diagnostic, ...]:
    """Validate a document against the given schema, using the given validator."""
    if fits(schema, document.value):
        return ()
    # Imported here because this code is as large as the rest of the stage, and a valid spec does not need it.
    from modelyard.validate.faults import Faults

    faults = Faults(schema, fits if _has_many(document.value) else None).of([schema], document.value)
    return _described(document, faults, aside)


def _described(document: Document, faults: Iterable[Fault], aside: Collection[Path]) -> tuple[Diagnostic, ...]:
    from modelyard.validate.mistakes import describe

    shown = (fault for fault in faults if not any(fault.path[: len(path)] == path for path in aside))
    diagnostics = at_most(describe(document, fault) for fault in shown)
    return diagnostics if diagnostics or aside else (does_not_fit(document.key_span(()), "the spec"),)


def faults_of(document: Document) -> tuple[Fault, ...]:
    """Find schema violations in a document, up to the maximum number of reported errors."""
    return (_first_faults(document) or ())[:MOST_MISTAKES]


@index
def _first_faults(document: Document) -> tuple[Fault, ...] | None:
    """Return the errors in a document, up to one more than the reporting limit, or None if it is valid.

    Cached because several steps use the result.
    """
    has_many = _has_many(document.value)
    fits = system_fits() if has_many else _small_fits()
    if fits(_system(), document.value):
        return None
    from modelyard.validate.faults import Faults

    faults = Faults(_system(), fits if has_many else None)
    return tuple(islice(faults.of([_system()], document.value), MOST_MISTAKES + 1))


def _has_many(value: dict[str, Json]) -> bool:
    """Return whether a document has many values. Stops counting early, as YAML aliases can make a short spec huge."""
    waiting: list[dict[str, Json] | list[Json]] = [value]
    count = 0
    while waiting and count <= _MANY:
        container = waiting.pop()
        children = container.values() if isinstance(container, dict) else container
        count += len(children)
        waiting += [child for child in children if isinstance(child, dict | list)]
    return count > _MANY


@lru_cache(maxsize=1)
def _system() -> Schema:
    return cast("Schema", modelyard_schemas.load("system"))


@lru_cache(maxsize=1)
def _small_fits() -> Fits:
    return SmallFits(_system())


@lru_cache(maxsize=1)
def system_fits() -> Fits:
    """Return a validator for documents of any size, which is jsonschema-rs if installed, else jsonschema."""
    try:
        return rust_fits(_system())
    except ImportError:
        return python_fits(_system())


def rust_fits(root: Schema) -> Fits:
    """Return a validator from jsonschema-rs, which is fast and has wheels for the usual platforms."""
    from modelyard.interrupts import undisturbed

    with undisturbed():
        import jsonschema_rs

        options = jsonschema_rs.RegexOptions()
    validators: dict[int, jsonschema_rs.Validator] = {}

    def fits(schema: Schema, value: Json) -> bool:
        if id(schema) not in validators:
            part = {**schema, "$defs": root.get("$defs", {})}
            validators[id(schema)] = jsonschema_rs.Draft202012Validator(part, pattern_options=options)
        return validators[id(schema)].is_valid(value)

    return fits


class _Validator(Protocol):
    def is_valid(self, instance: Json) -> bool: ...


def python_fits(root: Schema) -> Fits:
    """Return a validator from jsonschema, with patterns adapted to jsonschema-rs semantics."""
    from jsonschema import Draft202012Validator

    definitions = _part_for_python(root.get("$defs", {}))
    validators: dict[int, _Validator] = {}

    def fits(schema: Schema, value: Json) -> bool:
        if id(schema) not in validators:
            part = {**_for_python(schema), "$defs": definitions}
            validators[id(schema)] = cast("_Validator", Draft202012Validator(part))
        return validators[id(schema)].is_valid(value)

    return fits


def _for_python(schema: Schema) -> Schema:
    """Translate the regular expressions in a schema for Python."""
    result = {key: _part_for_python(value) for key, value in schema.items()}
    from modelyard.keywords import python_pattern

    pattern = schema.get("pattern")
    return {**result, "pattern": python_pattern(pattern)} if isinstance(pattern, str) else result


def _part_for_python(part: Json) -> Json:
    if isinstance(part, list):
        return [_part_for_python(item) for item in part]
    return _for_python(part) if isinstance(part, dict) else part
