"""Compile a local copy of a system. `modelyard run --sample` runs the copy if the system is elsewhere."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from modelyard.cli.console import report, say
from modelyard.diagnostics import Diagnostic, has_errors
from modelyard.diagnostics.emit import cannot_write
from modelyard.disk import Tree, write_file_atomically, write_trees
from modelyard.inputs import InputFile, Inputs
from modelyard.lock import digest
from modelyard.source import Document, Json

ENDING: Final = ".sample"
"""The suffix in the name of a copy's folder, after the environment's name. Environment names cannot contain a dot."""

_WIDTH: Final = 28
_HEAD: Final = (
    "# A copy for this machine, with generated data. Change the original spec: the next run writes this file again.\n"
)


def compiled_copy(
    inputs: Inputs, document: Document, folder: Path, colour: str, state: Path | None = None
) -> Path | None:
    """Write the copy and its compiled output to a folder. Returns the compiled folder, or None after errors.

    `state` is the folder where the copy will keep its stores. Stand-ins for language models are written there; if it is
    None, none are written because the stores are filled in another way.
    """
    from modelyard.emit import stack_files
    from modelyard.local_copy import copy_of
    from modelyard.pipeline import compile_system
    from modelyard.writers.yaml_text import document as yaml_text
    from modelyard_targets import TARGETS

    copied = copy_of(document.value, lambda entrypoint: _is_here(entrypoint, Path(inputs.spec.path).parent))
    spec = InputFile(str(folder / "system.yaml"), _HEAD + yaml_text(copied.spec))
    outcome = compile_system(Inputs(spec), TARGETS)
    errors = tuple(diagnostic for diagnostic in outcome.diagnostics if has_errors((diagnostic,)))
    if not errors:
        key = digest(spec.content)
        trees = [Tree("build", stack.target, stack_files(stack), key) for stack in outcome.stacks]
        errors = _written(folder, spec, trees)
    if not errors and state is not None:
        errors = _with_models(copied.spec, folder / "build" / outcome.stacks[0].target, state)
    if errors:
        report(errors, Inputs(spec).files(), "text", colour)
        return None
    say(f"{folder}: a copy of this system for this machine, with generated data where files are missing")
    for note in copied.notes:
        say(f"{note.address:{_WIDTH}} {note.text}")
    return folder / "build" / outcome.stacks[0].target


def _written(folder: Path, spec: InputFile, trees: list[Tree]) -> tuple[Diagnostic, ...]:
    _, problems = write_trees(folder, trees, force=True)
    if has_errors(problems):
        return problems
    content = spec.content if isinstance(spec.content, bytes) else spec.content.encode()
    return write_file_atomically(folder / "system.yaml", content)


def _with_models(spec: dict[str, Json], compiled: Path, state: Path) -> tuple[Diagnostic, ...]:
    """Write the stand-ins for language models to the folders that replace the copy's buckets."""
    from modelyard.local_copy import stand_ins

    buckets = json.loads((compiled / "plan.json").read_text(encoding="utf-8"))["stores"]
    for model in stand_ins(spec):
        folder = state / "stores" / str(buckets[model.store]).removeprefix("file://").strip("/") / model.path
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            return (cannot_write(str(folder), problem, is_output=False),)
        for name, content in model.files.items():
            if errors := write_file_atomically(folder / name, content):
                return errors
    return ()


def _is_here(entrypoint: str, folder: Path) -> bool:
    """Return whether an entrypoint's module is next to the spec, where the runtime imports it from."""
    module = entrypoint.partition(":")[0]
    path = folder.joinpath(*module.split("."))
    return bool(module) and (os.path.isfile(f"{path}.py") or os.path.isfile(path / "__init__.py"))
