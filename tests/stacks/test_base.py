"""Tests that all components find files next to the program, and read Kubernetes objects from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

import modelyard_stacks
from modelyard_stacks.base import beside_the_program, read_documents


def test_files_are_found_from_any_working_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    package = Path(next(iter(modelyard_stacks.__path__)))

    assert beside_the_program("manifests", "a.yaml") == package.parent / "manifests" / "a.yaml"


def test_documents_are_read_in_order_without_empty_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("# a comment\n---\nkind: A\n---\n---\nkind: B\n")

    assert [document["kind"] for document in read_documents(path)] == ["A", "B"]


def test_document_that_is_not_an_object_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("kind: A\n---\n- 1\n")

    with pytest.raises(ValueError, match="document 2 is not a Kubernetes object"):
        list(read_documents(path))


def test_python_tags_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("kind: !!python/object/apply:os.getcwd []\n")

    with pytest.raises(Exception, match="could not determine a constructor"):
        list(read_documents(path))
