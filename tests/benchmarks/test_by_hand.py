"""The infrastructure emitted for hello on AWS, compared with an engineer's program in plain pulumi-aws.

Only resources that exist in AWS afterwards are counted. Components group them and do not exist there: Pulumi keeps a
line for each in its state, and the handwritten program has none.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.benchmarks.hello import BY_HAND, emitted
from tests.stacks.programs import Registration, registrations

Both: TypeAlias = tuple[list[Registration], list[Registration]]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the emitted project."""
    return emitted(tmp_path_factory.mktemp("hello"))


@pytest.fixture(scope="module")
def both(ours: Path) -> Both:
    """Return the registrations of both: ours, and the handwritten ones."""
    found, by_hand = registrations(ours, BY_HAND)
    return found, by_hand


def test_ours_registers_no_more_resources_of_any_type(both: Both) -> None:
    ours, by_hand = (Counter(each["type"] for each in found if each["type"].startswith("aws:")) for found in both)

    assert ours.total() > 100
    assert ours - by_hand == Counter()


def test_components_are_all_that_ours_has_beside_them(both: Both) -> None:
    ours, by_hand = both

    assert [each["name"] for each in by_hand if _component(each)] == []
    assert 0 < sum(map(_component, ours)) < len(ours) / 5


def test_both_protect_the_same(both: Both) -> None:
    ours, by_hand = (Counter(each["type"] for each in found if each["protect"]) for found in both)

    assert ours == by_hand


def test_both_do_the_same_for_what_comes_after_them(ours: Path) -> None:
    """The outputs are all that the workloads use of the infrastructure."""
    outputs = [re.findall(r'^pulumi\.export\("(\w+)"', _program(folder), re.MULTILINE) for folder in (ours, BY_HAND)]

    assert len(outputs[0]) > 5
    assert outputs[0] == outputs[1]


def test_ours_is_shorter_to_read(ours: Path) -> None:
    """Only the program that differs between systems is counted; the library it imports is the same for all."""
    assert len(_program(ours).splitlines()) < len(_program(BY_HAND).splitlines()) / 3


def _component(registration: Registration) -> bool:
    return str(registration["type"]).startswith("modelyard:")


def _program(folder: Path) -> str:
    return (folder / "__main__.py").read_text(encoding="utf-8")
