"""Tests that a compute class gets a declared machine, or a message if none fits."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from modelyard.plan import Fallback, Hardware, NoMachine
from modelyard.spec import Accelerator, ComputeClass, Machines, Taint, TargetSpec
from modelyard_targets.kube.existing.choose import ANY_MACHINE, choose
from modelyard_targets.machines.accelerators import known, names

GI = 1024**3
CPU = Machines(count=3, cpu_millis=16000, memory_bytes=64 * GI)
LARGE = replace(CPU, cpu_millis=32000, memory_bytes=128 * GI)
L4 = replace(CPU, accelerator=Accelerator("L4", 1), labels=(("gpu", "l4"),))
A10G = replace(CPU, accelerator=Accelerator("A10G", 4), labels=(("gpu", "a10g"),))


def compute_class(cpu: int = 4, memory: int = 16, *accelerators: str, capacity: str = "on-demand") -> ComputeClass:
    return ComputeClass(
        name="train",
        path=("compute", "train"),
        cpu_millis=cpu * 1000,
        memory_bytes=memory * GI,
        accelerators=tuple(Accelerator(name) for name in accelerators),
        capacity=capacity,
    )


def on(*machines: Machines) -> TargetSpec:
    return TargetSpec(name="main", provider="kubernetes", capacity=machines)


def chosen(compute: ComputeClass, *machines: Machines) -> Hardware:
    hardware = choose(compute, on(*machines))
    assert isinstance(hardware, Hardware), hardware
    return hardware


def refusal(compute: ComputeClass, *machines: Machines) -> str:
    reason = choose(compute, on(*machines))
    assert isinstance(reason, NoMachine), reason
    return reason.reason


def test_order_of_alternatives_decides_first() -> None:
    """An expensive machine with the preferred accelerator beats a cheap one with the next alternative."""
    dear, cheap = replace(L4, price_hourly=9.0), replace(A10G, price_hourly=1.0)

    assert chosen(compute_class(4, 16, "L4", "A10G"), cheap, dear).machine == "capacity[1]"
    assert chosen(compute_class(4, 16, "A10G", "L4"), cheap, dear).machine == "capacity[0]"


def test_ties_are_decided_by_price_then_rest_then_order() -> None:
    assert (
        chosen(compute_class(), replace(CPU, price_hourly=2.0), replace(LARGE, price_hourly=1.0)).machine
        == "capacity[1]"
    )
    assert chosen(compute_class(), LARGE, CPU).machine == "capacity[1]"
    assert chosen(compute_class(), CPU, CPU).machine == "capacity[0]"


def test_class_without_accelerators_avoids_accelerator_machines() -> None:
    """A class without accelerators gets a machine without any, even if a machine with accelerators is cheaper."""
    assert (
        chosen(compute_class(), replace(L4, price_hourly=0.1), replace(CPU, price_hourly=1.0)).machine == "capacity[1]"
    )
    assert chosen(compute_class(), L4).accelerator is None


def test_accelerator_names_match_in_any_spelling() -> None:
    hardware = chosen(compute_class(4, 16, "a100-80gb"), replace(L4, accelerator=Accelerator("A100-80GB", 2)))

    assert hardware.accelerator == Accelerator("a100-80gb", 1)
    assert hardware.accelerator_resource == "nvidia.com/gpu"


def test_accelerator_name_without_a_size_is_one_variant() -> None:
    """`A100` without a memory size means the 40 GB variant, however it is spelt."""
    small, odd, large = (
        replace(L4, accelerator=Accelerator(name, 4), labels=(("gpu", name),))
        for name in ("A100", "a100_40gb", "A100-80GB")
    )

    assert chosen(compute_class(4, 16, "A100-40GB"), large, small).machine == "capacity[1]"
    assert chosen(compute_class(4, 16, "A100"), large, odd).machine == "capacity[1]"
    assert "which has A100-80GB:4 instead of A100:1" in refusal(compute_class(4, 16, "A100"), large)


def test_declared_memory_distinguishes_variants() -> None:
    large = replace(L4, accelerator=Accelerator("A100", 4), accelerator_memory_bytes=80 * GI)

    assert chosen(compute_class(4, 16, "A100-80GB"), large).considered[0].why.startswith("A100-80GB:4 of 80Gi; ")
    assert chosen(compute_class(4, 16, "A100"), large).machine == "capacity[0]"
    assert "which has A100-80GB:4 instead of A100-40GB:1" in refusal(compute_class(4, 16, "A100-40GB"), large)


def test_preferred_alternatives_without_a_machine_are_kept_with_the_reason() -> None:
    """The alternatives before the chosen one are listed along with why they weren't chosen."""
    hardware = chosen(compute_class(4, 16, "H100", "L4", "T4"), L4)

    assert [(alternative.position, alternative.accelerator.name) for alternative in hardware.passed_over] == [
        (0, "H100")
    ]
    assert hardware.passed_over[0].why == "the closest is capacity[0], which has L4:1 instead of H100:1"
    assert [alternative.position for alternative in chosen(compute_class(4, 16, "H100", "L4")).passed_over] == [1]


