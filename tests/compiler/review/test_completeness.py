"""Tests that all changes to any field are found and covered by a rule, and that reverse changes mirror them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, islice
from typing import Final

import pytest

from modelyard.review.changes import Change, Direction, changes
from modelyard.review.codes import codes
from modelyard.review.comparing import Review
from modelyard.review.findings import Level
from modelyard.review.rules import rule_for
from modelyard.review.sides import Sides
from modelyard.spec import System
from modelyard.stages import Outcome
from tests.narrowing import present
from tests.reviewing import resolved, review_of
from tests.schemas.walk import fields
from tests.test_every_field import Steps, alternatives, changed, leaves, occurrences, seeds, value_at, without

NEVER_IN_A_SYSTEM: Final = (
    "#/$defs/variable/",
    "#/$defs/sites/",
    "#/$defs/list/",
    "#/$defs/tableFile",
    "#/$defs/tableValues/",
    "#/$defs/forEach",
    "#/properties/apiVersion",
    "#/properties/kind",
)
"""Fields that are read before the spec is typed. A change to a variable appears as a change to the fields that use it.
test_site_values.py changes sites, and test_lists.py changes lists.
"""

DECIDE_OTHERS: Final = frozenset(
    {
        "#/$defs/deployment/properties/mode",
        "#/$defs/targetFields/properties/provider",
        "#/$defs/store/properties/type",
        "#/$defs/channel/properties/type",
        "#/$defs/pipeline/properties/type",
        "#/$defs/endpoint/properties/auth/properties/type",
        "#/$defs/pipeline/then/properties/model",
        "#/$defs/registry/else/properties/database",
        "#/$defs/secretStore/properties/via",
    }
)
"""Fields that cannot change on their own, because every other value makes other fields invalid."""

_SEEDS: Final = 2
_ENOUGH: Final = 2


@lru_cache(maxsize=16)
def _seed(number: int) -> Outcome:
    return resolved(seeds()[number].value)


def _variations(place: str) -> Iterator[tuple[int, Steps, Outcome]]:
    """Yield the first few versions of at most two seed specs that change a field and still resolve."""
    return islice(_resolved(place), _ENOUGH)


def _is_repeated(occurrence: tuple[int, Steps]) -> bool:
    """Return whether an occurrence is in an entry that a list repeats for its rows.

    The values there contain references, and are rarely valid elsewhere.
    """
    return any("${" in str(step) for step in occurrence[1])


def _resolved(place: str) -> Iterator[tuple[int, Steps, Outcome]]:
    for number, path in sorted(occurrences().get(place, []), key=_is_repeated)[:_SEEDS]:
        spec = seeds()[number].value
        value = value_at(spec, path)
        variants = (changed(spec, path, new) for new in alternatives(place, value, spec) if new != value)
        for candidate in chain(variants, [without(spec, path)]):
            outcome = resolved(candidate)
            system = outcome.system
            if system is not None and _relevant(system) != _relevant(present(_seed(number).system)):
                yield number, path, outcome


@lru_cache(maxsize=1)
def _reviews() -> dict[str, list[tuple[Review, Outcome, Outcome, Steps]]]:
    """Review every change once, for all tests in this file."""
    return {
        place: [
            (review_of(_seed(number), outcome), _seed(number), outcome, path)
            for number, path, outcome in _variations(place)
        ]
        for place in sorted(leaves())
        if not place.startswith(NEVER_IN_A_SYSTEM) and not place.endswith("/forEach")
    }


def _relevant(system: System) -> object:
    return [getattr(system, name) for name in system.__match_args__ if name not in {"document", "signed"}]


def test_no_change_goes_unseen() -> None:
    """Any change to the typed system causes a finding, and changing a field causes one at that field."""
    unseen: list[str] = []
    for place, reviews in _reviews().items():
        if any(not entry[0].findings for entry in reviews):
            unseen.append(f"{place}: no finding")
        elif reviews and not any(_covers(review, path) for review, _, _, path in reviews):
            unseen.append(f"{place}: {[finding.subject for finding in reviews[0][0].findings]}")
        elif not reviews and place not in DECIDE_OTHERS:
            unseen.append(f"{place}: nothing differs")

    assert unseen == []


def _covers(review: Review, path: Steps) -> bool:
    """Return whether a finding is at a path, or above or below it. Short forms have their own paths."""
    words = tuple(map(str, path))
    if words[0] == "deployment" and words[1:2] != ("targets",):
        words = ("deployment",)
    for finding in review.findings:
        length = min(len(words), len(finding.path))
        if finding.path[: min(length, 2)] == words[: min(length, 2)]:
            return True
    return False


def test_every_change_has_a_rule() -> None:
    used_codes = {finding.code for reviews in _reviews().values() for pair in reviews for finding in pair[0].findings}

    assert used_codes <= set(codes())
    assert "R900" not in used_codes
    assert len(used_codes) > 80


def _is_mixed(change: Change) -> bool:
    """Return whether a list both gains and loses items, so that the reverse change has the same direction."""
    before, after = set(change.before.items or ()), set(change.after.items or ())
    return bool(before - after) and bool(after - before)


_OTHER_MIRRORS: Final = {"R211": "R307", "R307": "R211"}
"""The mirrored codes where monitors lose a column that captures leave out, which is more serious than its reverse."""


def test_the_reverse_of_each_change_has_the_mirrored_code() -> None:
    """Comparing the versions in reverse yields the mirrored code from the table at the same path."""
    wrong: list[str] = []
    for place, reviews in _reviews().items():
        for review, before, after, _ in reviews:
            back = {(finding.path, finding.code) for finding in review_of(after, before).findings}
            differences = changes(present(before.system), present(after.system))
            undirected = {change.path for change in differences if change.way is Direction.OTHER or _is_mixed(change)}
            wrong += [
                f"{place}: {finding.code} at {finding.subject}"
                for finding in review.findings
                if (finding.path, codes()[finding.code].mirror) not in back
                and not (finding.path in undirected and (finding.path, finding.code) in back)
                and (finding.path, _OTHER_MIRRORS.get(finding.code)) not in back
                and finding.code != "R504"
            ]

    assert wrong == []


def test_a_looser_value_never_has_a_lower_level_than_a_stricter_one() -> None:
    """A finding about a looser value has at least the level of the finding about the reverse change."""
    wrong: list[str] = []
    for place, reviews in _reviews().items():
        for review, before, after, _ in reviews:
            back = {finding.path: finding.level for finding in review_of(after, before).findings}
            for change in changes(present(before.system), present(after.system)):
                level = next((candidate.level for candidate in review.findings if candidate.path == change.path), None)
                other = back.get(change.path)
                if change.way is Direction.LOOSER and level is not None and other is not None and level < other:
                    wrong.append(f"{place}: {'.'.join(change.path)} {level.word} {other.word}")

    assert wrong == []


def test_each_change_is_claimed_by_one_rule() -> None:
    """Each change has exactly one rule, and each rule has a message."""
    for reviews in _reviews().values():
        for _, before, after, _ in reviews[:1]:
            for change in changes(present(before.system), present(after.system)):
                assert rule_for(change).says(change, Sides(present(before.system), present(after.system)))


def test_a_system_compared_with_itself_has_no_findings() -> None:
    for number in range(len(seeds())):
        review = review_of(_seed(number), resolved(seeds()[number].value))

        assert review.findings == ()
        assert review.worst is Level.QUIET


@pytest.mark.parametrize("code", codes())
def test_mirrors_exist(code: str) -> None:
    assert codes()[code].mirror in codes()


def test_the_walk_covers_the_schema() -> None:
    assert len(_reviews()) > 300
    assert len(fields()) > 400
