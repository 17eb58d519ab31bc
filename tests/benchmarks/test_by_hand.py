"""Compare the infrastructure emitted for the example `hello` on AWS with a handwritten program in plain pulumi-aws.

Only resources that exist in AWS are counted. Components only exist in Pulumi's state, and the handwritten program has
none.
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
    """Return the emitted project's folder."""
    return emitted(tmp_path_factory.mktemp("hello"))


@pytest.fixture(scope="module")
def both(ours: Path) -> Both:
    """Return the registrations of the emitted and the handwritten program."""
    found, by_hand = registrations(ours, BY_HAND)
    return found, by_hand


def test_emitted_program_has_no_more_resources_of_any_type(both: Both) -> None:
    ours, by_hand = (Counter(each["type"] for each in found if each["type"].startswith("aws:")) for found in both)

    assert ours.total() > 100
    assert ours - by_hand == Counter()


def test_emitted_program_adds_only_components(both: Both) -> None:
    ours, by_hand = both

    assert [each["name"] for each in by_hand if _component(each)] == []
    assert 0 < sum(map(_component, ours)) < len(ours) / 5


def test_both_programs_protect_the_same_resources(both: Both) -> None:
    ours, by_hand = (Counter(each["type"] for each in found if each["protect"]) for found in both)

    assert ours == by_hand


def test_both_programs_have_the_same_outputs(ours: Path) -> None:
    """Both programs export the same outputs. Workloads read nothing else from the infrastructure."""
    outputs = [re.findall(r'^pulumi\.export\("(\w+)"', _program(folder), re.MULTILINE) for folder in (ours, BY_HAND)]

    assert len(outputs[0]) > 5
    assert outputs[0] == outputs[1]


def test_emitted_program_is_shorter(ours: Path) -> None:
    """Without the library, which is the same for all systems, the emitted program is less than a third as long."""
    assert len(_program(ours).splitlines()) < len(_program(BY_HAND).splitlines()) / 3


def _component(registration: Registration) -> bool:
    return str(registration["type"]).startswith("modelyard:")


def _program(folder: Path) -> str:
    return (folder / "__main__.py").read_text(encoding="utf-8")
