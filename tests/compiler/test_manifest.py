"""Tests that Kubernetes objects have exact quantities and valid labels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.manifest import cpu_text, labels, memory_text, resources, without_empty
from modelyard.units import cpu_millis, memory_bytes


@pytest.mark.parametrize(("millis", "text"), [(500, "500m"), (1000, "1"), (1500, "1500m"), (64000, "64")])
def test_cpu_text_is_whole_or_in_thousandths(millis: int, text: str) -> None:
    assert cpu_text(millis) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(16 * 1024**3, "16Gi"), (1024**4, "1Ti"), (1536 * 1024**2, "1536Mi"), (16_000_000_000, "15625000Ki")],
)
def test_memory_text_uses_the_largest_exact_unit(size: int, text: str) -> None:
    assert memory_text(size) == text


@given(st.integers(1, 10**9))
def test_cpu_text_is_read_back_exactly(millis: int) -> None:
    assert cpu_millis(cpu_text(millis)) == millis


@given(st.integers(1024, 10**15))
def test_memory_text_is_read_back_exactly(size: int) -> None:
    text = memory_text(size)

    assert (int(text) if text.isdigit() else memory_bytes(text)) == size


def test_requests_are_limits() -> None:
    """Requests equal limits, but are separate objects, so YAML and JSON never share an object."""
    result = resources(500, 1024**3, {"nvidia.com/gpu": "1"})

    assert result["requests"] == result["limits"] == {"cpu": "500m", "memory": "1Gi", "nvidia.com/gpu": "1"}
    assert result["requests"] is not result["limits"]


def test_labels_are_valid_for_the_longest_names() -> None:
    """Labels are valid even if an address consists of a section, a dot and forty more characters."""
    result = labels("s" * 30, "n" * 47, f"inference.{'w' * 40}", "server")

    assert all(len(str(value)) <= 63 for value in result.values())


def test_empty_values_are_left_out() -> None:
    assert without_empty({"a": None, "b": [], "c": {}, "d": "", "e": 0, "f": False}) == {"e": 0, "f": False}
