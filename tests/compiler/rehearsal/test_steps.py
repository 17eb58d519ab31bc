"""Tests how the results of a plan step's commands are judged."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from modelyard.migration.planning import planned
from modelyard.migration.sides import MoveRequest, Side, sides_of
from modelyard.portability import Destination
from modelyard.rehearsal.steps import fits, run_step
from modelyard.source import Json
from modelyard.usage import NO_USAGE
from modelyard_targets import TARGETS
from tests.examples import SYSTEMS, Example

LEADS = Example("leads", None, SYSTEMS)
MIRROR = "images.acme.example/mirror"
CRANE = """\
#!/bin/sh
case "$2" in {unreadable}) exit 1 ;; esac
echo sha256:1
"""


@pytest.mark.parametrize(
    ("unreadable", "is_right"), [("none", True), ("docker.io/*", False), (f"{MIRROR}/*", False), ("*", False)]
)
def test_a_digest_that_cannot_be_read_is_not_equal(tmp_path: Path, unreadable: str, is_right: bool) -> None:
    """The comparison fails if the digest of any image cannot be read."""
    crane = tmp_path / "crane"
    crane.write_text(CRANE.format(unreadable=unreadable), encoding="utf-8")
    crane.chmod(0o755)
    patch: dict[str, Json] = {"deployment": {"images": {"registry": MIRROR, "mirror": True}}}
    wish = MoveRequest(("main",), Destination("gcp", "europe-west3"), "gcp", patch)
    sides = sides_of(wish, Side(LEADS.inputs(), LEADS.compiled()), TARGETS)
    plan, _ = planned(sides, (".",), "migration", TARGETS, NO_USAGE)
    (check,) = (
        step for phase in plan.phases for step in phase.check if any("crane" in command for command in step.commands)
    )
    assert not check.commands[-1].startswith("(digest=$(crane digest docker.io/"), "the last line decides by itself"

    with TemporaryFile() as log:
        environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
        ran = run_step(check, tmp_path, environment, log, log.fileno())

    assert fits(check, ran) is is_right
