"""A diagram as JSON, for use by programs."""

from __future__ import annotations

import json

from modelyard.drawing.picture import Picture


def picture_json(picture: Picture) -> str:
    """Render the nodes and edges of the ML view."""
    nodes = [{"id": box.id, "kind": box.kind, "name": box.name, "details": list(box.details)} for box in picture.boxes]
    edges = [
        {"source": arrow.source, "sink": arrow.sink, "label": arrow.text, "feedback": arrow.feedback}
        for arrow in picture.arrows
    ]
    return json.dumps({"view": "ml", "nodes": nodes, "edges": edges}, indent=2, ensure_ascii=False) + "\n"
