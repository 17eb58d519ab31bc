"""Select resources by the type of their value, and dispatch functions on that type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Concatenate, Final, Generic, ParamSpec, TypeVar, cast

from modelyard.plan.graph import Resource, V
from modelyard.plan.platform import RegistryServer
from modelyard.spec import Store

_Q = ParamSpec("_Q")
_R = TypeVar("_R")


def of_type(resources: Iterable[Resource], what: type[V]) -> Iterator[Resource[V]]:
    """Yield the resources in a list whose value has the given type. For a whole plan, `Plan.of` is faster."""
    return (cast("Resource[V]", resource) for resource in resources if resource.value.__class__ is what)


class ByType(Generic[_Q, _R]):
    """A function of a resource, with a case for each type of its value. `otherwise` handles all other types."""

    __slots__ = ("_cases", "_otherwise")

    def __init__(self, otherwise: Callable[Concatenate[Resource, _Q], _R]) -> None:
        self._otherwise = otherwise
        self._cases: dict[type, Callable[Concatenate[Resource, _Q], _R]] = {}

    def case(self, what: type[V], do: Callable[Concatenate[Resource[V], _Q], _R]) -> ByType[_Q, _R]:
        """Return a copy of this function with an additional case."""
        more = ByType(self._otherwise)
        more._cases = {**self._cases, what: cast("Callable[Concatenate[Resource, _Q], _R]", do)}
        return more

    @property
    def types(self) -> frozenset[type]:
        """The value types that have a case."""
        return frozenset(self._cases)

    def covers(self, resource: Resource) -> bool:
        """Return whether there is a case for a resource."""
        return resource.value.__class__ in self._cases

    def __call__(self, resource: Resource, /, *args: _Q.args, **kwargs: _Q.kwargs) -> _R:
        """Call the case for the type of the resource's value."""
        return self._cases.get(resource.value.__class__, self._otherwise)(resource, *args, **kwargs)


def _no(resource: Resource) -> bool:
    return False


def _adopted_store(resource: Resource[Store]) -> bool:
    return bool(resource.value.adopt)


def _adopted_registry(resource: Resource[RegistryServer]) -> bool:
    return bool(resource.value.registry.adopt)


is_adopted: Final = ByType(_no).case(Store, _adopted_store).case(RegistryServer, _adopted_registry)
"""Returns whether a resource is an existing bucket, database or registry, which stays unchanged."""
