"""Imports a language model into a registry, describes a server for it, and writes adapters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from modelyard_runtime.models.bases import Base
from modelyard_runtime.promotion.imports import import_model
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.lineage import content_digest
from modelyard_runtime.workload.records import Workload
from tests.runtime.described import BEGINNING, look_of, record

NAME, TOKEN, MOST = "support-chat", "a-token", 64
MODEL = {"name": "chat", "registeredName": NAME, "task": "text-generation", "framework": "transformers"}
HELLO: list[Any] = [{"role": "user", "content": "hello"}]


def imported(folder: Path, files: Path) -> None:
    """Import the files as a version of the model, and move the alias to it."""
    source = {"uri": f"file://{files}", "store": "lake", "digest": content_digest(files)}
    promotion = {"model": {**MODEL, "experiment": "support/chat"}, "promoteTo": "champion", "import": source}
    described = {"registry": {"uri": f"sqlite:///{folder}/registry.db"}, "imports": {"chat": promotion}}
    registry.connect(record(Workload, described))
    import_model(look_of({**described, "pipeline": promotion, "trainedBy": "models.chat"}))
    newest = max(registry.versions(NAME), key=lambda version: int(version.version))
    registry.set_alias(NAME, "champion", newest.version)


def described(folder: Path) -> dict[str, Any]:
    """Return the description of a language-model server."""
    application = {
        "variant": "live",
        "model": {**MODEL, "uri": f"models:/{NAME}@champion", "alias": "champion"},
        "timeoutSeconds": 60,
        "auth": {"type": "bearer-token", "tokenFiles": {"default": f"{folder}/token"}},
        "generation": {"model": "assistant", "maxTokens": MOST, "concurrency": 4},
    }
    registry_uri = f"sqlite:///{folder}/registry.db"
    return {
        **BEGINNING,
        "type": "server",
        "registry": {"uri": registry_uri},
        "applications": {"assistant-live": application},
    }


def adapter_files(folder: Path, rank: int = 4, layer: str = "base_model.model.layer", **configuration: Any) -> Path:
    """Write a single-layer adapter with eight inputs and outputs, trained on version 1 of the model."""
    folder.mkdir(parents=True, exist_ok=True)
    matrices = {
        f"{layer}.lora_A.weight": np.zeros((rank, 8), np.float32),
        f"{layer}.lora_B.weight": np.zeros((8, rank), np.float32),
    }
    save_file(matrices, folder / "adapter_model.safetensors")
    settings = {"peft_type": "LORA", "r": rank, "lora_alpha": 16, **configuration}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    Base(NAME, "1", "sha256:base").write(folder)
    return folder
