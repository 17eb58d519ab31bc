"""Uses the files of a language model or adapter to check that it fits a replica before anything is loaded.

Otherwise, the kernel would kill the replica while it loads the weights or, worse, under load.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from modelyard_runtime.capabilities import highest_rank
from modelyard_runtime.models.adapters import check_files, rank_of
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.records import Generation

_LIMITS: Final = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_ACCEPTED: Final = 2
"""How many times `concurrency` texts a replica accepts."""

_WIDTHS: Final = {"float32": 4, "float16": 2, "bfloat16": 2}
_SMALLER_CACHES: Final = frozenset({"kv_lora_rank", "sliding_window", "layer_types", "attn_layer_period", "ssm_cfg"})
"""Settings of models whose cache is smaller than one key and value for each token, head and layer."""


def configuration_of(folder: Path) -> Mapping[str, Any]:
    """Return the configuration of a model's text component."""
    try:
        whole = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        raise Refusal(f"the model's config.json cannot be read: {problem}") from None
    text = whole.get("text_config", whole) if isinstance(whole, dict) else {}
    return text if isinstance(text, dict) else {}


def check_memory(
    folder: Path, generation: Generation, versions: int, batches: int = 1, limit: int | None = None
) -> None:
    """Refuse a model that needs more memory than this replica has.

    `versions` is the number of versions in memory at the same time, since the previous one finishes its texts alongside
    the new one. `batches` is the number of adapters and models that each have a batch of `concurrency` texts. Serve
    sends a replica no more texts than fit into two batches, unless `scaling.target` is set higher, which the compiler
    reports.
    """
    available = memory_limit() if limit is None else limit
    texts = min(versions * batches, _ACCEPTED) * generation.concurrency
    weights, cache = versions * weight_bytes(folder), texts * cache_bytes(configuration_of(folder), generation)
    if weights + cache <= available:
        return
    twice = ", twice because a new version is loaded before the old one goes" if versions > 1 else ""
    held = f" and {_gib(cache)} for {texts} texts of the whole context" if cache else ""
    raise Refusal(
        f"the model needs {_gib(weights)} for its weights{twice}{held}, but the replica has {_gib(available)}; "
        f"raise the memory of its compute class{', or lower generation.contextLength or concurrency' if cache else ''}"
    )


def check_heads(folder: Path, gpus: int) -> None:
    """Refuse a number of GPUs that vLLM can't distribute the attention heads across."""
    heads = _integer(configuration_of(folder), "num_attention_heads")
    if heads and heads % gpus:
        possible = [str(number) for number in range(1, heads + 1) if heads % number == 0]
        raise Refusal(
            f"the model has {heads} attention heads, which {gpus} GPUs cannot share equally; "
            f"use a compute class with {', '.join(possible[:-1])} or {possible[-1]} GPUs"
        )


def check_adapter(folder: Path, accelerators: int) -> None:
    """Refuse adapters that no engine can use, or whose rank exceeds the memory reserved by vLLM.

    All requests to such an adapter would fail. `accelerators` is the number of GPUs of a replica. Without GPUs, an
    adapter may have any rank.
    """
    check_files(folder)
    if accelerators and (rank := rank_of(folder)) > highest_rank():
        raise Refusal(f"the adapter has rank {rank}, but at most {highest_rank()} is supported on accelerators")


def weight_bytes(folder: Path) -> int:
    """Return the total size of all tensors in the safetensors files in a folder."""
    return sum(map(_tensor_bytes, sorted(folder.glob("*.safetensors"))))


def _tensor_bytes(path: Path) -> int:
    """Return the size of the data following a file's header.

    Source: https://github.com/huggingface/safetensors#format.
    """
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
    return max(0, path.stat().st_size - 8 - header)


def cache_bytes(configuration: Mapping[str, Any], generation: Generation) -> int:
    """Return the key-value cache size of one full-length text, or 0 for models with a different cache."""
    if any(configuration.get(name) for name in _SMALLER_CACHES):
        return 0
    heads = _integer(configuration, "num_attention_heads")
    head_size = _integer(configuration, "head_dim") or _integer(configuration, "hidden_size") // max(heads, 1)
    key_heads = _integer(configuration, "num_key_value_heads") or heads
    width = _WIDTHS.get(str(configuration.get("dtype") or configuration.get("torch_dtype")), 2)
    per_token = 2 * width * _integer(configuration, "num_hidden_layers") * key_heads * head_size
    context = generation.context_length or _integer(configuration, "max_position_embeddings")
    return per_token * context


def memory_limit() -> int:
    """Return the memory in bytes that is available to this container or machine."""
    limit = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in _LIMITS:
        with suppress(OSError, ValueError):  # `max` means that there is none
            limit = min(limit, int(Path(path).read_text(encoding="ascii")))
    return limit


def _integer(configuration: Mapping[str, Any], name: str) -> int:
    value = configuration.get(name)
    return value if isinstance(value, int) and value > 0 else 0


def _gib(size: int) -> str:
    return f"{size / 1024**3:.1f} GiB"
