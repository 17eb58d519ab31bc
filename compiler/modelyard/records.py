"""Frozen values with named fields: like `dataclass(frozen=True, slots=True)`, at a tenth of its import cost.

`dataclasses` compiles six functions for every class, even if they are never called, and uses `inspect`. For a hundred
classes, this is too slow for a command that finishes within a tenth of a second (docs/decisions/0013-records.md). Type
checkers, `dataclasses.fields` and `dataclasses.replace` treat these classes as dataclasses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final, TypeVar, dataclass_transform, overload

_T = TypeVar("_T")


class _New:
    """A field default that creates a new object for every value."""

    __slots__ = ("make", "shown")

    def __init__(self, make: Callable[[], object] | None, shown: bool) -> None:
        self.make = make
        self.shown = shown


_ABSENT: Final = object()
_NEW: Final = object()
_FEW: Final = 16
"""The number of values after which a constructor is compiled. Compiling takes as long as creating thirty values."""
_UNWANTED: Final = frozenset({"__dict__", "__weakref__"})


@overload
def field(*, default_factory: Callable[[], _T], repr: bool = True) -> _T: ...
@overload
def field(*, repr: bool) -> Any: ...
def field(*, default_factory: Callable[[], object] | None = None, repr: bool = True) -> Any:  # noqa: A002 - as in dataclasses
    """Declare a field whose default is a new object for each value, or a field too long for `repr`."""
    return _New(default_factory, repr)


@overload
def record(cls: type[_T], /) -> type[_T]: ...
@overload
def record(*, frozen: bool = True, eq: bool = True) -> Callable[[type[_T]], type[_T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(
    cls: type[_T] | None = None, /, *, frozen: bool = True, eq: bool = True
) -> type[_T] | Callable[[type[_T]], type[_T]]:
    """Turn a class's annotated names into immutable fields that determine equality, hash and repr.

    With `frozen=False`, values are mutable and have no hash. With `eq=False`, a value is equal only to itself.
    """
    if cls is not None:
        return _slotted(cls, frozen, eq)
    return lambda plain: _slotted(plain, frozen, eq)


def replace(value: _T, /, **changes: object) -> _T:
    """Copy a value, changing some of its fields."""
    cls: Any = value.__class__
    names: tuple[str, ...] = cls.__match_args__
    unchanged = {name: getattr(value, name) for name in names if name not in changes}
    result: _T = cls(**unchanged, **changes)
    return result


def _slotted(cls: type[_T], frozen: bool, eq: bool) -> type[_T]:
    """Copy the class with slots, because slots can only be added when a class is created."""
    names = tuple(cls.__annotations__)
    space: dict[str, Any] = {name: value for name, value in cls.__dict__.items() if name not in _UNWANTED}
    defaults: dict[str, object] = {name: space.pop(name) for name in names if name in space}
    space["__slots__"] = space["__match_args__"] = names
    space["__dataclass_fields__"] = _Fields(defaults)
    space["__repr__"] = _repr(names, defaults)
    space["__reduce__"] = _reduce
    space["__init__"] = _init(names, defaults, frozen)
    if eq:
        space["__eq__"], space["__hash__"] = _equality(names, frozen)
    if frozen:
        space["__setattr__"] = space["__delattr__"] = _refuse
    result: Any = type(cls.__name__, cls.__bases__, space)
    result.__qualname__ = cls.__qualname__
    return result  # type: ignore[no-any-return] # the type of a class created by type() is unknown


def _init(names: tuple[str, ...], defaults: Mapping[str, object], frozen: bool) -> Callable[..., None]:
    """Create the constructor. It is compiled once a second value is created, because most classes never have one."""
    made = 0

    def __init__(self: object, *values: object, **named: object) -> None:  # noqa: N807 - it becomes the method of a class
        nonlocal made
        made += 1
        if made <= _FEW and _filled(self, names, defaults, values, named):
            return
        cls: Any = self.__class__
        cls.__init__ = _compiled(cls, names, defaults, frozen)
        cls.__init__(self, *values, **named)

    return __init__


def _filled(
    value: object,
    names: tuple[str, ...],
    defaults: Mapping[str, object],
    values: tuple[object, ...],
    named: Mapping[str, object],
) -> bool:
    """Set the value's fields if the arguments are valid. Returns whether they are."""
    arguments = {**dict(zip(names, values, strict=False)), **named} if values else named
    set_field, count = object.__setattr__, 0
    for name in names:
        if name in arguments:
            set_field(value, name, arguments[name])
            count += 1
            continue
        default = defaults.get(name, _ABSENT)
        if isinstance(default, _New):
            default = default.make() if default.make is not None else _ABSENT
        if default is _ABSENT:
            return False
        set_field(value, name, default)
    return count == len(values) + len(named)  # otherwise, a name is unknown or has been set twice


