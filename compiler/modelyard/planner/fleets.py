"""Report connections from elsewhere to what exists once at every site of a group."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.sites import no_single_site
from modelyard.plan import Kind, Plan

_WHAT = {Kind.OBJECT_STORE: "store", Kind.DATABASE: "database"}


def check_fleets(plan: Plan) -> Iterator[Diagnostic]:
    """Report each connection into a target that stands for many sites, once."""
    grouped = {target.name for target in plan.system.deployment.targets if target.sites is not None}
    placed = {resource.place: resource for resource in plan.resources} if grouped else {}
    reported: set[tuple[str, str]] = set()
    for link in plan.crossings() if grouped else ():
        reader, sink = placed[link.source], placed[link.sink]
        who = reader.workload or reader.address
        if sink.placement not in grouped or (who, link.sink) in reported:
            continue
        reported.add((who, link.sink))
        what = "the registry" if sink.kind is Kind.REGISTRY else f"{_WHAT.get(sink.kind, sink.kind)} '{sink.name}'"
        yield no_single_site(plan.system.key(*reader.origin[:2]), who, what, sink.placement)
