"""Validate small documents in Python, since importing jsonschema-rs and building its validator is slower.

Only the keywords used in our own schemas are supported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from modelyard.keywords import FITS
from modelyard.shape import Schema, definition, schema_of, texts
from modelyard.source import Json

_MOST_REMEMBERED: Final = 10_000
_CHECKS: Final = dict(FITS)


class SmallFits:
    """A validator for small values.

    Environments share most of a spec, so mappings that have been found valid are remembered by object identity.
    """

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._definitions: dict[str, Schema] = {}
        self._fitting: dict[tuple[int, int], tuple[Schema, Json]] = {}

    def __call__(self, schema: Schema, value: Json) -> bool:
        """Return whether a value matches a part of the schema."""
        if not isinstance(value, dict):
            return self._fits(schema, value)
        key = (id(schema), id(value))
        if key in self._fitting:
            return True
        fits = self._fits(schema, value)
        if fits:
            if len(self._fitting) >= _MOST_REMEMBERED:
                self._fitting.clear()
            self._fitting[key] = (schema, value)  # keeps both alive so that no other object gets their identity
        return fits

    def _fits(self, schema: Schema, value: Json) -> bool:
        for keyword, argument in schema.items():
            check = _CHECKS.get(keyword)
            if check is not None:
                if not check(value, argument):
                    return False
            elif keyword in _APPLICATORS and not _APPLICATORS[keyword](self, schema, value):
                return False
        return True

    def allows(self, argument: Json, value: Json) -> bool:
        """Return whether a value matches a schema, which may also be `true` or `false`."""
        return argument if isinstance(argument, bool) else self(schema_of(argument), value)

    def definition(self, schema: Schema) -> Schema:
        """Return the schema that a `$ref` refers to."""
        reference = str(schema["$ref"])
        if reference not in self._definitions:
            self._definitions[reference] = definition(self._root, reference)
        return self._definitions[reference]

    def branch(self, schema: Schema, value: Json) -> Schema:
        """Return the `then` or `else` schema, depending on whether a value matches the schema's `if`."""
        return schema_of(schema.get("then" if self(schema_of(schema["if"]), value) else "else"))

    def evaluated(self, schema: Schema, value: dict[str, Json]) -> Iterator[str]:
        """Yield the field names that a schema and its subschemas evaluate, ignoring its own `unevaluatedProperties`."""
        yield from schema_of(schema.get("properties"))
        if "additionalProperties" in schema:
            yield from value
        parts = [self.definition(schema)] if "$ref" in schema else []
        if "if" in schema:
            condition = schema_of(schema["if"])
            parts += [condition] if self(condition, value) else []
            parts.append(self.branch(schema, value))
        for part in parts:
            yield from value if "unevaluatedProperties" in part else self.evaluated(part, value)


def _reference(fits: SmallFits, schema: Schema, value: Json) -> bool:
    return fits(fits.definition(schema), value)


def _condition(fits: SmallFits, schema: Schema, value: Json) -> bool:
    return fits(fits.branch(schema, value), value)


def _items(fits: SmallFits, schema: Schema, value: Json) -> bool:
    return not isinstance(value, list) or all(fits.allows(schema["items"], child) for child in value)


def _properties(fits: SmallFits, schema: Schema, value: Json) -> bool:
    fields = schema_of(schema["properties"])
    return not isinstance(value, dict) or all(
        fits.allows(fields[name], child) for name, child in value.items() if name in fields
    )


def _additional(fits: SmallFits, schema: Schema, value: Json) -> bool:
    fields, argument = schema_of(schema.get("properties")), schema["additionalProperties"]
    return not isinstance(value, dict) or all(
        fits.allows(argument, child) for name, child in value.items() if name not in fields
    )


def _unevaluated(fits: SmallFits, schema: Schema, value: Json) -> bool:
    if not isinstance(value, dict):
        return True
    names, argument = {*fits.evaluated(schema, value)}, schema["unevaluatedProperties"]
    return all(fits.allows(argument, child) for name, child in value.items() if name not in names)


def _names(fits: SmallFits, schema: Schema, value: Json) -> bool:
    return not isinstance(value, dict) or all(fits.allows(schema["propertyNames"], name) for name in value)


def _required(_: SmallFits, schema: Schema, value: Json) -> bool:
    return not isinstance(value, dict) or all(name in value for name in texts(schema["required"]))


def _dependent(_: SmallFits, schema: Schema, value: Json) -> bool:
    return not isinstance(value, dict) or all(
        other in value
        for name, names in schema_of(schema["dependentRequired"]).items()
        if name in value
        for other in texts(names)
    )


_Applicator: TypeAlias = "Callable[[SmallFits, Schema, Json], bool]"

_APPLICATORS: Final[Mapping[str, _Applicator]] = MappingProxyType(
    {
        "$ref": _reference,
        "if": _condition,
        "items": _items,
        "properties": _properties,
        "additionalProperties": _additional,
        "unevaluatedProperties": _unevaluated,
        "propertyNames": _names,
        "required": _required,
        "dependentRequired": _dependent,
    }
)

SUPPORTED: Final = frozenset({*FITS, *_APPLICATORS, "$defs", "then", "else"})
"""The schema keywords that this validator checks. It ignores all other keywords."""
