"""The plan as a diagram: Mermaid, Graphviz or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.plan import Kind, Plan, Resource

_SHAPES: Final[Mapping[Kind, tuple[str, str, str]]] = {
    # Mermaid's brackets, and Graphviz's shape
    Kind.OBJECT_STORE: ("[(", ")]", "cylinder"),
    Kind.DATABASE: ("[(", ")]", "cylinder"),
    Kind.REGISTRY: ("[(", ")]", "cylinder"),
    Kind.MODEL_SERVER: ("[[", "]]", "component"),
    Kind.ROUTE: ("([", "])", "oval"),
    Kind.MONITOR: ("{{", "}}", "hexagon"),
    Kind.PROMOTER: ("{{", "}}", "hexagon"),
    Kind.STARTER: ("{{", "}}", "hexagon"),
    Kind.CHANNEL: (">", "]", "note"),
}
_BOX: Final = ("[", "]", "box")

_SHOWN_BY_OTHERS: Final = frozenset({Kind.NAMESPACE, Kind.IDENTITY, Kind.SECRET, Kind.ALERT_RULES, Kind.DASHBOARD})
"""Resources that every workload has: in the JSON, but not in a diagram for people."""


def mermaid(plan: Plan) -> str:
    """A flowchart with a box for each target."""
    ids = _ids(plan)
    lines = ["flowchart LR"]
    for placement in plan.placements():
        lines.append(f"  subgraph {_placement_id(plan, placement)}[{_mermaid_text(placement)}]")
        for resource in _shown(plan, placement):
            left, right, _ = _SHAPES.get(resource.kind, _BOX)
            lines.append(f"    {ids[resource.place]}{left}{_mermaid_text(_label(resource))}{right}")
        lines.append("  end")
    for source, sink, what in _edges(plan, ids):
        lines.append(f"  {source} -->|{what}| {sink}")
    return "\n".join(lines) + "\n"


def dot(plan: Plan) -> str:
    """The same for Graphviz."""
    ids = _ids(plan)
    lines = ["digraph plan {", "  rankdir=LR;", '  node [fontname="sans-serif"];']
    for placement in plan.placements():
        lines.append(f"  subgraph cluster_{_placement_id(plan, placement)} {{")
        lines.append(f"    label={_dot_text(placement)};")
        for resource in _shown(plan, placement):
            shape = _SHAPES.get(resource.kind, _BOX)[2]
            lines.append(f"    {ids[resource.place]} [label={_dot_text(_label(resource))}, shape={shape}];")
        lines.append("  }")
    for source, sink, what in _edges(plan, ids):
        lines.append(f"  {source} -> {sink} [label={_dot_text(what)}];")
    return "\n".join([*lines, "}"]) + "\n"


def as_json(plan: Plan) -> str:
    """All of the plan's resources and links, for a machine."""
    resources = [
        {
            "place": resource.place,
            "kind": resource.kind.value,
            "name": resource.name,
            "placement": resource.placement,
            "workload": resource.workload,
            "origin": list(resource.origin),
        }
        for resource in plan.resources
    ]
    links = [
        {"source": link.source, "sink": link.sink, "what": link.what, "protocol": link.protocol, "port": link.port}
        for link in plan.links
    ]
    return json.dumps({"resources": resources, "links": links}, indent=2, ensure_ascii=False) + "\n"


def _shown(plan: Plan, placement: str) -> Iterator[Resource]:
    return (one for one in plan.on(placement) if one.kind not in _SHOWN_BY_OTHERS)


def _ids(plan: Plan) -> Mapping[str, str]:
    """Safe names for the vertices of a diagram, without user text: r1, r2 … by place."""
    shown = [one for one in plan.resources if one.kind not in _SHOWN_BY_OTHERS]
    return {resource.place: f"r{at}" for at, resource in enumerate(shown, 1)}


def _placement_id(plan: Plan, placement: str) -> str:
    return f"t{plan.placements().index(placement) + 1}"


def _edges(plan: Plan, ids: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Links between the shown resources; several of one type between the same two are merged."""
    edges = ((ids.get(link.source), ids.get(link.sink), link.what) for link in plan.links)
    yield from dict.fromkeys((source, sink, what) for source, sink, what in edges if source and sink)


def _label(resource: Resource) -> str:
    return f"{resource.kind.value.replace('-', ' ')} {resource.name}"


def _mermaid_text(text: str) -> str:
    """A quoted label. Characters that could end it or have a meaning in it become character references."""
    safe = (letter if letter.isalnum() or letter in " -_./:" else f"#{ord(letter)};" for letter in text)
    return f'"{"".join(safe)}"'


def _dot_text(text: str) -> str:
    """A quoted string of Graphviz, on one line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(letter if letter.isprintable() else "�" for letter in escaped) + '"'
