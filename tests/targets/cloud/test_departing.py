"""Tests the cost lines for data sent to another target, with and without amounts from a usage file."""

from __future__ import annotations

import pytest

from modelyard.costs import CostLine, total
from modelyard.pipeline import InputFile, Inputs, understand
from modelyard.plan import Plan
from modelyard.usage import NO_USAGE, Requests, Rows, Usage
from modelyard_targets import TARGETS
from modelyard_targets.aws.machines import offerings
from modelyard_targets.cloud.costs.departing import departing
from modelyard_targets.cloud.costs.prices import Sheet
from modelyard_targets.cloud.costs.rows import cost_rows
from tests.costing import line, lines_of
from tests.examples import SYSTEMS, Example
from tests.narrowing import present

MONTH = 730 / 24
RUNS = pytest.approx(365.2425 / 7 / 12 + 1, rel=0.01)
"""The number of runs per month: weekly runs, and one that a monitor starts."""
USAGE = Usage(
    data={"visits": Rows(2e6, 140), "returns": Rows(1e4, 100)},
    inference={"offers": Requests(mean=12, peak=12, request_bytes=900, response_bytes=100)},
)


TWO_REGIONS = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: offers}
governance: {owner: {team: growth, email: growth@acme.example}}
deployment:
  mode: cloud
  targets:
    learn: {provider: aws, region: eu-central-1}
    hub: {provider: aws, region: REGION}
  placement: {default: learn}
registry: {adopt: "https://mlflow.acme.example", credentials: "secret://kubernetes/mlflow"}
stores: {lake: {type: object, target: hub}}
data: {visits: {store: lake, path: visits, format: parquet, label: bought}}
models: {offer: {task: binary-classification, framework: xgboost}}
pipelines: {fit: {type: training, model: offer, inputs: [visits], compute: {cpu: 1, memory: 2Gi}}}
"""


def planned(text: str) -> Plan:
    """Return the plan for a valid spec."""
    outcome = understand(Inputs(InputFile("system.yaml", text)), TARGETS)
    assert not outcome.failed, outcome.diagnostics
    return present(outcome.plan)


def plan_of(name: str) -> Plan:
    """Return the plan for the test system with the given name."""
    return present(understand(Example(name, None, SYSTEMS).inputs(), TARGETS).plan)


def traffic(plan: Plan, placement: str, usage: Usage = USAGE) -> dict[str, CostLine]:
    """Return the cost lines for a placement's traffic to other targets."""
    return {
        cost_line.what: cost_line
        for cost_line in lines_of(plan, placement, usage)
        if cost_line.what.startswith("traffic to ")
    }


@pytest.fixture(scope="module")
def clouds() -> Plan:
    """Return the plan for a system with targets on three clouds."""
    return plan_of("three-clouds")


def test_a_pipeline_reads_all_rows_that_are_kept_in_each_run(clouds: Plan) -> None:
    cost_line = traffic(clouds, "shop")["traffic to learn over the internet"]

    assert cost_line.quantity.expected / (1e4 * 100 * 365 / 1e9) == RUNS
    assert (cost_line.item, cost_line.unit, cost_line.open_ended) == ("egress-gb", "GB", True)
    assert cost_line.assumption == "pipelines.retrain reads captures/returns: 1.95 GB"


def test_a_monitor_reads_the_window_of_its_reference_in_each_run(clouds: Plan) -> None:
    cost_line = traffic(clouds, "learn")["traffic to shop over the internet"]

    assert cost_line.quantity.expected == pytest.approx(2e6 * 140 / 1e9 * 30 * MONTH, rel=0.01)


def test_folders_of_which_nothing_is_known_are_named(clouds: Plan) -> None:
    cost_line = traffic(clouds, "hub")["traffic to shop over the internet"]

    assert (cost_line.quantity.expected, cost_line.floor) == (0.0, 0.0)
    assert cost_line.assumption == "not counted: runs/mlflow/bundles/offers-offer/champion"


def test_a_usage_file_may_name_the_traffic_of_two_targets(clouds: Plan) -> None:
    usage = Usage(crossings={("hub", "shop"): 50.0})
    cost_line = traffic(clouds, "hub", usage)["traffic to shop over the internet"]

    assert (cost_line.quantity.expected, cost_line.assumption) == (50.0, "by the usage file")


def test_the_registrys_artifacts_leave_in_both_directions(clouds: Plan) -> None:
    assert "traffic to learn over the internet" in traffic(clouds, "hub")
    assert "traffic to hub over the internet" in traffic(clouds, "learn")


@pytest.mark.parametrize(
    ("region", "items"), [("eu-west-1", ["region-egress-gb"]), ("eu-central-1", [])], ids=["another region", "the same"]
)
def test_a_cloud_charges_for_traffic_between_its_regions_and_not_within_one(region: str, items: list[str]) -> None:
    plan = planned(TWO_REGIONS.replace("REGION", region))

    assert [cost_line.item for cost_line in traffic(plan, "hub", NO_USAGE).values()] == items


def test_what_your_own_cluster_sends_costs_nothing_and_what_it_reads_does() -> None:
    plan = plan_of("plant-and-google")

    assert traffic(plan, "plant", NO_USAGE) == {}
    assert list(traffic(plan, "main", NO_USAGE)) == ["traffic to plant over the internet"]


def test_a_monitor_elsewhere_reads_captures_of_its_window() -> None:
    plan = plan_of("plant-and-google")
    requests = Requests(mean=1, peak=1, request_bytes=900, response_bytes=100)
    cost_line = traffic(plan, "main", Usage(inference={"line": requests}))["traffic to plant over the internet"]

    assert "monitors.drift reads lake/captures/line: " in cost_line.assumption
    assert cost_line.quantity.expected > 0


def test_without_a_price_totals_are_lower_bounds_and_the_readme_says_so(clouds: Plan) -> None:
    sheet = Sheet("aws", "eu-central-1", offerings(), {}, USAGE)
    cost_lines = tuple(departing(sheet, clouds, "shop", "shop:"))

    assert total(cost_lines).text("1 USD") == "at least 1 USD"
    assert ("traffic to learn over the internet", "its price is not known") in list(cost_rows(cost_lines))


def test_the_readme_has_the_price_of_a_gigabyte(clouds: Plan) -> None:
    rows = dict(cost_rows(lines_of(clouds, "shop")))

    assert rows["traffic to learn over the internet"] == "~0.109 USD a GB; not counted: captures/returns"
    assert line(lines_of(clouds, "shop"), "traffic to learn").is_estimated
