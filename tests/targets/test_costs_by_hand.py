"""Tests cost lines against manual calculations, and properties that hold for every system."""

from __future__ import annotations

import pytest

from modelyard.costs import CostLine, total
from modelyard.pipeline import InputFile, Inputs, Outcome, understand
from modelyard.plan import Plan
from modelyard.usage import NO_USAGE
from modelyard_targets import TARGETS
from tests.costing import lines_of, nodes_at_least
from tests.examples import every_example
from tests.narrowing import present
from tests.targets.costs_by_hand import SHEETS, Sheet


def planned(text: str) -> Plan:
    """Return the plan for a valid spec."""
    outcome: Outcome = understand(Inputs(InputFile("system.yaml", text)), TARGETS)
    assert not outcome.failed, outcome.diagnostics
    return present(outcome.plan)


def bounded(lines: tuple[CostLine, ...]) -> list[CostLine]:
    """Return the cost lines covered by the manual calculation, which omits traffic, logs and rollouts."""
    return [line for line in lines if not line.open_ended and "rollouts" not in line.what]


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=list(SHEETS))
def test_floor_and_ceiling_are_those_of_the_calculation_by_hand(sheet: Sheet) -> None:
    """The floor and the ceiling each match the manual calculation to within 3%."""
    costs = total(bounded(lines_of(planned(sheet.spec))))
    floor, ceiling = (sum(amounts) for amounts in zip(*(row.amounts() for row in sheet.rows), strict=True))

    assert costs.floor == pytest.approx(floor, rel=0.03)
    assert costs.ceiling == pytest.approx(ceiling, rel=0.03)
    assert costs.unpriced == 0


@pytest.mark.parametrize(
    ("name", "kept_gb"),
    [
        ("aws, smallest", 5 * 30),
        ("aws, large", 60 * 365),
        ("gcp, large", 60 * (365 - 30)),
        ("azure, large", 60 * (365 - 31)),
    ],
)
def test_logs_are_paid_for_while_they_are_kept(name: str, kept_gb: float) -> None:
    """The price of ingested logs includes no days of keeping them on AWS, 30 on Google Cloud and 31 on Azure."""
    (kept,) = (line for line in lines_of(planned(SHEETS[name].spec)) if line.what == "kept logs")

    assert kept.quantity.expected == pytest.approx(kept_gb * 24 / 730)
    assert kept.expected > 0


@pytest.mark.parametrize("name", ["gcp, registry and five replicas", "azure, registry and five replicas"])
def test_a_month_of_logs_is_included_in_their_price(name: str) -> None:
    assert not any(line.what == "kept logs" for line in lines_of(planned(SHEETS[name].spec)))


@pytest.mark.parametrize("name", [name for name in SHEETS if "replicas" in name or "large" in name])
def test_raising_a_maximum_never_lowers_the_ceiling(name: str) -> None:
    spec = SHEETS[name].spec
    most = "max: 6}" if "max: 6}" in spec else "max: 5}"
    ceilings = [
        total(lines_of(planned(spec.replace(most, f"max: {replicas}}}")))).ceiling for replicas in (5, 6, 7, 12, 13, 90)
    ]

    assert ceilings == sorted(ceilings)
    assert ceilings[0] < ceilings[-1]


@pytest.mark.parametrize(
    ("name", "here", "elsewhere"),
    [
        ("aws, large", "us-east-1", "sa-east-1"),
        ("gcp, large", "us-central1", "southamerica-east1"),
        ("azure, large", "eastus", "brazilsouth"),
    ],
)
def test_another_region_changes_the_figures(name: str, here: str, elsewhere: str) -> None:
    """In a more expensive region, every amount is higher, even if prices are known only for the first region."""
    before, after = (
        lines_of(planned(text)) for text in (SHEETS[name].spec, SHEETS[name].spec.replace(here, elsewhere))
    )
    database = [sum(line.floor for line in lines if line.category == "database") for lines in (before, after)]

    assert total(after).floor > total(before).floor
    assert total(after).ceiling > total(before).ceiling
    assert total(after).estimated > total(before).estimated
    assert database[1] > database[0]


@pytest.mark.parametrize("name", [name for name in SHEETS if name != "own machines"])
def test_the_floor_has_the_nodes_of_the_emitted_program(name: str) -> None:
    """The cost floor's node count equals the sum of `min_nodes`, plus AKS's own pool on AKS."""
    plan = planned(SHEETS[name].spec)
    calls = TARGETS[plan.system.target("main").provider].calls(plan, "main")
    arguments = [dict(call.arguments) for call in calls]
    least = sum(int(str(each.get("min_nodes", each.get("nodes", 0)))) for each in arguments)

    assert least > 0
    assert nodes_at_least(lines_of(plan)) == least


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=list(SHEETS))
def test_columns_are_in_order(sheet: Sheet) -> None:
    for line in lines_of(planned(sheet.spec)):
        assert 0 <= line.floor <= line.expected + 1e-9 <= line.ceiling + 2e-9, line.what


def test_every_example_has_costs_in_order() -> None:
    """Each example's cost lines are in order, and each line names its component and unit price."""
    for example in every_example():
        outcome = understand(example.inputs(), TARGETS)
        if outcome.plan is None or outcome.failed:
            continue
        for target in outcome.plan.system.deployment.targets:
            lines = tuple(TARGETS[target.provider].lines(outcome.plan, target.name, NO_USAGE))
            assert len({(line.component, line.address, line.what) for line in lines}) == len(lines), example
            for line in lines:
                assert 0 <= line.floor <= line.expected + 1e-9 <= line.ceiling + 2e-9, (example, line.what)
                assert line.component
                assert line.address
