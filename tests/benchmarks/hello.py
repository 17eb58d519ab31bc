"""The infrastructure of the `hello` example on each cloud, both emitted and written by hand.

The example has an environment for AWS. For the other clouds, only the provider and region are changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from modelyard.emit import emit
from modelyard.pipeline import InputFile, Inputs, compile_system
from modelyard_targets import TARGETS
from tests.examples import Example
from tests.narrowing import present

REGIONS: Mapping[str, str] = {"aws": "eu-central-1", "gcp": "europe-west3", "azure": "germanywestcentral"}
_BY_HAND = Path(__file__).with_name("by_hand")


def by_hand(cloud: str) -> Path:
    """Return the folder of the handwritten program for the given cloud."""
    return _BY_HAND / cloud


def emitted(root: Path, cloud: str = "aws") -> Path:
    """Write the infrastructure project emitted for the given cloud to a folder in `root`, and return its path."""
    outcome = compile_system(_on(cloud), TARGETS)
    (stack,) = outcome.stacks
    for file in emit(stack):
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.render())
    (folder,) = (path.parent for path in root.rglob("Pulumi.yaml") if path.parent.name == "infrastructure")
    return folder


def _on(cloud: str) -> Inputs:
    inputs = Example("hello", "aws").inputs()
    aws = present(inputs.overlay)
    text = aws.content.decode() if isinstance(aws.content, bytes) else aws.content
    text = text.replace("provider: aws", f"provider: {cloud}").replace(REGIONS["aws"], REGIONS[cloud])
    return replace(inputs, environment=cloud, overlay=InputFile(f"environments/{cloud}.yaml", text))
