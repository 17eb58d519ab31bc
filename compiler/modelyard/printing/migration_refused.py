"""Print why a system can't move yet: the parts of the spec without an equivalent, each with a hint."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.migration.sides import Sides
from modelyard.portability import Refusal
from modelyard.printing.portability import refusal_lines
from modelyard.printing.terminal import visible


def refused_text(sides: Sides, refusals: Sequence[Refusal]) -> str:
    """Describe the parts of the spec without an equivalent on the new side, and what to do about them."""
    parts = len({refusal.part for refusal in refusals})
    subject = "1 part has" if parts == 1 else f"{parts} parts have"
    lines = [f"{sides.old.name} as {sides.request.name}: {subject} no equivalent"]
    lines += [line for refusal in refusals for line in refusal_lines(refusal)]
    lines += ["nothing was written: put changes to the new side in an overlay, and pass it with --overlay FILE"]
    return "\n".join(visible(line) for line in lines) + "\n"
