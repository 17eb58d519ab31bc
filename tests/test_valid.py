"""Tests that specs accepted by `validate` also compile, by misspelling each reference in each example."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard.cli.inputs import environment_names
from modelyard.diagnostics import has_errors
from modelyard.inputs import InputFile, Inputs
from modelyard.load import load
from modelyard.pipeline import Outcome, compile_system, opened
from modelyard.records import replace
from modelyard.source import Document, Json, Span
from modelyard.source import Path as Place
from modelyard.survey import Survey, survey
from modelyard_targets import TARGETS
from tests.examples import FOLDER

EXAMPLES = sorted(path.parent.name for path in FOLDER.glob("*/system.yaml"))
SECTIONS = ("stores", "compute", "data", "models", "pipelines", "inference", "monitors", "channels")


def inputs_of(example: str) -> Inputs:
    """Return an example with the files of all its environments."""
    folder = FOLDER / example
    environments = {path.stem: input_file(path) for path in sorted(folder.glob("environments/*.yaml"))}
    return Inputs(input_file(folder / "system.yaml"), beside=environments)


def input_file(path: Path) -> InputFile:
    """Return a file as the input that the command line makes of it."""
    return InputFile(str(path), path.read_text(encoding="utf-8"))


def surveyed(inputs: Inputs) -> Survey:
    """Return the result of `validate` without `--env`, covering the base and all environments."""
    spec = opened(inputs)
    return survey(inputs, spec, environment_names(inputs, spec.document), TARGETS)


def compiled(inputs: Inputs) -> Iterator[tuple[str | None, Outcome]]:
    """Yield the base (None) and every environment, each with its compile outcome."""
    yield None, compile_system(inputs, TARGETS)
    for name in environment_names(inputs, opened(inputs).document):
        yield name, compile_system(replace(inputs, environment=name, overlay=inputs.beside.get(name)), TARGETS)


def misspelt(inputs: Inputs) -> Iterator[Inputs]:
    """For each reference to a name, yield a copy of the files in which it is misspelled."""
    files: list[tuple[str | None, InputFile]] = [(None, inputs.spec), *inputs.beside.items()]
    documents = [document_of(file) for _, file in files]
    names = {name for document in documents for name in declared(document.value)}
    for (environment, file), document in zip(files, documents, strict=True):
        for span, name in references(document, names):
            wrong = InputFile(file.path, with_a_letter_more(str(file.content), span, name))
            if environment is None:
                yield replace(inputs, spec=wrong)
            else:
                yield replace(inputs, beside={**inputs.beside, environment: wrong})


def document_of(file: InputFile) -> Document:
    """Return the document in one of an example's files."""
    document, problems = load(file.content, file.path, may_be_empty=True)
    assert document is not None, problems
    return document


def declared(value: Json) -> Iterator[str]:
    """Yield the names of all entries declared in a spec and its environments.

    These include variants, steps and targets.
    """
    if isinstance(value, dict):
        for key, child in value.items():
            if key in (*SECTIONS, "targets", "variants", "steps") and isinstance(child, dict):
                yield from child
            yield from declared(child)


def references(document: Document, names: set[str]) -> Iterator[tuple[Span, str]]:
    """Yield the location and name of each reference.

    References are strings, some with a section or alias, and keys of `traffic`.
    """
    for path, value in below(document.value, ()):
        name = value.partition("@")[0] if isinstance(value, str) else ""
        section, _, entry = name.partition(".")
        if name in names or (section in SECTIONS and entry in names):
            yield document.value_span(path), name if name in names else entry
        if path[-2:-1] == ("traffic",):
            yield document.key_span(path), str(path[-1])


def below(value: Json, path: Place) -> Iterator[tuple[Place, Json]]:
    """Yield every value nested in a value, at any depth, with its path."""
    steps: list[str | int] = [*value] if isinstance(value, dict) else []
    steps = [*range(len(value))] if isinstance(value, list) else steps
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for step, child in zip(steps, children, strict=True):
        yield (*path, step), child
        yield from below(child, (*path, step))


def with_a_letter_more(text: str, span: Span, name: str) -> str:
    """Add a letter to the name in the part of a text at the given span."""
    lines = text.split("\n")
    line = lines[span.line - 1]
    at = line.index(name, span.column - 1) + 1
    lines[span.line - 1] = f"{line[:at]}q{line[at:]}"
    return "\n".join(lines)


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_valid_spec_compiles(example: str) -> None:
    """A misspelled reference is an error even if every environment deletes or replaces its entry."""
    inputs = inputs_of(example)
    is_whole = surveyed(inputs).base_is_whole
    refused = 0
    for changed in misspelt(inputs):
        verdict = surveyed(changed)
        if has_errors(verdict.diagnostics):
            refused += 1
            continue
        assert verdict.base_is_whole == is_whole
        outcomes = compiled(changed)
        assert [name for name, outcome in outcomes if outcome.failed and name not in left_out(verdict)] == []
    assert refused > 3


def left_out(verdict: Survey) -> set[str | None]:
    """Return the environments `validate` reports as not compiling. None represents the base."""
    return set[str | None]() if verdict.base_is_whole else {None}
