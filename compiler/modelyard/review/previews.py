"""Read the output of `pulumi preview --json`: the steps of one stack, and the errors that ended the preview.

The format is `PreviewDigest` in Pulumi's `pkg/display/json.go`, read in v3.274.1 on 2026-11-28.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics import previews as problems
from modelyard.inputs import InputFile
from modelyard.records import record
from modelyard.review.effects import Effect
from modelyard.source import Span

_EFFECTS: Final[Mapping[str, Effect]] = {
    "create": Effect.CREATED,
    "import": Effect.CREATED,
    "update": Effect.IN_PLACE,
    "delete": Effect.DESTROYED,
    "replace": Effect.REPLACED,
    "create-replacement": Effect.REPLACED,
    "delete-replaced": Effect.REPLACED,
    "import-replacement": Effect.REPLACED,
}
"""The effects of the operations of Pulumi's engine. Other operations, such as `same` and `read`, change nothing."""

_PARTS: Final = 4


@record
class Urn:
    """A parsed resource URN. `types` holds the types of the resource's parents, followed by its own type."""

    stack: str
    project: str
    types: tuple[str, ...]
    name: str

    @property
    def type(self) -> str:
        """The resource's own type, such as `aws:ec2/vpc:Vpc`."""
        return self.types[-1]


@record
class Step:
    """A step in a preview that changes something. `parent` is the URN of the component that contains the resource."""

    urn: Urn
    effect: Effect
    parent: Urn | None = None


@record
class Preview:
    """A preview of one stack in one project: its steps, and the errors that ended it."""

    span: Span
    stack: str
    project: str
    steps: tuple[Step, ...] = ()
    errors: tuple[str, ...] = ()


def urn_of(text: str) -> Urn | None:
    """Parse a URN: `urn:pulumi:STACK::PROJECT::TYPE$TYPE::NAME`. Returns None for any other string."""
    head, *parts = text.split("::", _PARTS - 1)
    if not head.startswith("urn:pulumi:") or len(parts) != _PARTS - 1:
        return None
    project, types, name = parts
    return Urn(head.removeprefix("urn:pulumi:"), project, tuple(types.split("$")), name)


def read_previews(files: Iterable[InputFile]) -> tuple[tuple[Preview, ...], tuple[Diagnostic, ...]]:
    """Return the previews in the given files, and diagnostics about errors in these files."""
    previews: dict[tuple[str, str], Preview] = {}
    wrong: list[Diagnostic] = []
    for file in files:
        preview, problem = _read(file)
        if preview is None:
            wrong += [problem] if problem is not None else []
        elif (preview.stack, preview.project) in previews:
            wrong.append(problems.preview_twice(preview.span, preview.stack, preview.project))
        else:
            previews[preview.stack, preview.project] = preview
    return tuple(previews.values()), tuple(wrong)


def _read(file: InputFile) -> tuple[Preview | None, Diagnostic | None]:
    text = file.content if isinstance(file.content, str) else file.content.decode("utf-8", "replace")
    text = text.removeprefix("\ufeff")
    try:
        content: Any = json.loads(text)
    except json.JSONDecodeError as error:
        span = Span(file.path, error.lineno, error.colno, error.colno + 1)
        return None, problems.no_json(span, error.msg)
    except RecursionError:
        return None, problems.no_json(_start(file.path), "it is nested too deeply")
    steps, reason, near = _steps(content)
    if reason:
        return None, problems.no_preview(_place(file.path, text, near), reason)
    stack, project = steps[0][0].stack, steps[0][0].project
    other = next((urn for urn, _, _ in steps if (urn.stack, urn.project) != (stack, project)), None)
    if other is not None:
        where = _place(file.path, text, f"urn:pulumi:{other.stack}::{other.project}::")
        return None, problems.no_preview(where, "its steps belong to several stacks")
    changed = tuple(Step(urn, _EFFECTS[op], parent) for urn, op, parent in steps if op in _EFFECTS)
    where = _place(file.path, text, f"urn:pulumi:{stack}::{project}::")
    return Preview(where, stack, project, changed, tuple(_errors(content))), None


def _steps(content: Any) -> tuple[list[tuple[Urn, str, Urn | None]], str, str]:
    """Return all steps, or an error message and a string that helps locate the error in the file."""
    if not isinstance(content, dict):
        return [], "it is not an object", ""
    entries: Any = cast("dict[str, Any]", content).get("steps")
    if not isinstance(entries, list) or not entries:
        return [], "it has no `steps`", '"steps"'
    steps: list[tuple[Urn, str, Urn | None]] = []
    listed = cast("list[Any]", entries)  # type: ignore[redundant-cast] # for pyright, its items are unknown
    for entry in listed:
        step = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
        urn, op = step.get("urn"), step.get("op")
        if not isinstance(urn, str) or not isinstance(op, str):
            return [], f"step {len(steps) + 1} has no `op` or no `urn`", '"steps"'
        parsed = urn_of(urn)
        if parsed is None:
            return [], f"step {len(steps) + 1} has no valid `urn`", urn
        steps.append((parsed, op, _parent(step)))
    return steps, "", ""


def _parent(step: Mapping[str, Any]) -> Urn | None:
    for name in ("newState", "oldState"):
        state = step.get(name)
        parent = cast("dict[str, Any]", state).get("parent") if isinstance(state, dict) else None
        if isinstance(parent, str):
            return urn_of(parent)
    return None


def _errors(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the first line of each error message."""
    diagnostics = content.get("diagnostics")
    listed = cast("list[Any]", diagnostics) if isinstance(diagnostics, list) else []  # type: ignore[redundant-cast] # for pyright
    for entry in listed:
        if isinstance(entry, dict):
            diagnostic = cast("dict[str, Any]", entry)
            message = str(diagnostic.get("message", "")).strip()
            if diagnostic.get("severity") == "error" and message:
                yield message.splitlines()[0]


def _place(path: str, text: str, near: str) -> Span:
    """Return the span of a string's first occurrence in a file, or of the file's beginning if there is none."""
    at = text.find(near) if near else -1
    if at < 0:
        return _start(path)
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return Span(path, line, column, column + len(near))


def _start(path: str) -> Span:
    return Span(path, 1, 1, 2)
