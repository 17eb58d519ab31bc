"""Tests that decision records are complete and that their index lists each one by title."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "docs/decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))


def test_index_lists_each_record_once_by_its_title() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^- \[(\d{4})\]\(([^)]+)\): (.+)$", index, re.MULTILINE)
    expected = [(path.name[:4], path.name, path.read_text(encoding="utf-8").splitlines()[0][2:]) for path in RECORDS]
    assert sorted(listed) == expected


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_record_has_its_sections_in_order(record: Path) -> None:
    sections = re.findall(r"^\*\*([A-Z][a-z]+)\b[^*]*\*\*", record.read_text(encoding="utf-8"), re.MULTILINE)
    required = ["Context", "Decision", "Consequences"]
    assert [section for section in sections if section in required] == required
    assert "Choice" not in sections
    assert "Considered" not in sections
