"""The infrastructure of the example `hello` on AWS, both emitted and written by hand."""

from __future__ import annotations

from pathlib import Path

from modelyard.emit import emit
from tests.examples import Example

BY_HAND = Path(__file__).with_name("by_hand")


def emitted(root: Path) -> Path:
    """Write the emitted infrastructure project below this folder and return its path."""
    outcome = Example("hello", "aws").compiled()
    (stack,) = outcome.stacks
    for file in emit(stack):
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.render())
    (folder,) = (path.parent for path in root.rglob("Pulumi.yaml") if path.parent.name == "infrastructure")
    return folder
