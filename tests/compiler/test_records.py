"""Tests that records behave like frozen dataclasses with slots, but only create methods on first use."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys

import pytest

from modelyard.records import field, record, replace


@record
class Point:
    """Two numbers, with notes and a text about them."""

    x: int
    y: int = 2
    notes: list[str] = field(default_factory=list[str])
    text: str = field(repr=False, default_factory=str)

    def sum(self) -> int:
        """Return the sum of the two numbers."""
        return self.x + self.y


@record
class Alone:
    x: int


@record
class Nothing:
    """A record without fields."""


@record(frozen=False)
class Count:
    number: int = 0


@record(eq=False)
class Itself:
    number: int


def test_fields_are_filled_by_position_by_name_and_by_default() -> None:
    point = Point(1, notes=["a"])

    assert (point.x, point.y, point.notes, point.text, point.sum()) == (1, 2, ["a"], "", 3)


def test_each_value_gets_its_own_new_default() -> None:
    first, second = Point(1), Point(1)
    first.notes.append("mine")

    assert second.notes == []


@pytest.mark.parametrize("wrong", [(), (1, 2, [], "", 5)])
def test_missing_and_excess_arguments_are_refused(wrong: tuple[object, ...]) -> None:
    with pytest.raises(TypeError, match=r"Point\.__init__"):
        Point(*wrong)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        Point(1, z=3)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


def test_a_frozen_value_cannot_be_changed() -> None:
    value = Alone(1)
    with pytest.raises(AttributeError, match="Alone is frozen: its x"):
        value.x = 2  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AttributeError, match="Alone is frozen: its x"):
        del value.x  # pyright: ignore[reportAttributeAccessIssue]

    assert value.x == 1


def test_a_value_has_no_other_attributes() -> None:
    with pytest.raises(AttributeError):
        Count().other = 1  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]


def test_values_are_equal_and_hashed_by_their_fields_and_class() -> None:
    assert Alone(1) == Alone(1)
    assert hash(Alone(1)) == hash(Alone(1))
    assert Alone(1) != Alone(2)
    assert Nothing() == Nothing()
    assert Alone(1).__eq__(Itself(1)) is NotImplemented
    assert len({Alone(1), Alone(1), Alone(2), Nothing(), Nothing()}) == 3


def test_mutable_values_have_no_hash() -> None:
    count = Count()
    count.number += 1

    assert count == Count(1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(count)


def test_without_eq_values_are_compared_by_identity() -> None:
    value = Itself(1)

    assert value == value
    assert value != Itself(1)
    assert len({value, Itself(1)}) == 2


def test_repr_leaves_out_long_fields() -> None:
    assert repr(Point(1, text="very long")) == "Point(x=1, y=2, notes=[])"


def test_replace_keeps_the_other_fields() -> None:
    assert replace(Point(1, 5), x=3) == Point(3, 5)


@pytest.mark.parametrize("value", [Point(1), Alone(1), Nothing(), Count(3)])
def test_values_can_be_copied_and_pickled(value: object) -> None:
    assert copy.deepcopy(value) == value
    assert pickle.loads(pickle.dumps(value)) == value


def test_match_statements_use_field_order() -> None:
    match Point(1):
        case Point(x, y):
            assert (x, y) == (1, 2)


def test_dataclasses_functions_accept_records() -> None:
    assert [known.name for known in dataclasses.fields(Point)] == ["x", "y", "notes", "text"]
    assert dataclasses.fields(Point)[1].default == 2
    assert dataclasses.fields(Point)[2].default_factory == list[str]
    assert dataclasses.replace(Point(1), y=4) == Point(1, 4)
    assert dataclasses.asdict(Alone(1)) == {"x": 1}
    assert dataclasses.is_dataclass(Point)


def test_class_name_and_docstring_are_kept() -> None:
    assert (Point.__name__, Point.__qualname__, Point.__module__) == ("Point", "Point", __name__)
    assert Point.__doc__ == "Two numbers, with notes and a text about them."


def test_records_do_not_import_dataclasses() -> None:
    """Importing `dataclasses`, and thus `inspect`, takes longer than creating all of the compiler's records."""
    script = "import sys, modelyard.spec, modelyard.plan; print({'dataclasses', 'inspect'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout == "set()\n"
