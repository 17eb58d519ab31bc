"""Tests that accelerator alternatives not offered by any target are reported."""

from __future__ import annotations

from tests.targets.aws.infrastructure import HYBRID, changed, refused

ALTERNATIVES = ('accelerators: ["L4:1", "A10G:1"]', 'accelerators: ["A30:1", "L4:1"]')
A30 = ("price: 0.40 USD}]", 'price: 0.40 USD}, {count: 1, cpu: 16, memory: 64Gi, accelerators: "A30:1", price: 1 USD}]')
ON_BOTH = ("    compute: cpu\n    replicas: 1\n", "    compute: train\n    replicas: 1\n")


def passed_over(*changes: tuple[str, str]) -> list[str]:
    return [line for line in refused(changed(*changes, text=HYBRID)) if line.startswith("W0661")]


def test_an_alternative_that_the_target_lacks_is_reported() -> None:
    (line,) = passed_over(ALTERNATIVES)

    assert line.startswith('W0661 train: {accelerators: ["A30:1", "L4:1"]')


def test_a_class_may_list_an_accelerator_for_each_of_its_targets() -> None:
    assert passed_over(ALTERNATIVES, A30)
    assert passed_over(ALTERNATIVES, A30, ON_BOTH) == []
