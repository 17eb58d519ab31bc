"""Tests that all workloads must fit on the declared machines, and how the machines' cost is computed."""

from __future__ import annotations

import gc
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.budget import check_budget
from modelyard.costs import total
from modelyard.diagnostics import Diagnostic, Severity
from modelyard.plan import Plan
from modelyard.spec import Accelerator, Machines, Taint
from modelyard.usage import NO_USAGE
from modelyard_targets.kube.existing.budget import check_prices, lines
from modelyard_targets.kube.existing.capacity import check_capacity, machines_needed, quota
from modelyard_targets.machines.packing import CPU, MEMORY, Floor, Pods, pack
from tests.plans import large_spec, plan_of
from tests.specs import VALID_SPEC, changed

GI = 1024**3


def codes_with_lines(text: str, plan_text: str = "") -> list[str]:
    """Return the code of each diagnostic with its line in the spec."""
    plan = plan_of(plan_text or text)
    return [
        _line(text, diagnostic)
        for diagnostic in (*check_capacity(plan, "main"), *check_prices(plan, "main"), *_budget(plan))
    ]


def hints(text: str) -> list[str]:
    """Return the hints of all diagnostics about capacity."""
    return [diagnostic.hint for diagnostic in check_capacity(plan_of(text), "main")]


def _budget(plan: Plan) -> tuple[Diagnostic, ...]:
    return tuple(check_budget(plan, lines(plan, "main", NO_USAGE)))


def _line(text: str, diagnostic: Diagnostic) -> str:
    assert diagnostic.span is not None
    return f"{diagnostic.code} {text.splitlines()[diagnostic.span.line - 1].strip()}"


def test_valid_spec_fits() -> None:
    assert codes_with_lines(VALID_SPEC) == []


def test_shortage_is_reported_at_the_largest_request() -> None:
    text = changed("replicas: {min: 2, max: 6}", "replicas: {min: 2, max: 90}")
    plan = plan_of(text)

    assert codes_with_lines(text) == ["E0511 replicas: {min: 2, max: 90}"]
    (diagnostic,) = check_capacity(plan, "main")
    assert "including 180 CPUs here" in diagnostic.message


def test_shortage_is_reported_at_the_largest_variant() -> None:
    text = changed("{model: fraud-xgb@candidate, replicas: 1}", "{model: fraud-xgb@candidate, replicas: 200}")

    assert codes_with_lines(text) == ["E0511 challenger: {model: fraud-xgb@candidate, replicas: 200}"]


def test_pipeline_that_never_fits_is_reported_at_its_workers() -> None:
    """A pipeline with 8 workers is rejected at `workers` if only two machines with one L4 each are declared."""
    text = changed("workers: {min: 1, max: 2}", "workers: {min: 1, max: 8}")
    (diagnostic,) = check_capacity(plan_of(text), "main")

    assert codes_with_lines(text) == ["E0510 workers: {min: 1, max: 8}"]
    assert (
        "8 Pods with 8 CPUs, 32Gi of memory and 1 nvidia.com/gpu each, but there is room for only 2"
        in diagnostic.message
    )


def test_pipelines_need_not_fit_together() -> None:
    """Two pipelines are accepted even if only one of them fits at a time."""
    wide = 'workers: {min: 1, max: 40}\n    schedule: {cron: "30 3 * * *"}'
    text = changed('workers: {min: 1, max: 4}\n    schedule: {cron: "30 3 * * *"}', wide)
    two = text.replace(
        "  report:\n",
        text[text.index("  nightly:") : text.index("  report:")].replace("nightly", "other") + "  report:\n",
    )

    assert codes_with_lines(text) == codes_with_lines(two) == []


def test_fragmented_capacity_is_reported() -> None:
    """Nine-CPU Pods don't all fit on sixteen-CPU machines, even if there are enough CPUs in total."""
    text = changed(
        "cpu: {cpu: 2, memory: 8Gi}", "cpu: {cpu: 9, memory: 8Gi}", ("replicas: {min: 2, max: 6}", "replicas: 8")
    )

    assert codes_with_lines(text)[0].startswith("E0512")


FEWER = ("- {count: 6, cpu: 16, memory: 64Gi, price: 0.40 USD}", "- {count: 2, cpu: 16, memory: 64Gi, price: 0.40 USD}")
NIGHTLY = "    output: scores\n    compute: cpu\n    workers: {min: 1, max: 4}\n"
ENDPOINT = "    compute: cpu\n    replicas: {min: 2, max: 6}\n"


