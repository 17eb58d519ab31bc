"""Tests that a local run rejects a state folder it can't write to."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from modelyard_runtime.local.state import State
from modelyard_runtime.refusals import Refusal


class Usage(NamedTuple):
    """A disk's usage, with sizes in bytes."""

    total: int
    used: int
    free: int


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Refusal, match=r"cannot write to .*file/state: Not a directory"):
        State.at(tmp_path / "file" / "state")


def test_a_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nearly_full(path: Path) -> Usage:
        return Usage(10**12, 10**12, 3 * 10**6)

    monkeypatch.setattr(shutil, "disk_usage", nearly_full)

    with pytest.raises(Refusal, match="has 3 MB left; a run needs 500 MB"):
        State.at(tmp_path / "state")
