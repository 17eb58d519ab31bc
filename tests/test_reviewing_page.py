"""Tests that docs/reviewing.md shows the output of its commands."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.reference_pages import DOCS
from tests.transcripts import played


def test_the_page_shows_what_its_commands_print(tmp_path: Path, accept: bool) -> None:
    """The page's commands run in a folder that contains the example."""
    shutil.copytree(DOCS.parent / "examples" / "fraud-detection", tmp_path / "fraud-detection")
    page = DOCS / "reviewing.md"
    updated = played(page.read_text(encoding="utf-8"), tmp_path)
    if accept:
        page.write_text(updated, encoding="utf-8")

    assert updated == page.read_text(encoding="utf-8")
