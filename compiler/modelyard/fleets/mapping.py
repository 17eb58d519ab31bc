"""Replace strings in a target's stack: in programs, settings, manifests and other files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias, cast

from modelyard.program import Call, Literal, Ref
from modelyard.records import replace
from modelyard.stack import Manifest, ManifestFile, Project, Stack, TextFile, Value

Fill: TypeAlias = Callable[[str], str]


def mapped_stack(stack: Stack, fill: Fill) -> Stack:
    """Replace the strings in all parts of a stack."""
    projects = tuple(_project(project, fill) for project in stack.projects)
    return replace(stack, projects=projects, texts=tuple(mapped_text(text, fill) for text in stack.texts))


def mapped(value: Value, fill: Fill) -> Value:
    """Replace the strings in plain data, including keys."""
    if isinstance(value, str):
        return fill(value)
    if isinstance(value, Mapping):
        return {fill(key): mapped(child, fill) for key, child in value.items()}
    if isinstance(value, Sequence):
        return tuple(mapped(child, fill) for child in value)
    return value


def mapped_text(text: TextFile, fill: Fill) -> TextFile:
    """Replace the strings in a file when it is written."""
    return TextFile(fill(text.path), lambda: fill(text.text()))


def texts_in(value: Value) -> Iterator[str]:
    """Yield all strings in plain data, including keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield key
            yield from texts_in(child)
    elif isinstance(value, Sequence):
        for child in value:
            yield from texts_in(child)


def plain(call: Call) -> Value:
    """Return a call as plain data in which references are strings."""
    arguments = {name: _plain(argument) for name, argument in call.arguments}
    return {"variable": call.variable, "component": call.component, "name": call.name, "arguments": arguments}


def _plain(value: Literal) -> Value:
    if isinstance(value, Ref):
        return {"variable": value.variable, "attribute": value.attribute, "key": value.key}
    if isinstance(value, dict):
        return {key: _plain(child) for key, child in value.items()}
    if isinstance(value, tuple):
        return tuple(_plain(child) for child in value)
    return value


def _project(project: Project, fill: Fill) -> Project:
    calls = tuple(
        replace(
            call, name=fill(call.name), arguments=tuple((key, _literal(value, fill)) for key, value in call.arguments)
        )
        for call in project.program.calls
    )
    return replace(
        project,
        program=replace(project.program, calls=calls),
        settings=cast("Mapping[str, Value]", mapped(project.settings, fill)),
        manifests=tuple(_manifests(file, fill) for file in project.manifests),
    )


def _literal(value: Literal, fill: Fill) -> Literal:
    if isinstance(value, str):
        return fill(value)
    if isinstance(value, dict):
        return {fill(key): _literal(child, fill) for key, child in value.items()}
    if isinstance(value, tuple):
        return tuple(_literal(child, fill) for child in value)
    return value


def _manifests(file: ManifestFile, fill: Fill) -> ManifestFile:
    return ManifestFile(fill(file.name), partial(_documents, file, fill))


def _documents(file: ManifestFile, fill: Fill) -> Iterable[Manifest]:
    for document in file.documents():
        yield cast("Manifest", mapped(document, fill))
