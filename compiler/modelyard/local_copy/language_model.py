"""Create a small stand-in for an imported language model, whose files aren't fetched for a copy.

Like the original, it is a folder in Hugging Face's format, so it is imported, promoted, fine-tuned and served in the
same way. Its weights are random and depend only on where its files are stored. Its texts are meaningless, but equal
requests get equal texts.
"""

from __future__ import annotations

import hashlib
import json
import random
import struct
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

_WIDTH: Final = 32
_HEADS: Final = 2
_HEAD_WIDTH: Final = 16
_INNER: Final = 64
_SPREAD: Final = 3.0
"""Larger weights than those of a new model, so that the likeliest token is never close to the second."""

_SPECIAL: Final = ("<s>", "</s>", "<unk>")
_CHARACTERS: Final = ("\n", *map(chr, range(32, 127)))
_TOKENS: Final = (*_SPECIAL, *_CHARACTERS)
_TEMPLATE: Final = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}assistant:"
)

_CONFIGURATION: Final[Mapping[str, object]] = {
    "architectures": ["LlamaForCausalLM"],
    "bos_token_id": 0,
    "eos_token_id": 1,
    "head_dim": _HEAD_WIDTH,
    "hidden_size": _WIDTH,
    "intermediate_size": _INNER,
    "max_position_embeddings": 8192,
    "model_type": "llama",
    "num_attention_heads": _HEADS,
    "num_hidden_layers": 1,
    "num_key_value_heads": 1,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "float32",
    "vocab_size": len(_TOKENS),
}

_Shape: TypeAlias = tuple[int, ...]


def files_of(seed: str) -> Mapping[str, bytes]:
    """Return the files of a model. Models with different seeds generate different texts."""
    return {
        "config.json": _json(_CONFIGURATION),
        "model.safetensors": _weights(random.Random(seed)),
        "tokenizer.json": _json(_tokenizer()),
        "tokenizer_config.json": _json(_tokenizer_settings()),
    }


def digest_of(files: Mapping[str, bytes]) -> str:
    """Return the digest for importing these files, as computed by `python -m modelyard_runtime digest`."""
    total = hashlib.sha256()
    for name, content in sorted(files.items()):
        path = name.encode()
        total.update(len(path).to_bytes(8, "big") + path + len(content).to_bytes(8, "big") + content)
    return f"sha256:{total.hexdigest()}"


def _tokenizer() -> Mapping[str, object]:
    """Return a tokenizer with a token for each printable character of ASCII."""
    added = [
        {
            "id": number,
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for number, token in enumerate(_SPECIAL)
    ]
    model: Mapping[str, object] = {
        "type": "BPE",
        "dropout": None,
        "unk_token": "<unk>",
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        "vocab": {token: number for number, token in enumerate(_TOKENS)},
        "merges": [],
    }
    empty = dict.fromkeys(("truncation", "padding", "normalizer", "pre_tokenizer", "post_processor"))
    return {"version": "1.0", **empty, "added_tokens": added, "decoder": {"type": "Fuse"}, "model": model}


def _tokenizer_settings() -> Mapping[str, object]:
    return {
        "bos_token": "<s>",
        "chat_template": _TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": "</s>",
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": "<unk>",
    }


def _shapes() -> Iterator[tuple[str, _Shape]]:
    """Yield the name and shape of each tensor, as in Hugging Face's implementation of Llama."""
    yield "model.embed_tokens.weight", (len(_TOKENS), _WIDTH)
    layer, heads = "model.layers.0", _HEADS * _HEAD_WIDTH
    yield f"{layer}.self_attn.q_proj.weight", (heads, _WIDTH)
    yield f"{layer}.self_attn.k_proj.weight", (_HEAD_WIDTH, _WIDTH)
    yield f"{layer}.self_attn.v_proj.weight", (_HEAD_WIDTH, _WIDTH)
    yield f"{layer}.self_attn.o_proj.weight", (_WIDTH, heads)
    yield f"{layer}.mlp.gate_proj.weight", (_INNER, _WIDTH)
    yield f"{layer}.mlp.up_proj.weight", (_INNER, _WIDTH)
    yield f"{layer}.mlp.down_proj.weight", (_WIDTH, _INNER)
    yield f"{layer}.input_layernorm.weight", (_WIDTH,)
    yield f"{layer}.post_attention_layernorm.weight", (_WIDTH,)
    yield "model.norm.weight", (_WIDTH,)
    yield "lm_head.weight", (len(_TOKENS), _WIDTH)


def _weights(chance: random.Random) -> bytes:
    """Return random weights in safetensors format (https://github.com/huggingface/safetensors#format)."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    content = b""
    for name, shape in _shapes():
        numbers = _numbers(name, shape, chance)
        data = struct.pack(f"<{len(numbers)}f", *numbers)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(content), len(content) + len(data)]}
        content += data
    head = json.dumps(header, separators=(",", ":")).encode()
    return len(head).to_bytes(8, "little") + head + content


def _numbers(name: str, shape: _Shape, chance: random.Random) -> list[float]:
    """Return the numbers of one tensor. Norms scale by a constant, and special tokens are never the likeliest."""
    if len(shape) == 1:
        return [_SPREAD] * shape[0]
    rows, columns = shape
    most = _SPREAD if "embed" in name else _SPREAD / columns**0.5
    numbers = [most * (2 * chance.random() - 1) for _ in range(rows * columns)]
    if name.startswith("lm_head"):
        numbers[: len(_SPECIAL) * columns] = [0.0] * (len(_SPECIAL) * columns)
    return numbers


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode()
