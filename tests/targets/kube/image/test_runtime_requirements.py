"""The packages that the runtime is tested with are those that its image gets."""

from __future__ import annotations

import json
from pathlib import Path

import modelyard_targets.kube.image
from modelyard_targets.kube.image.packages import closure

REPOSITORY = Path(__file__).parents[4]


def test_both_lists_pin_the_same() -> None:
    """Every package of the tests is one of the image's in the same version; what is only in images is too large."""
    table = json.loads((Path(modelyard_targets.kube.image.__path__[0]) / "requirements.json").read_text())
    images = {
        *table["always"],
        *table["databases"],
        *(line for lines in table["frameworks"].values() for line in lines),
    }
    tested = set((REPOSITORY / "runtime" / "modelyard_runtime" / "requirements.txt").read_text().split())

    assert tested <= images
    assert {line.partition("==")[0] for line in images - tested} == {"torch"}


def test_what_verifies_approvals_is_in_every_image() -> None:
    """MLflow's client brings the library; an image need not have OpenSSH."""
    table = json.loads((Path(modelyard_targets.kube.image.__path__[0]) / "requirements.json").read_text())

    assert "cryptography" in closure("image", table["always"])