def tight(pipeline: str = "", endpoint: str = "", least: int = 2) -> str:
    """Return a spec whose machines fit either the endpoint at its maximum or the nightly scoring, but not both.

    `pipeline` and `endpoint` are additional lines for the respective sections.
    """
    scoring = NIGHTLY.replace("max: 4", "max: 38") + pipeline
    serving = ENDPOINT.replace("min: 2, max: 6", f"min: {least}, max: 10") + endpoint
    return changed(*FEWER, (NIGHTLY, scoring), (ENDPOINT, serving))


def test_pipeline_next_to_a_full_endpoint_needs_a_lower_priority() -> None:
    (diagnostic,) = check_capacity(plan_of(tight()), "main")

    assert codes_with_lines(tight()) == ["E0990 nightly:"]
    assert "cannot preempt any of them: no machine has room for" in diagnostic.message
    assert "(1 Pod with 2 CPUs and " in diagnostic.message
    assert diagnostic.hint.startswith("give the pipeline `priority: low` if")


@pytest.mark.parametrize("priority", ["low", "lowest"])
def test_low_priority_pipeline_need_not_fit_next_to_the_maximum(priority: str) -> None:
    assert codes_with_lines(tight(f"    priority: {priority}\n")) == []


def test_endpoint_may_have_low_priority() -> None:
    assert codes_with_lines(tight(endpoint="    priority: low\n")) == []


def test_equal_priorities_do_not_preempt_each_other() -> None:
    low = "    priority: low\n"

    assert codes_with_lines(tight(low, low)) == ["E0990 nightly:"]
    assert hints(tight(low, low)) == [
        "give the pipeline `priority: lowest` if it may wait and be interrupted, lower the maximum replicas or workers,"
        " or declare more machines under `capacity`"
    ]
    assert codes_with_lines(tight("    priority: lowest\n", low)) == []


def test_lowest_priority_has_no_lower_hint() -> None:
    lowest = "    priority: lowest\n"

    assert codes_with_lines(tight(lowest, lowest)) == ["E0990 nightly:"]
    assert hints(tight(lowest, lowest)) == [
        "lower the maximum replicas or workers, or declare more machines under `capacity`"
    ]


@pytest.mark.parametrize("pipeline", ["", "    priority: low\n"])
def test_low_priority_pipeline_must_fit_next_to_the_minimum(pipeline: str) -> None:
    """A pipeline that doesn't fit alongside the endpoint's minimum is rejected, even at low priority."""
    assert [line.partition(" ")[0] for line in codes_with_lines(tight(pipeline, least=10))] == ["E0511"]


def test_no_capacity_errors_without_declared_capacity() -> None:
    """Without declared machines, there are no capacity errors and no quota, but a budget is rejected."""
    text = VALID_SPEC[: VALID_SPEC.index("      capacity:")] + VALID_SPEC[VALID_SPEC.index("      gateway:") :]
    plan = plan_of(text.replace("capacity: spot-first", "capacity: on-demand"))

    assert list(check_capacity(plan, "main")) == []
    assert quota(plan, "main") == {}
    assert [diagnostic.code for diagnostic in check_prices(plan, "main")] == ["E0514"]


def test_needed_machine_without_a_price_is_reported() -> None:
    assert codes_with_lines(changed(", price: 1.10 USD", "")) == [
        'E0514 - {count: 2, cpu: 32, memory: 128Gi, accelerators: "L4:1"}'
    ]


def test_unused_machines_need_no_price() -> None:
    spare = "      gateway: {name"
    text = changed(
        spare, "        - {count: 2, cpu: 4, memory: 8Gi, labels: {pool: spare}, taints: [{key: spare}]}\n" + spare
    )

    assert codes_with_lines(text) == []


@pytest.mark.parametrize(
    ("more", "code", "severity"), [("", "W0513", "warning"), (", onExceed: block", "E0513", "error")]
)
def test_exceeded_budget_is_reported(more: str, code: str, severity: str) -> None:
    text = changed("{monthly: 18000 USD}", f"{{monthly: 100 USD{more}}}")
    (diagnostic,) = _budget(plan_of(text))

    assert diagnostic.code == code
    assert diagnostic.severity is Severity(severity)
    assert "the budget is 100 USD a month" in diagnostic.message


