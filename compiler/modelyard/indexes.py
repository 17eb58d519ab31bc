"""Indexes over large immutable values, made once for each, so that a lookup for one entry does not read all of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, TypeVar

_Of = TypeVar("_Of")
_Index = TypeVar("_Index")

_CACHE_SIZE: Final = 8
"""Values whose index is kept: those of one compile. A survey of environments needs each in turn."""


def index(make: Callable[[_Of], _Index]) -> Callable[[_Of], _Index]:
    """The function, which makes the index of a value once as long as it is among the last few that were asked for.

    Values are compared by identity: hashing a plan would cost as much as the index.
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
