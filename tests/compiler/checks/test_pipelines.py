"""Tests that cycles of pipeline steps and invalid schedule time zones are reported."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from modelyard.checks import check
from modelyard.checks.time_zones import time_zones
from tests.plans import system_of
from tests.specs import VALID_SPEC


@given(
    st.dictionaries(
        st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef"), max_size=3), min_size=1, max_size=6
    ).filter(lambda graph: all(needed in graph for needs in graph.values() for needed in needs))
)
def test_cycles_of_steps_are_found(graph: dict[str, set[str]]) -> None:
    """Cycles are found exactly when the standard library finds one, and each reported step waits for the next."""
    steps = "".join(
        f'      {name}: {{needs: [{", ".join(sorted(needs))}], source: {{entrypoint: "a:b"}}}}\n'
        for name, needs in graph.items()
    )
    start, end = VALID_SPEC.index("      collect:"), VALID_SPEC.index("inference:\n")
    system = system_of(VALID_SPEC[:start] + steps + VALID_SPEC[end:])
    diagnostics = [diagnostic for diagnostic in check(system) if diagnostic.code == "E0439"]
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        circle = diagnostics[0].message.removeprefix("steps wait for each other in a cycle: ").split(" → ")
        assert circle[0] == circle[-1]
        assert all(later in graph[earlier] for earlier, later in pairwise(circle))
    else:
        assert diagnostics == []


def test_time_zones_are_shipped() -> None:
    """The shipped list contains names and links from the time zone database, regardless of the machine."""
    assert {"Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC", "Etc/UTC"} <= set(time_zones())
    assert not any(" " in name for name in time_zones())
