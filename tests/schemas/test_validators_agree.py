"""Tests that jsonschema, the fallback for jsonschema-rs, reports the same errors at the same locations."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.source import Json
from tests.schemas.generate import STRANGE, changed, fitting
from tests.schemas.validators import SPECS, Judge
from tests.schemas.walk import SYSTEM, Schema, places, schema_of, valid_specs

DEFINITIONS = sorted(schema_of(SYSTEM["$defs"]))
JUDGES = {name: Judge({"$ref": f"#/$defs/{name}"}) for name in DEFINITIONS}
SPECIFICATIONS = valid_specs()
PATTERNED = [(pointer, schema) for pointer, schema in places() if "pattern" in schema]

few = settings(
    max_examples=8,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
many = settings(few, max_examples=40)


@pytest.mark.parametrize("name", DEFINITIONS)
@few
@given(data=st.data())
def test_both_validators_agree_on_values_of_each_definition(name: str, data: st.DataObject) -> None:
    """Generated values are valid, so the schema doesn't contradict itself. Changed values may be invalid."""
    value = data.draw(fitting({"$ref": f"#/$defs/{name}"}))

    assert JUDGES[name].places(value) == frozenset()
    JUDGES[name].places(data.draw(changed(value)))


@pytest.mark.parametrize("name", SPECIFICATIONS)
@many
@given(data=st.data())
def test_both_validators_agree_on_specs_with_a_few_changes(name: str, data: st.DataObject) -> None:
    spec: Json = SPECIFICATIONS[name]
    for _ in range(data.draw(st.integers(1, 3))):
        spec = data.draw(changed(spec))

    SPECS.places(spec)


@pytest.mark.parametrize("pointer", [pointer for pointer, _ in PATTERNED])
@few
@given(data=st.data())
def test_patterns_have_the_same_meaning_for_both_validators(pointer: str, data: st.DataObject) -> None:
    """Patterns mean the same to both validators.

    The test uses matching strings and the same strings with one character changed.
    """
    schema: Schema = dict(PATTERNED)[pointer]
    only: Schema = {"type": "string", "pattern": schema["pattern"]}
    text = str(data.draw(fitting(only)))
    cut = data.draw(st.integers(0, len(text)))
    piece = data.draw(st.one_of(st.characters(codec="utf-8"), st.sampled_from("\n.-/:@%#~ 0٠ſK")))
    judge = Judge(only)

    assert judge.places(text) == frozenset()
    judge.places(text[:cut] + piece + text[cut + data.draw(st.integers(0, 1)) :])


@pytest.mark.parametrize("name", DEFINITIONS)
def test_both_validators_agree_on_strange_values(name: str) -> None:
    """Every definition refuses some of the strange values."""
    refused = [value for value in STRANGE if JUDGES[name].places(value)]

    assert refused or name == "targetFields"  # this definition only checks mappings
