"""Tests the commands that pack a bundle into a file and unpack it into another bundle folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard_runtime.__main__ import main
from modelyard_runtime.bundles.bundle import pointer_to
from modelyard_runtime.bundles.store import usable_bundle
from tests.runtime.bundles import delivered


def test_bundle_is_carried_between_folders_as_one_file(tmp_path: Path) -> None:
    bundle = delivered(tmp_path / "store")
    file, disk = tmp_path / "stick.tar", tmp_path / "disk"

    assert main(["bundle", "pack", str(tmp_path / "store"), str(file)]) == 0
    content = file.read_bytes()
    assert main(["bundle", "pack", f"file://{tmp_path}/store", str(file)]) == 0
    assert file.read_bytes() == content
    assert main(["bundle", "unpack", str(file), str(disk)]) == 0
    assert usable_bundle(disk) == (pointer_to(bundle), disk / "versions" / bundle.folder)


def test_unusable_input_is_refused_with_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For unusable input, the command prints a reason and leaves no file behind."""
    (tmp_path / "bad.tar").write_bytes(b"no tar")
    for arguments in (
        ["pack", str(tmp_path / "empty"), str(tmp_path / "out.tar")],
        ["unpack", str(tmp_path / "bad.tar"), str(tmp_path / "disk")],
        ["unpack", str(tmp_path / "absent.tar"), str(tmp_path / "disk")],
    ):
        assert main(["bundle", *arguments]) == 1
        assert capsys.readouterr().err.splitlines()[-1].startswith("refused: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.tar"]
