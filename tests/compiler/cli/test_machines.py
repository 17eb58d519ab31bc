"""Tests that `modelyard explain` shows both existing machines and those that will be created."""

from __future__ import annotations

from modelyard.cli.machines import machines_of
from modelyard.plan import Hardware, NoMachine, Offer, Plan
from modelyard.planner import plan
from modelyard.records import replace
from modelyard.spec import ComputeClass, TargetSpec
from modelyard_targets.aws.hardware import choose
from tests.plans import plan_of, system_of
from tests.specs import VALID_SPEC, changed
from tests.targets.azure.infrastructure import plan_of as on_azure


def on_aws(text: str) -> Plan:
    """Return the plan of a spec with AWS machines in Frankfurt."""

    def frankfurt(compute: ComputeClass, target: TargetSpec) -> Hardware | NoMachine:
        return choose(compute, replace(target, region="eu-central-1"))

    planned, diagnostics = plan(system_of(text), {"main": Offer(frankfurt)})
    assert planned is not None, diagnostics
    return planned


def machine_lines(plan: Plan, address: str) -> list[str]:
    path = tuple(address.split("."))
    resources = [
        resource for resource in plan.resources if resource.workload == address or resource.origin[: len(path)] == path
    ]
    return [line for text in machines_of(plan, resources, path) for line in text.splitlines() if line]


def test_explain_shows_machine_price_and_runner_up_of_an_endpoint() -> None:
    lines = machine_lines(on_aws(VALID_SPEC), "inference.scorer")

    assert lines[0].startswith("machine of scorer-challenger, variant challenger; scorer-champion, variant champion ")
    assert lines[0].endswith("(compute class cpu, on main):")
    assert lines[1].startswith("  chosen: m6i.xlarge, 0.23 an hour; no accelerator; ")
    assert "in eu-central-1 (EC2's price list" in lines[1]
    assert "2025-05-28" in lines[1]
    assert [line.split(",")[0] for line in lines[2:4]] == ["  next: m5.xlarge", "  next: m7i.xlarge"]
    assert lines[4:] == [
        "  just missed: m6i.large, 0.115 an hour; a Pod of 1.75 CPUs and 6.5Gi fits on it",
        "  tried in this order:",
        "    1. on demand: m6i.xlarge, 0.23 an hour",
    ]


def test_explain_shows_all_machine_groups_of_a_compute_class() -> None:
    """`explain` shows only the given compute class, not other classes needed by the same workloads."""
    text = changed("train: {cpu: 8, memory: 32Gi,", "train: {cpu: 3, memory: 12Gi,")
    lines = machine_lines(on_aws(text), "compute.train")

    assert lines[0] == "machine of retrain, step retrain; try-out, step try-out (compute class train, on main):"
    assert lines[1].startswith("  chosen: g6.xlarge, 0.4408 an hour; L4:1 of 22.4Gi; USD, spot, in eu-central-1 (")
    assert lines[4:] == [
        "  tried in this order:",
        "    1. spot: g6.xlarge or g6.2xlarge with L4:1, 0.4408 an hour",
        "    2. on demand: g6.xlarge with L4:1, 1.0064 an hour",
        "    3. spot: g5.xlarge or g5.2xlarge with A10G:1, 0.6249 an hour",
        "    4. on demand: g5.xlarge with A10G:1, 1.258 an hour",
    ]


def test_explain_shows_which_price_a_spot_group_has() -> None:
    """The tables have no spot price of this machine anywhere, so the figure is its on-demand price."""
    lines = machine_lines(on_azure(), "compute.gpu")

    groups = lines[lines.index("  tried in this order:") + 1 :]
    instead = "an hour, on demand, because no spot price is known"
    assert groups[0] == f"    1. spot: Standard_NC8as_T4_v3 with T4:1, 0.94 {instead}"
    assert [instead in group for group in groups] == [True, True, False, False, False]


def test_explain_shows_the_fallback_of_existing_spot_machines() -> None:
    """`explain` shows why a Pod of a compute class with spot machines may run on an on-demand machine."""
    pool = "spot: true, labels: {life: spot}, taints: [{key: spot}]"
    spot = f'        - {{count: 2, cpu: 32, memory: 128Gi, accelerators: "L4:1", {pool}}}\n'
    lines = machine_lines(plan_of(changed("      gateway: {name", f"{spot}      gateway: {{name")), "compute.train")

    assert lines[1].startswith("  chosen: capacity[2], ")
    assert lines[-1] == "  when that is reclaimed or full: capacity[1]"


def test_explain_shows_that_elastic_machines_are_created_on_demand() -> None:
    lines = machine_lines(on_aws(changed("cpu: {cpu: 2,", "cpu: {elastic: true, cpu: 2,")), "compute.cpu")

    assert lines[-1].startswith("  elastic: created on demand, as any machine")
    assert not [line for line in lines if "tried" in line]


def test_explain_shows_no_attempts_on_existing_machines() -> None:
    lines = machine_lines(plan_of(VALID_SPEC), "compute.cpu")

    assert lines[1] == "  chosen: capacity[0], 0.4 an hour; no accelerator; USD, on demand; leaves 14 CPUs and 56Gi"
    assert not [line for line in lines if "tried" in line]


def test_explain_shows_no_machines_for_unrelated_sections() -> None:
    assert machine_lines(plan_of(VALID_SPEC), "stores.lake") == []
