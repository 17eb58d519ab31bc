"""Determines where a value is invalid, according to both libraries.

For small documents, our own validator also says whether they are valid.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import jsonschema
import jsonschema_rs
from jsonschema import validators
from jsonschema.protocols import Validator

from modelyard.source import Json
from modelyard.validate.small import SmallFits
from tests.schemas.walk import SYSTEM, Schema, alone

Places = frozenset[tuple[str, ...]]


def _pattern(
    _validator: Validator, pattern: str, value: object, _schema: object
) -> Iterator[jsonschema.ValidationError]:
    """Match like ECMA-262 and Rust.

    `$` matches only at the end of the string, not before a final newline.
    """
    assert (pattern[0], pattern[-1]) == ("^", "$")
    if isinstance(value, str) and not re.search(pattern[:-1] + r"\Z", value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")


_extend: Callable[..., type[Validator]] = vars(validators)["extend"]  # the stubs do not contain its types
_Jsonschema = _extend(jsonschema.Draft202012Validator, {"pattern": _pattern})


def _place(path: Iterable[str | int]) -> tuple[str, ...]:
    """Normalize a path.

    jsonschema-rs treats a field named "0" as an index and omits fields with empty names.
    """
    return tuple(str(step) for step in path if step != "")


class Judge:
    """Runs all validators for a schema. `places` fails if they disagree."""

    def __init__(self, schema: Schema = SYSTEM) -> None:
        root_schema = schema if schema is SYSTEM else alone(schema)
        self._rust = jsonschema_rs.Draft202012Validator(root_schema, pattern_options=jsonschema_rs.RegexOptions())
        self._python = _Jsonschema(root_schema)
        self._whole, self._small = root_schema, SmallFits(root_schema)

    def places(self, value: Json) -> Places:
        """Return the locations where the value is invalid, or an empty set if it is valid."""
        rust = frozenset(_place(error.instance_path) for error in self._rust.iter_errors(value))
        python = frozenset(_place(error.absolute_path) for error in self._python.iter_errors(value))
        assert rust == python, (value, rust ^ python)
        assert self._rust.is_valid(value) == self._small(self._whole, value) == (not rust)
        return rust


SPECS = Judge()
