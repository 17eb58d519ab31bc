"""Tests that comparisons distinguish value types in JSON that is passed on as written."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module

import pytest

import modelyard.spec
from modelyard.same import AS_WRITTEN, HOLDERS, is_same, is_same_for_platforms
from modelyard.source import Json
from modelyard.spec import Override, Parameter, Range, Slo
from modelyard.value_hash import written

ALIKE: tuple[tuple[Json, Json], ...] = ((True, 1), (1, 1.0), ([{"a": False}], [{"a": 0}]), ({"a": [2]}, {"a": [2.0]}))


def _fields() -> Iterator[tuple[str, str, str]]:
    """Yield the class, name and type of each field of each record in a system."""
    records: dict[str, type] = {}
    for module in pkgutil.iter_modules(modelyard.spec.__path__, "modelyard.spec."):
        records |= {name: kind for name, kind in vars(import_module(module.name)).items() if isinstance(kind, type)}
    waiting, known = ["System"], {"System"}
    while waiting:
        kind = records[waiting.pop()]
        if kind.__module__.startswith("modelyard.spec.") and hasattr(kind, "__match_args__"):
            for name, what in kind.__annotations__.items():
                yield kind.__name__, name, what
                below = set(re.findall(r"\w+", what)) & records.keys() - known
                known |= below
                waiting += below


def _override(value: Json) -> Override:
    return Override("o", "main", "Deployment", "x", ({"op": "add", "path": "/a", "value": value},), "a test")


@pytest.mark.parametrize(("value", "other"), ALIKE)
def test_equal_values_of_different_types_differ_in_json(value: Json, other: Json) -> None:
    assert _override(value) == _override(other)
    assert not is_same(_override(value), _override(other))
    assert not is_same(Parameter("p", "choice", choices=(value,)), Parameter("p", "choice", choices=(other,)))
    assert written(_override(value)) != written(_override(other))
    assert is_same(_override(value), _override(value))


def test_whole_numbers_with_a_meaning_of_their_own_are_the_same() -> None:
    assert is_same(Slo(availability=1), Slo(availability=1.0))
    assert not is_same(Range(1, 2), Range(1, 3))


def test_platforms_distinguish_booleans_but_not_whole_numbers() -> None:
    assert is_same_for_platforms({"a": [1]}, {"a": [1.0]})
    assert not is_same_for_platforms({"a": [1]}, {"a": [True]})


def test_all_fields_with_json_are_known() -> None:
    """A new field with JSON would otherwise be compared without its types."""
    direct: dict[str, set[str]] = {}
    for kind, name, what in _fields():
        if re.search(r"\b(Json|Any|object|bool \|)", what):
            direct.setdefault(kind, set()).add(name)

    assert direct == {kind: set(names) for kind, names in AS_WRITTEN.items()}


def test_all_records_that_contain_such_fields_are_known() -> None:
    """A system is exempt, because its sections are compared one by one."""
    holding: dict[str, set[str]] = {kind: set(names) for kind, names in AS_WRITTEN.items()}
    while True:
        words = re.compile(rf"\b({'|'.join(holding)})\b")
        more = [(kind, name) for kind, name, what in _fields() if words.search(what) and kind != "System"]
        if all(name in holding.get(kind, ()) for kind, name in more):
            break
        for kind, name in more:
            holding.setdefault(kind, set()).add(name)

    assert holding == {kind: set(names) for kind, names in HOLDERS.items()}
