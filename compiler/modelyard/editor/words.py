"""Adapt schema keywords for editors, based on the compiler's schema and error messages."""

from __future__ import annotations

from typing import Final

from modelyard.shape import Schema, texts
from modelyard.source import Json

VARIABLE: Final = r"\$\{(?:vars|site|each|lists)\."
"""Matches text with a reference, which editors see before it is substituted."""

_MOST_EXAMPLES: Final = 2
_TYPES: Final = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "a string"}
_SILENT: Final = (
    "title",
    "examples",
    "x-expected",
    "x-requires",
    "x-review",
    "x-secret",
    "x-default-without",
    "x-text-is",
)


def worded(node: Schema) -> Schema:
    """Add our error messages, and move `examples` into the description, since editors would complete them."""
    result = {key: value for key, value in node.items() if key not in _SILENT}
    if isinstance(node.get("description"), str):
        result["description"] = f"{node['description']}{_examples(node)}"
    expected = node.get("x-expected")
    if isinstance(expected, str):
        result["errorMessage"] = f"expected {expected}"
        if "pattern" in node:
            result["patternErrorMessage"] = f"expected {expected}"
    snippets = _snippets(node)
    if snippets:
        result["defaultSnippets"] = snippets
    return with_variables(result)


def with_variables(node: Schema) -> Schema:
    """Make a scalar schema accept references such as `${vars.NAME}`, and return other schemas unchanged."""
    if "enum" in node:
        choices: Schema = {key: node[key] for key in ("enum", "errorMessage") if key in node}
        rest = {key: value for key, value in node.items() if key not in choices}
        return {**rest, "anyOf": [choices, {"type": "string", "pattern": VARIABLE}]}
    types = _types(node)
    if isinstance(node.get("pattern"), str):
        return {**node, "pattern": f"{node['pattern']}|{VARIABLE}"}
    if not types or "string" in types or not set(types) & {"integer", "number", "boolean"}:
        return node
    expected = node.get("errorMessage") or f"expected {' or '.join(_TYPES.get(name, name) for name in types)}"
    return {
        **node,
        "type": [*types, "string"],
        "pattern": VARIABLE,
        "patternErrorMessage": expected,
        "errorMessage": expected,
    }


def _types(node: Schema) -> list[str]:
    declared = node.get("type")
    return [declared] if isinstance(declared, str) else texts(declared)


def _examples(node: Schema) -> str:
    """Return the scalar examples as text that can be appended to a description."""
    examples = node.get("examples")
    scalars = (
        [example for example in examples if isinstance(example, str | int | float)][:_MOST_EXAMPLES]
        if isinstance(examples, list)
        else []
    )
    return f"\n\nFor example {' or '.join(f'`{example}`' for example in scalars)}." if scalars else ""


def _snippets(node: Schema) -> list[Json]:
    """Return completions for a field that accepts a keyword or a mapping: its keywords, and one mapping per key."""
    types = _types(node)
    if "object" not in types or not set(types) & {"string", "integer"} or set(types) & {"array", "boolean"}:
        return []
    pattern = str(node.get("pattern", ""))
    words = pattern.removeprefix("^").removesuffix("$").strip("()").split("|")
    is_words = all(word.replace("-", "").isalpha() for word in words)
    offered: list[Json] = [{"label": word, "body": word} for word in words] if is_words else []
    examples = node.get("examples")
    for example in examples if isinstance(examples, list) else []:
        if isinstance(example, dict):
            offered.append({"label": ", ".join(f"{key}: …" for key in example), "body": example})
    return offered
