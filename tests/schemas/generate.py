"""Generates valid values from the schema, and copies of them with one change."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache

from hypothesis import strategies as st

from modelyard.source import Json
from tests.schemas.walk import Schema, at, followed, schema_of

_MOST_EXTRA = 5
_DEEPEST = 4  # below this depth, only scalars are drawn, because parameters may be nested

_CONTAINERS: list[Json] = json.loads(
    '[[], [[]], [null], ["a", "a"], [1, 1.0], [1, true], [0, false], {}, {"": null}, {"a": {}}, {"min": 1, "max": 2.0}]'
)

STRANGE: tuple[Json, ...] = (
    *(None, True, False, 0, 1, -1, 2.0, 0.5, 1e308, 2**53, 10**6),
    *(
        "",
        " ",
        "x",
        "X",
        "no",
        "1",
        "٣",
        "a\n",
        "\n",
        "ſ",
        "K",
        "é",
        "\u2028",
        "𝔸",
        "-",
        ".",
        "..",
        "../..",
        "/",
        "~",
        "~2",
    ),
    *(
        "30s",
        "30s\n",
        "٣٠s",
        "1h30m",
        "20%",
        "100.0%",
        "16Gi",
        "16Gi ",
        "L4:1",
        "L4:0",
        "a@b",
        "a@b.c\n",
        "a@1",
        "a@01",
    ),
    *(
        "secret://a/b#c",
        "secret://a/b#c\n",
        "secret://a/../b#c",
        "http://x/\n",
        "10.0.0.0/8\n",
        "::/0",
        "a" * 41,
        "a" * 3000,
    ),
    *_CONTAINERS,
)
"""Values that users often misplace, and strings about which regular expression engines disagree."""


def fitting(schema: Schema, depth: int = 0) -> st.SearchStrategy[Json]:
    """Generate values that fit one of our schemas. They are built keyword by keyword, so none need be discarded."""
    resolved = followed(schema)
    if "const" in resolved:
        return st.just(resolved["const"])
    if "enum" in resolved:
        return _sampled(resolved["enum"])
    kinds = resolved.get("type", "object")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if len(kinds) > 1 and depth > _DEEPEST:
        kinds = [kind for kind in kinds if kind not in ("array", "object")]
    return st.one_of([_of_type(str(kind), schema, resolved, depth) for kind in kinds])


def _of_type(kind: str, schema: Schema, whole: Schema, depth: int) -> st.SearchStrategy[Json]:
    if kind == "object":
        return mappings(schema, depth)
    if kind == "array":
        return _lists(whole, depth)
    if kind == "string":
        return _texts(whole)
    if kind == "boolean":
        return st.booleans()
    if kind == "null":
        return st.none()
    return _numbers(kind, whole)


def _sampled(values: Json) -> st.SearchStrategy[Json]:
    assert isinstance(values, list)
    return st.sampled_from(values)


def _texts(schema: Schema) -> st.SearchStrategy[Json]:
    most = schema.get("maxLength")
    assert most is None or isinstance(most, int)
    if "pattern" not in schema:
        least = 1 if "minLength" in schema else 0
        return st.text(st.characters(codec="utf-8"), min_size=least, max_size=min(most or 40, 40))
    return _matching(str(schema["pattern"]), most)


@cache
def _matching(pattern: str, most: int | None) -> st.SearchStrategy[Json]:
    """Generate strings that match a pattern. Strategies are cached, because deriving them is expensive."""
    anchored = pattern.removesuffix("$") + r"\Z"
    texts = st.from_regex(anchored, fullmatch=True, alphabet=st.characters(codec="utf-8"))
    return texts.filter(lambda text: most is None or len(text) <= most)


def _numbers(kind: str, schema: Schema) -> st.SearchStrategy[Json]:
    low, high = schema.get("minimum", schema.get("exclusiveMinimum", -1000)), schema.get("maximum", 1000)
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    if kind == "integer":
        return st.integers(int(low), int(high))
    return st.floats(low, high, exclude_min="exclusiveMinimum" in schema)


def _lists(schema: Schema, depth: int) -> st.SearchStrategy[Json]:
    least, most = schema.get("minItems", 0), schema.get("maxItems", 0)
    assert isinstance(least, int)
    assert isinstance(most, int)
    items = fitting(schema_of(schema["items"]), depth + 1)
    unique_by = repr if schema.get("uniqueItems") else None
    return st.lists(items, min_size=least, max_size=max(least, min(most, 3)), unique_by=unique_by).map(list[Json])


def mappings(schema: Schema, depth: int = 0) -> st.SearchStrategy[Json]:
    """Generate mappings for one combination of the schema's branches, including all required fields."""
    return st.composite(_draw_mapping)(schema, depth)


def _draw_mapping(draw: st.DrawFn, schema: Schema, depth: int) -> Json:
    fields, required, forbidden = dict[str, Schema](), list[str](), set[str]()
    for layer in _layers(draw, schema, forbidden, fields):
        for name, part in schema_of(layer.get("properties")).items():
            fields[name] = _narrowed(fields.get(name), schema_of(part))
        required += [str(name) for name in _texts_of(layer.get("required"))]
    optional = sorted(set(fields) - set(required) - forbidden)
    chosen = draw(st.lists(st.sampled_from(optional), unique=True, max_size=_MOST_EXTRA)) if optional else []
    resolved = followed(schema)
    if "minProperties" in resolved and fields and not (required or chosen):
        chosen = [draw(st.sampled_from(optional))]
    names = [*dict.fromkeys((*required, *chosen))]
    most = resolved.get("maxProperties")
    if isinstance(most, int) and fields:
        names = names[:most]
    names = _with_dependencies(names, schema, resolved)
    result: Schema = {name: draw(fitting(fields[name], depth + 1)) for name in names}
    return {
        **result,
        **(draw(_entries(resolved, depth)) if isinstance(resolved.get("additionalProperties"), dict) else {}),
    }


