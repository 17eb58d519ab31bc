"""Draw a single box for all entries that a definition creates from the rows of a list."""

from __future__ import annotations

from modelyard.drawing.picture import Box, Ids, Picture, between_boxes
from modelyard.records import replace
from modelyard.sites.folding import Repeats
from modelyard.source import Document


def by_definition(picture: Picture, document: Document) -> Picture:
    """Merge boxes that represent rows of a list, along with the arrows between them."""
    if not document.repeated:
        return picture
    repeats, ids = Repeats.of(document.repeated), Ids()
    joined: dict[tuple[str, str, str], list[Box]] = {}
    for box in picture.boxes:
        joined.setdefault((box.group, box.kind, repeats.general(box.name)), []).append(box)
    taken = {box.id for box in picture.boxes}
    new: dict[str, str] = {}
    for (_, kind, name), boxes in joined.items():
        own = boxes[0].id if name == boxes[0].name else _free(ids.of(kind.replace("-", "_"), name), taken)
        new |= {box.id: own for box in boxes}
    drawn = tuple(_merged_box(new[boxes[0].id], name, boxes, repeats) for (_, _, name), boxes in joined.items())
    arrows = (replace(arrow, source=new[arrow.source], sink=new[arrow.sink]) for arrow in picture.arrows)
    return replace(picture, boxes=drawn, arrows=between_boxes(drawn, arrows))


def _free(preferred: str, taken: set[str]) -> str:
    return preferred if preferred not in taken else _free(f"{preferred}_", taken)


def _merged_box(box_id: str, name: str, boxes: list[Box], repeats: Repeats) -> Box:
    """Merge the boxes into one, keeping only the details they share."""
    first = boxes[0]
    if name == first.name:
        return replace(first, id=box_id)
    details = {tuple(map(repeats.general, box.details)) for box in boxes}
    shared_details = next(iter(details)) if len(details) == 1 else first.details[:1]
    return replace(first, id=box_id, name=f"{name} × {len(boxes)}", details=shared_details)
