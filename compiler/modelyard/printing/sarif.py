"""Render diagnostics as SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0), which code hosts display inline."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import cleandoc
from typing import TypeAlias
from urllib.parse import quote as percent_encoded

from modelyard import __version__
from modelyard.diagnostics import Diagnostic, codes, explain_command
from modelyard.printing.redact import redacted
from modelyard.source import Span

Entry: TypeAlias = Mapping[str, object]
"""A JSON object in a SARIF log."""


def sarif(diagnostics: tuple[Diagnostic, ...], providers: Iterable[str] = ()) -> str:
    """Render a SARIF run with a rule for each reported code. `providers` lists packages with more diagnostics."""
    rules, documented = sorted({diagnostic.code for diagnostic in diagnostics}), codes(providers)
    listed = [_rule(code, documented.get(code)) for code in rules]
    return log(listed, [_result(diagnostic, rules.index(diagnostic.code)) for diagnostic in diagnostics])


def log(rules: Sequence[Entry], results: Sequence[Entry], **more: object) -> str:
    """Return a SARIF log with one run. `more` holds additional properties of the run."""
    driver = {"name": "modelyard", "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", **more, "results": results}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def location(span: Span) -> Entry:
    """Return a span as a SARIF location."""
    region = {"startLine": span.line, "startColumn": span.column, "endColumn": span.end_column}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(span.file)}, "region": region}}


def _rule(code: str, constructor: Callable[..., Diagnostic] | None) -> Entry:
    page = cleandoc(constructor.__doc__ or "") if constructor else ""
    title = page.split("\n", 1)[0] or code
    rule: dict[str, object] = {"id": code, "shortDescription": {"text": title}}
    if constructor:
        rule["name"] = "".join(word.capitalize() for word in constructor.__name__.split("_"))
        command = explain_command(code)
        rule["help"] = {"text": f"{page}\n\n{command}", "markdown": f"{page}\n\n`{command}`"}
    return rule


def _result(diagnostic: Diagnostic, rule: int) -> Entry:
    text = ". ".join(part for part in (redacted(diagnostic.message), redacted(diagnostic.hint)) if part)
    result: dict[str, object] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity.value,
        "message": {"text": text},
    }
    if diagnostic.span:
        result["locations"] = [location(diagnostic.span)]
    return result


def _uri(path: str) -> str:
    encoded = percent_encoded(path.replace("\\", "/").encode("utf-8", "replace"), safe="/~")
    return f"file://{encoded}" if encoded.startswith("/") else encoded
