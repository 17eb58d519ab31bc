"""The files of language models, which are folders in Hugging Face's format."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FRAMEWORK: Final = "transformers"
"""The framework of language models in a spec."""

CONFIGURATION: Final = "config.json"

ADAPTER_CONFIGURATION: Final = "adapter_config.json"
ADAPTER_WEIGHTS: Final = "adapter_model.safetensors"
"""The files of an adapter, as Hugging Face's PEFT names them."""

BASE_FILE: Final = "base.json"
"""The file in which an adapter records the version of its base model."""

_TOKENIZERS: Final = ("tokenizer.json", "tokenizer.model")
_WEIGHTS: Final = "model*.safetensors"
"""The names that engines look for."""

_ALLOWED: Final = frozenset({"", ".jinja", ".json", ".md", ".model", ".safetensors", ".txt"})
"""Suffixes of weights, tokenizers, settings and notes. Other files may run code when they are loaded, or are code."""


def problem_of(files: Path) -> str:
    """Return why a folder doesn't contain a servable language model, or "" if it does."""
    if not (files / CONFIGURATION).is_file():
        return f"there is no file {CONFIGURATION}"
    if not any((files / name).is_file() for name in _TOKENIZERS):
        return f"there is no tokenizer: {' or '.join(_TOKENIZERS)}"
    if not any(files.glob(_WEIGHTS)):
        return f"there are no weights in the format safetensors: {_WEIGHTS}"
    disallowed = (file for file in files.rglob("*") if file.is_file() and file.suffix.lower() not in _ALLOWED)
    code = sorted(file.relative_to(files).as_posix() for file in disallowed)
    return f"{code[0]} may run code when it is loaded; import only weights in safetensors" if code else ""
