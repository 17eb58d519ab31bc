"""Compares the structure of two outputs whose specs differ only in strings."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import cast

import yaml

from modelyard.load import load

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_HASH = re.compile(f"(?<![0-9a-f])(?:{_UUID}|[0-9a-f]{{6,64}})(?![0-9a-f])")
_PROMQL_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')

Step = str | int


class Loader(yaml.CSafeLoader):
    """A loader using PyYAML's own parser, which may read YAML differently than our loader."""


def documents(text: str) -> list[object]:
    """Return all documents in a file as PyYAML reads them."""
    return list(yaml.load_all(text, Loader))


def read_alike(path: str, text: str) -> Iterator[str]:
    """Yield any differences between what our loader and PyYAML read from a single-document file."""
    parsed = documents(text)
    if len(parsed) == 1 and isinstance(parsed[0], dict):
        ours, problems = load(text, path)
        if ours is None or ours.value != parsed[0]:
            yield f"{path}: read differently by others {problems[:1]}"


def differences(before: Mapping[str, bytes], after: Mapping[str, bytes], words: Mapping[str, str]) -> Iterator[str]:
    """Yield all places where two outputs differ in more than their strings.

    `words` maps the harmless strings in `before` to the strings replacing them in `after`.
    """
    if [_filled(path, words) for path in before] != list(after):
        yield f"paths: {sorted(set(before) ^ set(after))}"
        return
    for (path, old), new in zip(before.items(), after.values(), strict=True):
        left, right = old.decode(), new.decode()
        if left != right:
            yield from _file(path, left, right, words)


def _file(path: str, left: str, right: str, words: Mapping[str, str]) -> Iterator[str]:
    if path.endswith(".yaml"):
        yield from read_alike(path, right)
        yield from _values(path, documents(left), documents(right), words)
    elif path.endswith(".py"):
        if _bones(left) != _bones(right):
            yield f"{path}: another program"
    elif path.endswith(".json"):
        yield from _values(path, json.loads(left), json.loads(right), words)
    elif path.endswith(".md"):
        yield from markup(path, right)
    elif left.count("\n") != right.count("\n"):
        yield f"{path}: other lines"


def _bones(program: str) -> str:
    """Return a program without constants and with numbered variables.

    The original variable names depend on the spec's strings.
    """
    tree = ast.parse(program)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    numbers = {
        name: f"v{at}"
        for at, name in enumerate(dict.fromkeys(variable.id for variable in names if _is_assigned(variable)))
    }
    for name in names:
        name.id = numbers.get(name.id, name.id)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = None
    return ast.dump(tree)


def _is_assigned(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _values(place: str, left: object, right: object, words: Mapping[str, str]) -> Iterator[str]:
    if type(left) is not type(right):
        yield f"{place}: {type(left).__name__} became {type(right).__name__}"
    elif isinstance(left, dict):
        yield from _mappings(place, cast("dict[str, object]", left), cast("dict[str, object]", right), words)
    elif isinstance(left, list):
        left_items, right_items = cast("list[object]", left), cast("list[object]", right)
        if len(left_items) != len(right_items):
            yield f"{place}: {len(left_items)} items became {len(right_items)}"
        for at, pair in enumerate(zip(left_items, right_items, strict=False)):
            yield from _values(f"{place}.{at}", *pair, words)
    elif left != right:
        yield from _leaf(place, str(left), str(right), words)


def _mappings(place: str, left: dict[str, object], right: dict[str, object], words: Mapping[str, str]) -> Iterator[str]:
    if [_filled(key, words) for key in left] != [_HASH.sub("#", key) for key in right]:
        yield f"{place}: keys {list(left)} became {list(right)}"
        return
    for (key, value), other_value in zip(left.items(), right.values(), strict=True):
        yield from _values(f"{place}.{key}", value, other_value, words)


def _leaf(place: str, left: str, right: str, words: Mapping[str, str]) -> Iterator[str]:
    """Yield the differences between two strings: documents, expressions, or texts with an inserted word."""
    if place.endswith((".expr", ".query")):
        if _PROMQL_STRING.sub('""', left) != _PROMQL_STRING.sub('""', right):
            yield f"{place}: another expression: {right!r}"
    elif left.startswith("{") and left.rstrip().endswith("}"):
        yield from _values(f"{place}!", json.loads(left), json.loads(right), words)
    elif place.endswith((".yaml", ".yml", ".serveConfigV2")):
        yield from _values(f"{place}!", documents(left), documents(right), words)
    elif not any(word in left for word in words) and _HASH.sub("#", left) != _HASH.sub("#", right):
        yield f"{place}: {left[:200]!r} became {right[:200]!r}"
    else:
        yield from _templates(place, left, right)


def _templates(place: str, left: str, right: str) -> Iterator[str]:
    """Yield strings that Prometheus (alerts), the kubelet (containers) or a shell (scripts) would expand."""
    if ".spec.groups." in place:
        if right.replace('{{ "{{" }}', "").count("{{") != left.replace('{{ "{{" }}', "").count("{{"):
            yield f"{place}: a template of alerts: {right[:200]!r}"
    elif re.search(r"\.(command|args)\.|\.env\.\d+\.value$", place) and "$(" in right.replace("$$", ""):
        yield f"{place}: a variable of the kubelet: {right[:200]!r}"
    elif place.endswith((".spec.entrypoint", ".command.0")) and left != right:
        yield f"{place}: a line of a shell: {right[:200]!r}"


def _filled(text: str, words: Mapping[str, str]) -> str:
    for word, other in words.items():
        text = text.replace(word, other)
    return _HASH.sub("#", text)


_TAG = re.compile(r"<[a-zA-Z/!?]")
_CODE = re.compile(r"(?<!\\)(`+)(?!`).*?(?<!`)\1(?!`)")


def markup(path: str, text: str) -> Iterator[str]:
    """Yield tags, links and images in a Markdown file that don't come from our templates."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            bare = _CODE.sub("", line)
            if _TAG.search(bare) or re.search(r"(?<!\\)\]\(", bare):
                yield f"{path}:{number}: markup: {line[:200]!r}"
    if fenced:
        yield f"{path}: a fence is left open"
