"""Generates documentation pages from code: the diagnostics, the spec fields, and the metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Final, cast

import modelyard_schemas
from modelyard.printing.fields import ANY, Field, field
from modelyard.shape import Schema, definition, schema_of
from modelyard.source import Json
from modelyard.writers.json_text import json_text
from tests.errors_pages import AREAS, PROVIDERS, area_page, index_page
from tests.findings_page import findings_page
from tests.metrics_page import metrics_page

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"

_PRINTED: Final = "Printed from the code by `python -m pytest tests/test_reference_pages.py --accept`; change it there."
_DEPLOYMENT: Final = ("mode", "placement", "targets")  # without the short form, which repeats a target's fields
_CLOUDS: Final = {"aws": "AWS", "azure": "Azure", "gcp": "Google Cloud"}
_LEGEND: Final = (
    "`*` stands for a name that you give, or for a place in a list.",
    "**Bold** fields are required, some of them only beside another one, such as `region` beside `provider: aws`.",
    "A system with one target may write that target's fields beside `deployment.mode`.",
)


def spec_page() -> str:
    """Return docs/spec.md, which lists the purpose, values and default of every field."""
    root, _ = field(_schema(), ())
    assert root is not None
    lines = ["# The spec", "", _PRINTED, *_LEGEND]
    for section in root.names():
        here = root.step(section)
        assert here is not None
        lines += ["", f"## {section}", "", _cell(str(here.first("description")))]
        rows = [] if section == "environments" else list(_rows(here, section, frozenset()))
        if rows:
            lines += ["", "| field | what it does | values |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _rows(here: Field, path: str, passed: frozenset[int]) -> Iterator[str]:
    """Yield a table row for each subfield, depth first. Recursive schemas are followed only once."""
    required = {name for part in here.every("required") for name in cast("list[str]", part)}
    for name in _DEPLOYMENT if path == "deployment" else here.names():
        below = here.step(name)
        assert below is not None
        label = f"**`{path}.{name}`**" if name in required else f"`{path}.{name}`"
        variants = _by_provider(below)
        texts = {name: str(variant.first("description") or "") for name, variant in variants.items()}
        values = {name: _values(variant) for name, variant in variants.items()}
        yield f"| {label} | {_cell(_labelled(texts, ' '))} | {_cell(_labelled(values, '; '))} |"
        yield from _rows(below, f"{path}.{name}", passed)
    free = here.step(ANY)
    if free is not None and free.names() and not passed & {id(part) for part in free.schemas}:
        yield from _rows(free, f"{path}.{ANY}", passed | {id(part) for part in free.schemas})


def _by_provider(here: Field) -> dict[str, Field]:
    """Return a field's variants by provider name, or a single one under "" if all providers describe it alike."""
    owners = _owners()
    names = dict.fromkeys(owners[id(part)] for part in here.schemas if id(part) in owners and "description" in part)
    variants = {
        name: Field(
            here.root,
            (
                *(part for part in here.parts if owners.get(id(part.schema)) == name),
                *(part for part in here.parts if id(part.schema) not in owners),
            ),
        )
        for name in names
    }
    texts = {str(variant.first("description")) for variant in variants.values()}
    return variants if len(texts) > 1 else {"": here}


@cache
def _schema() -> Schema:
    return cast("Schema", modelyard_schemas.load("system"))


@cache
def _owners() -> dict[int, str]:
    """Map each part of the spec's schema that only one provider's targets use to that provider's name."""
    root = _schema()
    uses: dict[int, set[str]] = {}
    for branch in _within(root):
        provider = schema_of(schema_of(schema_of(branch.get("if")).get("properties")).get("provider")).get("const")
        if provider in _CLOUDS and "then" in branch:
            for part in _used(root, schema_of(branch["then"])):
                uses.setdefault(id(part), set()).add(_CLOUDS[str(provider)])
    return {part: next(iter(names)) for part, names in uses.items() if len(names) == 1}


def _within(value: Json) -> Iterator[Schema]:
    """Yield all mappings in a schema."""
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _within(child)


def _used(root: Schema, schema: Schema) -> Iterator[Schema]:
    """Yield all mappings in a schema and in the definitions that it refers to."""
    for part in _within(schema):
        yield part
        if isinstance(reference := part.get("$ref"), str):
            yield from _used(root, definition(root, reference))


def _labelled(texts: Mapping[str, str], between: str) -> str:
    """Join texts, each with its label, unless all are the same."""
    if len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return between.join(f"{name}: {text}" for name, text in texts.items() if text)


def _values(here: Field) -> str:
    """Return a table cell with a field's possible values and its default."""
    parts: list[str] = []
    choices = here.first("enum")
    if isinstance(choices, list):
        parts.append(", ".join(f"`{_formatted(choice)}`" for choice in choices))
    elif isinstance(examples := here.first("examples"), list) and examples:
        parts.append(f"such as `{_formatted(examples[0])}`")
    default = here.first("default")
    return "; ".join([*parts, *([f"default `{_formatted(default)}`"] if default is not None else [])])


def _formatted(value: Json) -> str:
    return value if isinstance(value, str) else json_text(value)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "errors.md": lambda: index_page(_PRINTED),
    **{f"errors/{area.page}.md": partial(area_page, area, _PRINTED) for area in (*AREAS, *PROVIDERS)},
    "spec.md": spec_page,
    "metrics.md": lambda: metrics_page(_PRINTED),
    "findings.md": lambda: findings_page(_PRINTED),
}
