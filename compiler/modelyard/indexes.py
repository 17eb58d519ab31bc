"""Cache indexes of large immutable values so that lookups need not scan all entries."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, TypeVar

_Of = TypeVar("_Of")
_Index = TypeVar("_Index")

_CACHE_SIZE: Final = 8
"""The number of indexes to cache, enough for one compile. Surveys compile the environments one after another."""


def index(make: Callable[[_Of], _Index]) -> Callable[[_Of], _Index]:
    """Cache an index function, so that the index of a recently used value isn't rebuilt.

    Values are compared by identity, because hashing a plan would take as long as building the index.
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
