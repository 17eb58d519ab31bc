"""Tests that the importer accepts the files of the small models that stand in for language models."""

from __future__ import annotations

import json
from pathlib import Path

from modelyard.local_copy.language_model import digest_of, files_of
from modelyard_runtime.registry.language_files import problem_of
from modelyard_runtime.registry.lineage import content_digest
from modelyard_runtime.serving.language.fitting import weight_bytes


def test_the_importer_accepts_the_files(tmp_path: Path) -> None:
    """The digest in the copy's spec is the one computed by the promoter, and nothing in the folder is code."""
    files = files_of("lake/chat/1")
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)

    assert content_digest(tmp_path) == digest_of(files)
    assert problem_of(tmp_path) == ""
    assert 0 < weight_bytes(tmp_path) < 100_000


def test_models_depend_only_on_the_place_of_their_files() -> None:
    """Both sides of a rehearsal import the same files, and different models generate different texts."""
    assert digest_of(files_of("lake/chat/1")) == digest_of(files_of("lake/chat/1"))
    assert digest_of(files_of("lake/chat/1")) != digest_of(files_of("lake/chat/2"))


def test_every_tensor_is_complete() -> None:
    """The tensors' bytes match their shapes and are contiguous up to the end of the file."""
    content = files_of("lake/chat/1")["model.safetensors"]
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    end = 0
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        size = 4
        for dimension in tensor["shape"]:
            size *= dimension
        assert tensor["data_offsets"] == [end, end + size]
        end += size

    assert end == len(content) - 8 - length