def _compiled(cls: Any, names: tuple[str, ...], defaults: Mapping[str, object], frozen: bool) -> Callable[..., None]:
    namespace: dict[str, object] = {"_NEW": _NEW}
    parameters, lines = ["self"], [" pass"]
    for name in names:
        default = defaults.get(name, _ABSENT)
        value = name
        if isinstance(default, _New):
            namespace[f"_make_{name}"] = default.make
            value = f"_make_{name}() if {name} is _NEW else {name}" if default.make else name
            default = _ABSENT if default.make is None else _NEW
        parameters.append(name if default is _ABSENT else f"{name}=_default_{name}")
        namespace[f"_default_{name}"] = default
        namespace[f"_set_{name}"] = cls.__dict__[name].__set__  # sets the slot directly, bypassing `_refuse`
        lines.append(f" _set_{name}(self, {value})" if frozen else f" self.{name} = {value}")
    exec("\n".join([f"def __init__({', '.join(parameters)}):", *lines]), namespace)  # only names from our source code
    result: Any = namespace["__init__"]
    result.__qualname__ = f"{cls.__qualname__}.__init__"
    return result  # type: ignore[no-any-return] # exec has no types


def _equality(
    names: tuple[str, ...], frozen: bool
) -> tuple[Callable[[object, object], bool], Callable[[object], int] | None]:
    values: Callable[[object], object] = attrgetter(*names) if names else lambda _: ()

    def __eq__(self: object, other: object) -> bool:  # noqa: N807 - it becomes the method of a class
        return values(self) == values(other) if self.__class__ is other.__class__ else NotImplemented

    def __hash__(self: object) -> int:  # noqa: N807 - the same
        return hash(values(self))

    return __eq__, __hash__ if frozen else None


def _repr(names: tuple[str, ...], defaults: Mapping[str, object]) -> Callable[[object], str]:
    def __repr__(self: object) -> str:  # noqa: N807 - the same
        hidden = {name for name, default in defaults.items() if isinstance(default, _New) and not default.shown}
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in names if name not in hidden)
        return f"{self.__class__.__qualname__}({fields})"

    return __repr__


def _reduce(self: object) -> tuple[type, tuple[object, ...]]:
    cls: Any = self.__class__
    names: tuple[str, ...] = cls.__match_args__
    return cls, tuple(getattr(self, name) for name in names)


def _refuse(self: object, name: str, _: object = None) -> None:
    raise AttributeError(f"{self.__class__.__qualname__} is frozen: its {name} cannot be changed")


class _Fields:
    """Provides the attribute that functions in `dataclasses` look for, and creates its value on demand."""

    __slots__ = ("_defaults",)

    def __init__(self, defaults: Mapping[str, object]) -> None:
        self._defaults = defaults

    def __get__(self, value: object, owner: type) -> Mapping[str, Any]:
        import dataclasses

        space: dict[str, Any] = {"__annotations__": owner.__annotations__, "__module__": owner.__module__}
        for name, default in self._defaults.items():
            if not isinstance(default, _New):
                space[name] = default
            elif default.make is not None:
                space[name] = dataclasses.field(default_factory=default.make, repr=default.shown)
            else:
                space[name] = dataclasses.field(repr=default.shown)
        twin: Any = dataclasses.dataclass(type(owner.__name__, (), space))
        return twin.__dataclass_fields__  # type: ignore[no-any-return] # created by name, so its type is unknown
