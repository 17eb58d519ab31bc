"""Tests that specs requiring access that Azure can't grant are rejected, and similar valid specs pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.diagnostics import Severity
from modelyard_stacks.azure.conditions import below
from modelyard_stacks.azure.roles import ACTIONS
from modelyard_targets.azure.check_access import condition_length
from tests.diagnosing import Question, examine
from tests.targets.azure.infrastructure import changed

FAILING = Path(__file__).parents[2] / "failing"


def wrong(code: str) -> str:
    """Return the spec in tests/failing that triggers a given diagnostic code."""
    (folder,) = FAILING.glob(f"{code}-*")
    return (folder / "system.yaml").read_text(encoding="utf-8")


def errors(text: str) -> set[str]:
    """Return the codes of the errors reported for a spec."""
    return {each.code for each in examine(Question(text)) if each.severity is Severity.ERROR}


def test_a_workload_beside_the_store_may_open_it() -> None:
    text = wrong("AZURE-E012")
    keys = 'adopt: lake, endpoint: "https://s3.acme.example", credentials: "secret://kubernetes/lake"'

    assert errors(text) == {"AZURE-E012"}
    assert not errors(changed(("target: plant}", "target: main}"), text=text))
    assert not errors(changed(("lake: {type: object,", f"lake: {{type: object, {keys},"), text=text))


def test_a_target_may_open_the_store_of_one_that_does_not_wait_for_it() -> None:
    text = wrong("AZURE-E013")
    one_way = changed(("inputs: [lab-transactions]", "inputs: [transactions]"), text=text)
    adopted = changed(("lab-lake: {type: object,", 'lab-lake: {type: object, adopt: "lab@acmelab",'), text=text)

    assert errors(text) == {"AZURE-E013"}
    assert not errors(one_way)
    assert not errors(adopted)


def test_a_condition_names_as_many_folders_as_its_text_has_room_for() -> None:
    """Longer folder paths use up more of a role condition's maximum length."""
    text = wrong("AZURE-E014")

    assert errors(text) == {"AZURE-E014"}
    assert not errors(changed((", part-35, part-36, part-37, part-38, part-39]", "]"), text=text))
    assert not errors(text.replace("path: transactions/of-a-country-and-a-year/", "path: "))


@pytest.mark.parametrize("mode", ACTIONS)
@pytest.mark.parametrize("count", [1, 2, 7])
def test_the_length_of_a_condition_is_that_of_the_component(mode: str, count: int) -> None:
    """The compiler and the component compute the length in separate packages and must get the same result."""
    prefixes = [f"models/of-a-country-{at}/" for at in range(count)]
    conditions = [below(prefixes, known) for known in ACTIONS if known == mode]

    assert [condition_length(mode, [*prefixes, prefixes[0]])] == list(map(len, conditions))


def test_a_subscription_has_4000_role_assignments() -> None:
    """Each of these pipelines has fifty role assignments. Those in another subscription do not count."""
    text = wrong("AZURE-E016")
    last = next(line for line in text.splitlines(keepends=True) if line.startswith("  p80:"))

    assert errors(text) == {"AZURE-E016"}
    assert not errors(text.replace(last, ""))


def test_names_in_key_vault_have_no_case() -> None:
    text = wrong("AZURE-E018")

    assert errors(text) == {"AZURE-E018"}
    assert errors(text.replace("scorer-token", "Scorer-Token")) == {"AZURE-E018"}
    assert not errors(text.replace("scorer-token", "scorer/tokens"))