def _entries(schema: Schema, depth: int) -> st.SearchStrategy[Schema]:
    """Generate the entries of a mapping with names as keys."""
    least = 1 if "minProperties" in schema else 0
    if depth > 4 and not least:
        return st.just({})
    names = _texts({"type": "string", **followed(schema_of(schema.get("propertyNames")))}).map(str)
    return st.dictionaries(
        names, fitting(schema_of(schema["additionalProperties"]), depth + 1), min_size=least, max_size=2
    )


def _layers(draw: st.DrawFn, schema: Schema, forbidden: set[str], fields: dict[str, Schema]) -> Iterator[Schema]:
    """Yield the schema, its referenced schemas, and one branch of each condition, whether met or not.

    `fields` contains the values that earlier layers allow for each field, which may decide a condition within a branch.
    """
    yield schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        yield from _layers(draw, at(reference), forbidden, fields)
    condition = schema_of(schema.get("if"))
    if condition.get("type") == "object":
        yield from _layers(draw, schema_of(schema["then"]), forbidden, fields)
    elif condition:
        holds = draw(st.sampled_from([holds for holds in (True, False) if _possible(condition, holds, fields)]))
        yield condition if holds else _negated(condition, forbidden)
        yield from _layers(draw, schema_of(schema.get("then" if holds else "else")), forbidden, fields)


def _possible(condition: Schema, holds: bool, fields: dict[str, Schema]) -> bool:
    """Return whether each field in a condition can still meet it or, if `holds` is false, break it."""
    return all(
        _narrowed(fields.get(name), schema_of(part) if holds else {"other": part}) != {"enum": []}
        for name, part in schema_of(condition.get("properties")).items()
    )


def _negated(condition: Schema, forbidden: set[str]) -> Schema:
    """Return a schema that breaks a condition by requiring another value for the field, or its absence."""
    fields = schema_of(condition.get("properties"))
    if not fields:
        forbidden.update(str(name) for name in _texts_of(condition.get("required")))
        return {}
    return {"properties": {name: {"other": part} for name, part in fields.items()}}


def _narrowed(before: Schema | None, schema: Schema) -> Schema:
    """Restrict a field to the values named in a condition, or to all other values."""
    if before is None:
        return schema
    known = _values(before)
    if "other" in schema:
        excluded = _values(schema_of(schema["other"]))
        return {"enum": [value for value in known if value not in excluded]}
    return {"enum": [value for value in known if value in _values(schema)]}


def _values(schema: Schema) -> list[Json]:
    if schema.get("type") == "boolean":
        return [True, False]
    values = schema.get("enum", [schema.get("const")])
    assert isinstance(values, list)
    return values


def _with_dependencies(names: list[str], schema: Schema, whole: Schema) -> list[str]:
    """Return the given field names plus those the schema requires along with them."""
    for part in (whole, *_branches(schema), *_branches(whole)):
        for name, dependencies in schema_of(part.get("dependentRequired")).items():
            if name in names:
                names = [*dict.fromkeys((*names, *map(str, _texts_of(dependencies))))]
    return names


def _branches(schema: Schema) -> Iterator[Schema]:
    for keyword in ("then", "else"):
        branch = schema_of(schema.get(keyword))
        if branch:
            yield branch
            yield from _branches(branch)


def _texts_of(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


@st.composite
def changed(draw: st.DrawFn, value: Json) -> Json:
    """Return a copy of a value with one nested value replaced, removed, renamed or added."""
    result: Json = copy.deepcopy(value)
    owners = list(_containers(result))
    if not owners:
        return draw(st.sampled_from(STRANGE))
    owner = draw(st.sampled_from(owners))
    strange = copy.deepcopy(draw(st.sampled_from(STRANGE)))
    if isinstance(owner, list):
        _change_list(draw, owner, strange)
    else:
        _change_mapping(draw, owner, strange)
    return result


def _change_list(draw: st.DrawFn, owner: list[Json], strange: Json) -> None:
    if not owner or draw(st.booleans()):
        owner.append(strange)
    else:
        owner[draw(st.integers(0, len(owner) - 1))] = strange


def _change_mapping(draw: st.DrawFn, owner: Schema, strange: Json) -> None:
    name = draw(st.sampled_from(sorted(owner))) if owner else ""
    change = draw(st.sampled_from(("replace", "remove", "rename", "add"))) if owner else "add"
    if change == "replace":
        owner[name] = strange
    elif change == "add":
        owner[draw(st.sampled_from(("a", "type", "min", "target", "x\n", "É", "uri", "steps")))] = strange
    else:
        value = owner.pop(name)
        if change == "rename":
            owner[draw(st.sampled_from((name.upper(), name + "s", name + "\n", name[:-1])))] = value


def _containers(value: Json) -> Iterator[list[Json] | Schema]:
    if isinstance(value, dict | list):
        yield value
        for child in value.values() if isinstance(value, dict) else value:
            yield from _containers(child)
