"""Tests that a tree's record describes it well enough to skip compiling, and is checked before use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelyard.disk import (
    RECORD,
    unchanged,
)
from tests.compiler.disk.written import FILES, Counts, write


def test_equal_trees_have_equal_records(tmp_path: Path) -> None:
    """Records are equal since they contain no time, absolute path or write order."""
    write(tmp_path / "a", FILES)
    write(tmp_path / "b", dict(reversed(FILES.items())))

    assert (tmp_path / "a/prod/main" / RECORD).read_bytes() == (tmp_path / "b/prod/main" / RECORD).read_bytes()


def test_unchanged_compares_key_and_content(tmp_path: Path) -> None:
    """A tree counts as changed if its key differs, it is missing, or a file was edited or deleted.

    The edit preserves the file's length and modification time.
    """
    assert not unchanged(tmp_path, "prod", "main", "k")
    write(tmp_path, FILES)
    readme = tmp_path / "prod/main/README.md"
    status = readme.stat()

    assert unchanged(tmp_path, "prod", "main", "k")
    assert not unchanged(tmp_path, "prod", "main", "k2")
    assert not unchanged(tmp_path, "prod", "other", "k")
    readme.write_text("eno")
    os.utime(readme, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert not unchanged(tmp_path, "prod", "main", "k")
    readme.unlink()
    assert not unchanged(tmp_path, "prod", "main", "k")
    readme.write_text("one")
    (tmp_path / "prod/main/NOTES.md").write_text("mine")
    assert unchanged(tmp_path, "prod", "main", "k")
    os.rename(tmp_path / "prod/main/w", tmp_path / "w")
    (tmp_path / "prod/main/w").symlink_to(tmp_path / "w")
    assert not unchanged(tmp_path, "prod", "main", "k")


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"{}", b'{"key": "k", "files": []}', b'{"key": 1, "files": {}}', b"[" * 100_000, b"\xff"],
    ids=range(8),
)
def test_without_a_valid_record_every_file_is_protected(tmp_path: Path, text: bytes) -> None:
    """Without a valid record, no file counts as ours. Files with equal content are adopted, and all others kept."""
    write(tmp_path, FILES)
    (tmp_path / "prod/main" / RECORD).write_bytes(text)

    assert not unchanged(tmp_path, "prod", "main", "k")
    assert write(tmp_path, {**FILES, "w/b": "B"})[1] == [
        "E0702 modelyard needs to write 'prod/main/w/b', but did not create the existing file"
    ]
    assert write(tmp_path, FILES) == (Counts(0, 4, 0), [])
    assert unchanged(tmp_path, "prod", "main", "k")


def test_a_record_cannot_lead_out_of_the_tree(tmp_path: Path) -> None:
    """An edited record cannot make a run read or remove files elsewhere."""
    write(tmp_path, FILES)
    (tmp_path / "victim").write_text("v")
    record = tmp_path / "prod/main" / RECORD
    record.write_text(record.read_text().replace('"w/b"', '"../../victim"'))
    report, problems = write(tmp_path, {"README.md": "one", "w/b": "b"})

    assert problems == []
    assert report == Counts(0, 2, 2)
    assert (tmp_path / "victim").read_text() == "v"
