"""Code shared by the components of all providers: files next to the program, objects in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

import modelyard_stacks
from modelyard_stacks.base import beside_the_program, read_documents


def test_a_program_finds_its_files_wherever_it_is_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    package = Path(next(iter(modelyard_stacks.__path__)))

    assert beside_the_program("manifests", "a.yaml") == package.parent / "manifests" / "a.yaml"


def test_documents_come_in_order_and_empty_ones_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("# a comment\n---\nkind: A\n---\n---\nkind: B\n")

    assert [document["kind"] for document in read_documents(path)] == ["A", "B"]


def test_what_is_no_object_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("kind: A\n---\n- 1\n")

    with pytest.raises(ValueError, match="document 2 is not a Kubernetes object"):
        list(read_documents(path))


def test_no_tag_makes_python_do_anything(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("kind: !!python/object/apply:os.getcwd []\n")

    with pytest.raises(Exception, match="could not determine a constructor"):
        list(read_documents(path))
