"""Tests that the complete output of every example equals the golden files.

Copies of the component library and the runtime are compared with the originals rather than stored. The hash in the
runtime image's name is fixed because it depends on the runtime's source.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import modelyard_runtime
import modelyard_stacks
from modelyard.emit import stack_files
from modelyard_targets.kube.image import runtime_image
from tests.examples import Example, golden_examples, no_hash, of_sites

GOLDEN = Path(__file__).parents[1] / "golden"
COPIES = {
    "modelyard_stacks": Path(next(iter(modelyard_stacks.__path__))),
    "modelyard_runtime": Path(next(iter(modelyard_runtime.__path__))),
}


@pytest.fixture(autouse=True)
def fixed_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fix the image hash. Otherwise, every runtime change would change all manifests."""
    monkeypatch.setattr(runtime_image, "content_hash", no_hash)


@pytest.mark.parametrize("example", [*golden_examples(), of_sites()], ids=str)
def test_output_equals_the_golden_files(example: Example, accept: bool) -> None:
    """All files of the example's targets equal the golden files, with none missing and none extra."""
    outcome = example.compiled()
    assert not outcome.failed
    for stack in outcome.stacks:
        folder = GOLDEN / str(example) / stack.target
        rendered: dict[str, str] = {}
        for file in stack_files(stack):
            if not _copied(file.path, file.render()):
                rendered[file.path] = file.render().decode()
        if accept:
            _write(folder, rendered)

        assert rendered == _read(folder)


def _copied(path: str, content: bytes) -> bool:
    """Return whether a file is a copy, and assert that it matches the original."""
    for package, folder in COPIES.items():
        _, inside, rest = path.partition(f"{package}/")
        if inside:
            assert content == (folder / rest).read_bytes()
            return True
    return False


def _write(folder: Path, found: dict[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in found.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def _read(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}