def test_monthly_cost_is_the_price_of_needed_machines() -> None:
    plan = plan_of(VALID_SPEC)
    machine_counts = machines_needed(plan, "main")

    costs = total(lines(plan, "main", NO_USAGE))
    assert costs.floor == costs.ceiling == pytest.approx((machine_counts[0] * 0.40 + machine_counts[1] * 1.10) * 730)
    assert machine_counts[1] == 2


def test_quota_is_the_declared_capacity() -> None:
    assert quota(plan_of(VALID_SPEC), "main") == {
        "requests.cpu": "160",
        "requests.memory": "640Gi",
        "limits.memory": "640Gi",
        "requests.nvidia.com/gpu": "2",
        "pods": "880",
    }


def test_selector_and_tolerations_restrict_machines() -> None:
    """A Pod can run only on machines whose labels and taints match its selector and tolerations."""
    tainted = Machines(4, 8000, 32 * GI, labels=(("pool", "a"),), taints=(Taint("only", "a"),))
    floor = Floor([Machines(1, 8000, 32 * GI), tainted])
    pod = {CPU: 8000, MEMORY: GI}

    assert floor.shape(pod).machines == (0,)
    assert floor.shape(pod, (("pool", "a"),), (Taint("only", "a"),)).machines == (1,)
    assert floor.shape(pod, (("pool", "a"),), (Taint("only"),)).machines == (1,)
    assert floor.shape(pod, (("pool", "b"),)).machines == ()


@given(
    machines=st.lists(
        st.tuples(st.integers(1, 5), st.integers(1, 16), st.integers(1, 64), st.integers(0, 2)), min_size=1, max_size=4
    ),
    pods=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 16), st.integers(1, 64), st.integers(0, 2)), max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_packed_pods_fit_on_the_machines(
    machines: list[tuple[int, int, int, int]], pods: list[tuple[int, int, int, int]]
) -> None:
    """Packing Pods never uses more machines or more resources than there are."""
    capacity = [
        Machines(count, cpu * 1000, memory * GI, Accelerator("L4", gpus) if gpus else None)
        for count, cpu, memory, gpus in machines
    ]
    floor = Floor(capacity)
    groups = [
        Pods(count, floor.shape({CPU: cpu * 1000, MEMORY: memory * GI, "nvidia.com/gpu": gpus}), ("pods", at), "pods")
        for at, (count, cpu, memory, gpus) in enumerate(pods)
    ]
    packed = pack(groups, floor)

    assert all(0 <= in_use <= capacity[at].count for at, in_use in packed.used.items())
    if packed.homeless is None:
        for what in (CPU, MEMORY, "nvidia.com/gpu"):
            requested = sum(group.count * dict(group.shape.amounts)[what] for group in groups)
            there = sum(packed.used[at] * floor.sizes[at].get(what, 0) for at in packed.used)
            assert requested <= there


def test_capacity_check_time_grows_linearly() -> None:
    """Capacity check time grows roughly linearly with the number of models."""
    times = {models: _time(_roomy(plan_of(large_spec(models)))) for models in (200, 2000)}

    assert times[2000] < 25 * times[200]


def _roomy(plan: Plan) -> Plan:
    deployment = plan.system.deployment
    targets = tuple(replace(target, capacity=(Machines(9000, 64000, 256 * GI),)) for target in deployment.targets)
    return replace(plan, system=replace(plan.system, deployment=replace(deployment, targets=targets)))


def _time(plan: Plan) -> float:
    """Return the shortest CPU time of several runs, with garbage collection disabled."""
    best = float("inf")
    gc.disable()
    for _ in range(3):
        start = time.process_time()
        assert list(check_capacity(plan, "far")) == []
        assert list(check_capacity(plan, "near")) == []
        best = min(best, time.process_time() - start)
    gc.enable()
    return best


def test_spot_first_counts_on_both_kinds_of_machines() -> None:
    """`spot-first` Pods may use spot and on-demand machines, and `spot` Pods only spot machines."""
    spot = (
        "- {count: 1, cpu: 16, memory: 64Gi, spot: true, price: 0.1 USD, labels: {life: spot}, taints: [{key: spot}]}"
    )
    text = changed(
        "cpu: {cpu: 2, memory: 8Gi}",
        "cpu: {cpu: 2, memory: 8Gi, capacity: spot-first}",
        ("      gateway: {name", f"        {spot}\n      gateway: {{name"),
        ("replicas: {min: 2, max: 6}", "replicas: 12"),
    )

    assert codes_with_lines(text) == []
    assert codes_with_lines(text.replace("capacity: spot-first}\n  train", "capacity: spot}\n  train"))[0].startswith(
        "E0511"
    )