def test_pod_has_selector_and_tolerations_of_its_machine() -> None:
    """A Pod selects its machine's labels, and tolerates the machine's taints and the usual GPU taint."""
    machine = replace(L4, taints=(Taint("dedicated", "ml"),))
    hardware = chosen(compute_class(4, 16, "L4"), machine)

    assert hardware.selector == (("gpu", "l4"),)
    assert hardware.tolerations == (Taint("dedicated", "ml"), Taint("nvidia.com/gpu"))


def test_a_declared_taint_of_the_accelerator_is_not_tolerated_twice() -> None:
    machine = replace(L4, taints=(Taint("nvidia.com/gpu", "present"),))

    assert chosen(compute_class(4, 16, "L4"), machine).tolerations == (Taint("nvidia.com/gpu", "present"),)


def test_accelerator_can_be_requested_by_memory() -> None:
    """A class may request any accelerator by memory, which is declared or inferred from the name."""
    compute = replace(compute_class(), accelerator_memory_bytes=40 * GI)
    odd = replace(L4, accelerator_memory_bytes=48 * GI, labels=(("gpu", "odd"),))

    assert chosen(compute, L4, odd).machine == "capacity[1]"
    assert chosen(compute, odd).accelerator == Accelerator("L4", 1)
    assert "which has L4:1 instead of an accelerator with 40Gi" in refusal(compute, L4)


def test_capacity_setting_selects_spot_or_on_demand() -> None:
    """`spot` uses only spot machines, `spot-first` may fall back to on-demand, and on-demand Pods never use spot."""
    spot = replace(CPU, spot=True, labels=(("life", "spot"),), taints=(Taint("spot"),))
    fixed = replace(CPU, labels=(("life", "long"),))

    assert chosen(compute_class(capacity="spot"), fixed, spot).spot
    assert chosen(compute_class(capacity="spot-first"), fixed, spot).spot
    assert not chosen(compute_class(capacity="spot-first"), fixed).spot
    assert not chosen(compute_class(), spot, fixed).spot
    assert "none is declared with `spot: true`" in refusal(compute_class(capacity="spot"), fixed)
    assert "all declared machines are `spot: true`" in refusal(compute_class(), spot)


def test_indistinguishable_machines_are_refused() -> None:
    """A class is rejected if its on-demand Pods could land on a spot machine without a label or taint."""
    spot = replace(CPU, spot=True)

    assert "could also land on capacity[1]" in refusal(compute_class(), CPU, spot)
    assert chosen(compute_class(capacity="spot-first"), CPU, spot).machine == "capacity[1]"
    assert chosen(compute_class(), CPU, replace(spot, taints=(Taint("spot"),))).machine == "capacity[0]"


def test_reachable_machine_with_another_accelerator_is_refused() -> None:
    first, second = replace(L4, labels=()), replace(A10G, labels=())

    assert "capacity[1]" in refusal(compute_class(4, 16, "L4"), first, second)
    assert chosen(compute_class(4, 16, "L4", "A10G"), first, second).machine == "capacity[0]"


def test_closest_machine_and_shortages_are_named() -> None:
    """If no machine fits, the message names the closest one and everything it lacks."""
    assert refusal(compute_class(4, 96), CPU, replace(CPU, memory_bytes=32 * GI)) == (
        "the closest is capacity[0], which has 64Gi of the requested 96Gi of memory"
    )
    assert refusal(compute_class(20, 96), CPU) == (
        "the closest is capacity[0], which has 16 of the 20 requested CPUs and 64Gi of the requested 96Gi of memory"
    )
    assert refusal(compute_class(4, 16, "L4", "A10G"), CPU) == (
        "the closest is capacity[0], which has no accelerator instead of L4:1 or A10G:1"
    )
    assert (
        refusal(compute_class(4, 16, "A10G"), CPU, L4) == "the closest is capacity[1], which has L4:1 instead of A10G:1"
    )


