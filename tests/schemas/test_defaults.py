"""Tests that the schema's defaults are the actual ones, so that writing one in a spec is a no-op."""

from __future__ import annotations

import dataclasses
import json

import pytest

from modelyard.load import load
from modelyard.resolve import resolve
from modelyard.source import Json
from modelyard.spec import System
from modelyard_targets import TARGETS
from tests.schemas.changes import REMOVED, with_value
from tests.schemas.validators import SPECS
from tests.schemas.walk import Schema, at, filled, places, valid_specs

VALID = valid_specs()
UNRESOLVED = ("vars", "environments")


def _system(spec: Schema) -> System:
    document, load_problems = load(json.dumps(spec), "system.yaml")
    assert document is not None, load_problems
    system, problems = resolve(document, "default", TARGETS)
    assert system is not None, problems
    return system


def _optional(spec: Schema, path: tuple[str | int, ...]) -> bool:
    """Return whether a field is not required by any other field."""
    return not SPECS.places(with_value(spec, path, REMOVED))


def _defaults() -> dict[str, tuple[Schema, tuple[str | int, ...], Json]]:
    """Return the optional fields with a default: location in the schema, a spec, the path in it, and default value."""
    defaults: dict[str, tuple[Schema, tuple[str | int, ...], Json]] = {}
    for spec in VALID.values():
        for place, path in filled(spec):
            schema = at(place)
            if "default" in schema and path[0] not in UNRESOLVED and place not in defaults and _optional(spec, path):
                defaults[place] = spec, path, schema["default"]
    return defaults


DEFAULTS = _defaults()


@pytest.mark.parametrize("place", DEFAULTS)
def test_writing_a_default_changes_nothing(place: str) -> None:
    spec, path, default = DEFAULTS[place]
    left_out, written = _system(with_value(spec, path, REMOVED)), _system(with_value(spec, path, default))

    assert dataclasses.replace(written, document=left_out.document) == left_out


def test_every_default_is_tested() -> None:
    assert set(DEFAULTS) == {place for place, schema in places() if "default" in schema}
