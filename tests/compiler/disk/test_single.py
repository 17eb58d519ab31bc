"""Tests that writing a single file, such as the lock, is atomic."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from modelyard.disk import (
    write_file_atomically,
)
from tests.compiler.disk.written import everything


def test_a_single_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    """Equal files aren't touched, links aren't followed, and temporary files of crashed runs are removed."""
    path = tmp_path / "modelyard.lock"
    assert write_file_atomically(path, b"one") == ()
    before = everything(tmp_path)
    assert write_file_atomically(path, b"one") == ()
    assert everything(tmp_path) == before
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f".modelyard.lock.{dead.pid}-0123abcd").write_text("half")
    (tmp_path / f".modelyard.lock.{os.getpid()}-0123abcd").write_text("alive")
    assert write_file_atomically(path, b"two") == ()
    assert path.read_bytes() == b"two"
    assert sorted(item.name for item in tmp_path.iterdir()) == [
        f".modelyard.lock.{os.getpid()}-0123abcd",
        "modelyard.lock",
    ]
    path.unlink()
    path.symlink_to("elsewhere")
    assert [item.code for item in write_file_atomically(path, b"x")] == ["E0704"]
    assert not (tmp_path / "elsewhere").exists()
    assert [item.code for item in write_file_atomically(tmp_path, b"x")] == ["E0703"]
    assert [item.code for item in write_file_atomically(tmp_path / "none/x", b"x")] == ["E0707"]