def test_considered_machines_start_with_the_choice() -> None:
    considered = chosen(compute_class(), replace(CPU, price_hourly=0.4), LARGE, CPU, LARGE).considered

    assert [candidate.machine for candidate in considered] == ["capacity[0]", "capacity[2]", "capacity[1]"]
    assert considered[0].why == "no accelerator; on demand; leaves 12 CPUs and 48Gi"
    assert considered[0].price_hourly == 0.4


def test_open_cluster_uses_the_requests_unchanged() -> None:
    hardware = chosen(compute_class(4, 16, "MI300X", "L4"))

    assert (hardware.machine, hardware.cpu_millis, hardware.memory_bytes) == (ANY_MACHINE, 4000, 16 * GI)
    assert hardware.accelerator == Accelerator("MI300X", 1)
    assert hardware.accelerator_resource == "amd.com/gpu"
    assert (hardware.selector, hardware.tolerations) == ((), (Taint("amd.com/gpu"),))


def test_open_cluster_refuses_spot_and_memory_requests() -> None:
    assert "it needs spot machines" in refusal(compute_class(capacity="spot"))
    assert "name an accelerator" in refusal(replace(compute_class(), accelerator_memory_bytes=GI))


def test_unknown_accelerator_has_a_suggestion() -> None:
    reason = choose(compute_class(4, 16, "L4OS"), on())

    assert isinstance(reason, NoMachine)
    assert reason.hint == "did you mean 'L40S'?"


def test_every_known_accelerator_has_a_resource_and_memory() -> None:
    for name in names():
        accelerator = known(name.lower().replace("-", "_"))
        assert accelerator is not None
        assert "/" in accelerator.resource
        assert accelerator.memory_bytes > 0


@given(
    cpus=st.lists(st.integers(1, 64), min_size=1, max_size=6),
    memories=st.lists(st.integers(1, 512), min_size=6, max_size=6),
    cpu=st.integers(1, 64),
    memory=st.integers(1, 512),
)
def test_chosen_machine_always_fits_the_pod(cpus: list[int], memories: list[int], cpu: int, memory: int) -> None:
    """The chosen machine is large enough for the Pod, and a class is refused only if no machine fits."""
    machines = [Machines(1, cores * 1000, memory_gib * GI) for cores, memory_gib in zip(cpus, memories, strict=False)]
    outcome = choose(compute_class(cpu, memory), on(*machines))
    fits = [machine for machine in machines if machine.cpu_millis >= cpu * 1000 and machine.memory_bytes >= memory * GI]

    if isinstance(outcome, NoMachine):
        assert not fits
    else:
        assert machines[int(outcome.machine[9:-1])] in fits


def test_spot_first_falls_back_to_on_demand() -> None:
    """`spot-first` falls back to the best on-demand machine, and Pods tolerate its taints."""
    spot = replace(CPU, spot=True, labels=(("life", "spot"),), taints=(Taint("spot"),))
    fixed = replace(CPU, labels=(("life", "long"),), taints=(Taint("ml"),))

    hardware = chosen(compute_class(capacity="spot-first"), fixed, spot, CPU)
    assert hardware.selector == (("life", "spot"),)
    assert hardware.fallback == Fallback("capacity[0]", (("life", "long"),))
    assert hardware.tolerations == (Taint("spot"), Taint("ml"))
    assert chosen(compute_class(capacity="spot"), fixed, spot).fallback is None
    assert chosen(compute_class(capacity="spot-first"), spot).fallback is None
    assert chosen(compute_class(capacity="spot-first"), fixed).fallback is None


def test_spot_fallback_has_the_same_accelerator() -> None:
    """The on-demand fallback must have the same accelerator as the spot machine."""
    spot = replace(L4, spot=True, labels=(("gpu", "spot"),))
    other = replace(A10G, labels=(("gpu", "a10g"),))

    assert chosen(compute_class(4, 16, "L4", "A10G", capacity="spot-first"), spot, other).fallback is None
    assert chosen(compute_class(4, 16, "L4", "A10G", capacity="spot-first"), spot, other, L4).fallback == Fallback(
        "capacity[2]", L4.labels
    )
    compute = compute_class(4, 16, "L4", capacity="spot-first")
    assert "capacity[1] could also land on capacity[2]" in refusal(
        compute, spot, replace(L4, labels=()), replace(A10G, labels=())
    )


def test_class_without_accelerators_avoids_spot_accelerator_machines() -> None:
    spot = replace(L4, spot=True, labels=(("gpu", "spot"),))

    assert chosen(compute_class(capacity="spot-first"), spot, CPU).machine == "capacity[1]"
