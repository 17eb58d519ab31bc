"""Indexes over large immutable values, each built once, so that looking up an entry does not read all of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, TypeVar

_Of = TypeVar("_Of")
_Index = TypeVar("_Index")

_CACHE_SIZE: Final = 8
"""How many indexes are kept: those of one compile. A survey of environments uses them in turn."""


def index(make: Callable[[_Of], _Index]) -> Callable[[_Of], _Index]:
    """The function with a cache: it builds a value's index once, as long as the value is among the last few.

    Values are compared by identity, since hashing a plan would cost as much as the index.
    """
    cache: list[tuple[_Of, _Index]] = []

    @wraps(make)
    def find(value: _Of) -> _Index:
        for indexed, cached in cache:
            if indexed is value:
                return cached
        created = make(value)
        cache.append((value, created))
        del cache[:-_CACHE_SIZE]
        return created

    return find
