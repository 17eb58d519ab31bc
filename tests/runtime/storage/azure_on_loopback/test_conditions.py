"""Tests the evaluator of role conditions. A faulty one could allow requests that Azure denies."""

from __future__ import annotations

import pytest

from tests.runtime.storage.azure_on_loopback.cloud import below
from tests.runtime.storage.azure_on_loopback.conditions import BLOBS, LIST, Request, holds
from tests.runtime.storage.azure_on_loopback.roles import ADD, READ

_LIKE = f"@Resource[{BLOBS}:path] ForAnyOfAnyValues:StringLike {{'a\\*b', 'c?/*'}}"


def path(name: str, action: str = READ) -> Request:
    return Request(action, "", {"@Resource[:path]": name})


def test_patterns_of_a_condition() -> None:
    assert [holds(_LIKE, path(name)) for name in ("a*b", "axb", "cd/e/f", "cd")] == [True, False, True, False]


def test_condition_limits_files_and_listings_to_a_folder() -> None:
    condition = below("lake", (READ,))
    listings = [Request(READ, LIST, {"@Request[:prefix]": prefix}) for prefix in ("lake/", "lake/a/", "lake", "")]

    assert [holds(condition, path(name)) for name in ("lake/a", "lake", "lake2/a")] == [True, True, False]
    assert [holds(condition, listing) for listing in listings] == [True, True, False, False]
    assert not holds(condition, Request(READ, LIST))
    assert holds(condition, path("elsewhere", ADD)), "other actions are not limited by this condition"


@pytest.mark.parametrize("condition", [f"({_LIKE}) {_LIKE}", "Nothing", "(ActionMatches{'a'} OR"])
def test_condition_that_cannot_be_read_is_an_error(condition: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        holds(condition, path("a"))
