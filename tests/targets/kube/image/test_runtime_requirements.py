"""Tests that the runtime is tested with the packages its image contains."""

from __future__ import annotations

import json
from pathlib import Path

import modelyard_targets.kube.image
from modelyard_targets.kube.image.packages import closure

REPOSITORY = Path(__file__).parents[4]


def test_image_and_tests_pin_the_same_versions() -> None:
    """The image has all packages used by tests, in the same versions, plus PyTorch."""
    table = json.loads((Path(modelyard_targets.kube.image.__path__[0]) / "requirements.json").read_text())
    images = {
        *table["always"],
        *table["databases"],
        *(line for lines in table["frameworks"].values() for line in lines),
        *(line for lines in table["protocols"].values() for line in lines),
    }
    tested = set((REPOSITORY / "runtime" / "modelyard_runtime" / "requirements.txt").read_text().split())

    assert tested <= images
    assert {line.partition("==")[0] for line in images - tested} == {"torch"}


def test_cryptography_is_in_every_image() -> None:
    """Approvals are verified with `cryptography`, because OpenSSH may be missing."""
    table = json.loads((Path(modelyard_targets.kube.image.__path__[0]) / "requirements.json").read_text())

    assert "cryptography" in closure("image", table["always"])
