"""Compare the infrastructure emitted for the `hello` example with a program written by hand in plain Pulumi.

Only resources that exist in the cloud are counted. Components only exist in Pulumi's state, and the handwritten
programs have none. If a handwritten program doesn't use the variant with the fewest resources, its docstring says why.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.benchmarks.hello import REGIONS, by_hand, emitted
from tests.stacks.programs import Registration, registrations

OF_PULUMI = ("pulumi:", "modelyard:")
FEWEST = {"aws": 100, "gcp": 75, "azure": 85}
"""The minimum number of registered resources for a meaningful comparison."""


class ProgramPair(NamedTuple):
    """The emitted and the handwritten program, and the resources registered by each."""

    cloud: str
    folders: tuple[Path, Path]
    registered: tuple[list[Registration], list[Registration]]


@pytest.fixture(scope="module", params=REGIONS)
def program_pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ProgramPair:
    """Return the emitted and the handwritten program for a cloud."""
    cloud: str = request.param
    folders = (emitted(tmp_path_factory.mktemp(cloud), cloud), by_hand(cloud))
    ours, plain = registrations(*folders)
    return ProgramPair(cloud, folders, (ours, plain))


def test_emitted_program_has_no_more_resources_of_any_type(program_pair: ProgramPair) -> None:
    ours, plain = (
        Counter(each["type"] for each in resources if _in_the_cloud(each)) for resources in program_pair.registered
    )

    assert ours.total() > FEWEST[program_pair.cloud]
    assert ours - plain == Counter()


def test_emitted_program_adds_only_components(program_pair: ProgramPair) -> None:
    ours, plain = program_pair.registered

    assert [each["name"] for each in plain if _component(each)] == []
    assert 0 < sum(map(_component, ours)) < len(ours) / 5


def test_both_programs_protect_the_same_resources(program_pair: ProgramPair) -> None:
    ours, plain = (
        Counter(each["type"] for each in resources if each["protect"]) for resources in program_pair.registered
    )

    assert ours == plain


def test_both_programs_have_the_same_outputs(program_pair: ProgramPair) -> None:
    """Both programs export the same outputs, which are all that workloads read from the infrastructure."""
    outputs = [
        re.findall(r'^pulumi\.export\(\s*"(\w+)"', _program(folder), re.MULTILINE) for folder in program_pair.folders
    ]

    assert len(outputs[0]) > 5
    assert outputs[0] == outputs[1]


def test_emitted_program_is_shorter(program_pair: ProgramPair) -> None:
    """Excluding the shared library, the emitted program is less than a third as long as the handwritten one."""
    ours, plain = (len(_program(folder).splitlines()) for folder in program_pair.folders)

    assert ours < plain / 3


def _in_the_cloud(registration: Registration) -> bool:
    return not str(registration["type"]).startswith(OF_PULUMI)


def _component(registration: Registration) -> bool:
    return str(registration["type"]).startswith("modelyard:")


def _program(folder: Path) -> str:
    return (folder / "__main__.py").read_text(encoding="utf-8")
