"""Tests that a model too large for the replica's memory is refused before it is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.serving.language import fitting
from modelyard_runtime.workload.records import Generation

GIB = 1024**3
LLAMA: dict[str, Any] = {
    "num_attention_heads": 24,
    "num_key_value_heads": 8,
    "num_hidden_layers": 28,
    "hidden_size": 3072,
    "head_dim": 128,
    "max_position_embeddings": 131072,
    "torch_dtype": "bfloat16",
}
"""The dimensions of Llama 3.2 3B, whose key-value cache takes 112 KiB for each token."""


def folder_of(folder: Path, configuration: dict[str, Any], size: int) -> Path:
    """Write a model whose weights have the given size but take up no disk space."""
    (folder / "config.json").write_text(json.dumps(configuration))
    header = b'{"w":{}}'
    for part in ("model-1.safetensors", "model-2.safetensors"):
        with (folder / part).open("wb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            file.truncate(8 + len(header) + size // 2)
    return folder


def generation(**fields: Any) -> Generation:
    settings: dict[str, Any] = {"max_tokens": 256, "concurrency": 8, "context_length": 4096, **fields}
    return Generation(model="assistant", **settings)


def test_weights_and_cache_are_counted_exactly(tmp_path: Path) -> None:
    """At 112 KiB per token, the cache for eight texts of 4096 tokens takes 3.5 GiB per version."""
    folder = folder_of(tmp_path, LLAMA, 6 * GIB)

    assert fitting.weight_bytes(folder) == 6 * GIB
    assert fitting.cache_bytes(LLAMA, generation()) == 4096 * 112 * 1024
    fitting.check_memory(folder, generation(), versions=2, limit=19 * GIB)
    fitting.check_memory(folder, generation(), versions=1, limit=10 * GIB)
    with pytest.raises(
        Refusal, match=r"12\.0 GiB for its weights, twice .* and 7\.0 GiB for 16 texts .* has 18\.0 GiB"
    ):
        fitting.check_memory(folder, generation(), versions=2, limit=18 * GIB)


def test_adapters_count_as_batches_of_their_own(tmp_path: Path) -> None:
    """Each adapter has its own batch, but a replica accepts only twice as many texts as fit into one batch."""
    folder = folder_of(tmp_path, LLAMA, 6 * GIB)

    fitting.check_memory(folder, generation(), versions=1, batches=2, limit=13 * GIB)
    fitting.check_memory(folder, generation(), versions=1, batches=9, limit=13 * GIB)
    with pytest.raises(Refusal, match=r"and 7\.0 GiB for 16 texts"):
        fitting.check_memory(folder, generation(), versions=1, batches=2, limit=12 * GIB)


def test_context_of_the_model_counts_without_a_limit(tmp_path: Path) -> None:
    """Without a configured limit, the server accepts prompts of 131,072 tokens, for which the cache must fit."""
    folder = folder_of(tmp_path, {"text_config": LLAMA}, 6 * GIB)

    with pytest.raises(Refusal, match=r"and 112\.0 GiB for 8 texts .* lower generation\.contextLength"):
        fitting.check_memory(folder, generation(context_length=None), versions=1, limit=64 * GIB)


def test_only_weights_count_for_models_with_another_cache(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {**LLAMA, "sliding_window": 1024}, 6 * GIB)

    fitting.check_memory(folder, generation(context_length=None), versions=1, limit=7 * GIB)
    with pytest.raises(Refusal, match=r"needs 6\.0 GiB for its weights, but the replica has 5\.0 GiB; raise .*class$"):
        fitting.check_memory(folder, generation(), versions=1, limit=5 * GIB)


def test_limit_is_that_of_the_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Pod's memory limit counts, not its machine's memory, all of which is usable without a limit."""
    limited, unlimited = tmp_path / "memory.max", tmp_path / "unlimited"
    limited.write_text("123456789\n")
    unlimited.write_text("max\n")
    monkeypatch.setattr(fitting, "_LIMITS", (str(limited), str(tmp_path / "absent")))
    assert fitting.memory_limit() == 123456789
    monkeypatch.setattr(fitting, "_LIMITS", (str(unlimited),))
    assert fitting.memory_limit() > 123456789


@pytest.mark.parametrize("gpus", [1, 2, 3, 8, 24])
def test_heads_that_gpus_share_equally(gpus: int, tmp_path: Path) -> None:
    fitting.check_heads(folder_of(tmp_path, LLAMA, 2), gpus)


def test_gpus_that_cannot_share_the_heads(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"24 attention heads, which 5 GPUs .* with 1, 2, 3, 4, 6, 8, 12 or 24 GPUs"):
        fitting.check_heads(folder_of(tmp_path, LLAMA, 2), 5)
