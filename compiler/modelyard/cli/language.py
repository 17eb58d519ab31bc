"""Connect the language server to the compiler: `validate` provides diagnostics, `explain` descriptions."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import Final, cast

import modelyard_schemas
from modelyard.cli.addresses import explain_address
from modelyard.cli.explain import SECTIONS_WITH_ADDRESSES
from modelyard.cli.inputs import SPEC_NAMES, gather, spec_path, tables_of
from modelyard.cli.validate import judged
from modelyard.diagnostics import Diagnostic, in_order
from modelyard.editor.server import Knowledge
from modelyard.editor.texts import environment_of
from modelyard.inputs import InputFile, Inputs
from modelyard.load import load
from modelyard.pipeline import understand
from modelyard.printing.fields import field, field_lines
from modelyard.records import replace
from modelyard.shape import Schema
from modelyard.validate import system_fits
from modelyard_targets import TARGETS


def _judge(spec: str, texts: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics that `validate` would report for the text in the editor."""
    inputs, problems = _inputs(spec, texts)
    if inputs is None:
        return problems
    return in_order((*problems, *judged(inputs).diagnostics))


def _inputs(spec: str, texts: Mapping[str, str]) -> tuple[Inputs | None, tuple[Diagnostic, ...]]:
    """Return the spec's files, using the editor's text for files that are open there."""
    inputs, problems = gather(argparse.Namespace(spec=spec, env=None, set=[]), every=True)
    if inputs is None:
        if spec not in texts or os.path.lexists(spec):
            return None, problems
        inputs, problems = Inputs(InputFile(spec, texts[spec])), ()  # not saved yet
    folder = os.path.join(os.path.dirname(spec), "environments")
    overlays = dict(inputs.beside)
    for path, text in texts.items():
        name = environment_of(path)
        if name is not None and os.path.dirname(path) == folder:
            overlays[name] = InputFile(path, text)
    spec_file = InputFile(spec, texts[spec]) if spec in texts else inputs.spec
    tables = tables_of(spec, (spec_file, *overlays.values()))
    return replace(inputs, spec=spec_file, beside=overlays, tables=tables), problems


def _describe(spec: str, texts: Mapping[str, str], path: tuple[str, ...]) -> list[str]:
    """Describe an entry with its resources, or a field as it is in the spec's case, such as with its provider."""
    inputs, _ = _inputs(spec, texts)
    if len(path) == 2 and path[0] in SECTIONS_WITH_ADDRESSES:
        lines = [] if inputs is None else explain_address(understand(inputs, TARGETS), ".".join(path))
        if lines:
            return ["```text", *lines, "```"]
    document = None if inputs is None else load(inputs.spec.content, inputs.spec.path)[0]
    value = None if document is None else document.value
    field_schema, _ = field(cast("Schema", modelyard_schemas.load("system")), path, value)
    if field_schema is None:
        return []
    described, *details = field_lines("", field_schema)
    return [described.partition(": ")[2], *(["", "```text", *details, "```"] if details else [])]


KNOWLEDGE: Final = Knowledge(
    judge=_judge, describe=_describe, spec_of=spec_path, holds=system_fits(), spec_names=SPEC_NAMES
)
