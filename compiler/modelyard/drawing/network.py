"""The network view: the resources on each target, and the connections between them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from modelyard.drawing.picture import Arrow, Box, Picture, Shape, between_boxes
from modelyard.plan import Kind, Plan

_SHAPES: Final[Mapping[Kind, Shape]] = {
    Kind.OBJECT_STORE: Shape.CYLINDER,
    Kind.DATABASE: Shape.CYLINDER,
    Kind.REGISTRY: Shape.CYLINDER,
    Kind.MODEL_SERVER: Shape.DOUBLE,
    Kind.ENDPOINT: Shape.STADIUM,
    Kind.MONITOR: Shape.HEXAGON,
    Kind.PROMOTER: Shape.HEXAGON,
    Kind.STARTER: Shape.HEXAGON,
    Kind.CHANNEL: Shape.FLAG,
}

_SHOWN_BY_OTHERS: Final = frozenset({Kind.NAMESPACE, Kind.IDENTITY, Kind.SECRET, Kind.ALERT_RULES, Kind.DASHBOARD})
"""Resources that every workload has. They are included in the JSON but not in diagrams."""


def network_view(plan: Plan) -> Picture:
    """Draw a box for each resource and an arrow for each link, grouped by target."""
    resources = [resource for resource in plan.resources if resource.kind not in _SHOWN_BY_OTHERS]
    ids = {resource.place: f"r{at}" for at, resource in enumerate(resources, 1)}
    groups = {placement: f"t{at}" for at, placement in enumerate(plan.placements(), 1)}
    boxes = tuple(
        Box(
            ids[resource.place],
            _SHAPES.get(resource.kind, Shape.BOX),
            resource.kind.value,
            f"{resource.kind.value.replace('-', ' ')} {resource.name}",
            group=groups[resource.placement],
        )
        for resource in resources
    )
    arrows = (Arrow(ids.get(link.source, ""), ids.get(link.sink, ""), link.what) for link in plan.links)
    titles = tuple((group, _title(plan, placement)) for placement, group in groups.items())
    return Picture(plan.system.metadata.name, boxes, between_boxes(boxes, arrows), titles)


def _title(plan: Plan, placement: str) -> str:
    sites = plan.system.target(placement).sites
    return placement if sites is None else f"{placement}, {len(sites.names)} sites"


def plan_json(plan: Plan) -> str:
    """Render all resources and links of the plan as JSON, for use by programs."""
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
    return json.dumps({"view": "network", "resources": resources, "links": links}, indent=2, ensure_ascii=False) + "\n"
