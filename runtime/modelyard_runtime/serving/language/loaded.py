"""A loaded version of a language model."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from modelyard_runtime.models.bases import Base, base_files
from modelyard_runtime.models.loading import expected_digest
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.formats import ADAPTER, FORMAT_TAG, SAFETENSORS
from modelyard_runtime.serving.language.engine import Adapted, Engine
from modelyard_runtime.serving.language.fitting import check_adapter, check_heads, check_memory
from modelyard_runtime.serving.language.mlx_engine import MlxEngine
from modelyard_runtime.serving.selection import Origin, Selected
from modelyard_runtime.workload.records import Generation, ServerWorkload


@dataclass(frozen=True, slots=True)
class Loaded:
    """One version with its engine, and the base model whose weights it uses."""

    engine: Engine
    origin: Origin
    uri: str
    base: Base
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def version(self) -> str:
        """Return the number of the version, with the name of a named adapter."""
        return self.origin.version


def load(workload: ServerWorkload, selected: Selected, generation: Generation, adapters: int = 0) -> Loaded:
    """Verify and load a version's files. Only weights and JSON are loaded, never code from the files.

    `adapters` is the number of named adapters that will be added to the engine.
    """
    model, version = selected.model, selected.version
    kind, digest = version.tags.get(FORMAT_TAG, ""), expected_digest(workload, model, version)
    if kind == ADAPTER:
        return _with_base(selected, digest, generation, adapters)
    if kind != SAFETENSORS:
        raise Refusal(
            f"version {version.version} of {version.name} has the format {kind or 'unknown'}, not safetensors"
        )
    folder = registry.fetch(version, digest)
    try:
        engine = _engine(folder, generation, adapters, adapters + 1, follows=not model.version)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # everything is in memory, and the disk of a Pod is small
    return Loaded(engine, selected.origin, version.uri, Base(version.name, version.version, digest))


def _with_base(selected: Selected, digest: str, generation: Generation, adapters: int) -> Loaded:
    """Load an adapter together with the base model it was trained on, accepting no other base model."""
    version, follows = selected.version, not selected.model.version
    files = registry.fetch(version, digest)
    try:
        base = Base.read(files)
        check_adapter(files, generation.accelerators)
        with base_files(base) as folder:
            engine = _engine(folder, generation, adapters + 1, adapters + 1, follows=follows)
        try:
            engine.add_adapter(version.uri, files)
        except BaseException:
            engine.close()  # it would keep the weights in memory, once for each attempt
            raise
    finally:
        shutil.rmtree(files, ignore_errors=True)
    return Loaded(Adapted(engine, version.uri), selected.origin, version.uri, base)


def _engine(folder: Path, generation: Generation, adapters: int, batches: int, *, follows: bool) -> Engine:
    """Return vLLM on this replica's GPUs, or mlx-lm without GPUs, after refusing models that don't fit.

    On CPUs, a replica that follows an alias loads the next version while the previous one is still in use.
    """
    if not generation.accelerators:
        check_memory(folder, generation, 2 if follows else 1, batches)
        return MlxEngine(folder, generation.concurrency, generation.context_length)
    from modelyard_runtime.serving.language.vllm_engine import VllmEngine

    check_heads(folder, generation.accelerators)
    return VllmEngine(folder, generation.concurrency, generation.context_length, generation.accelerators, adapters)
