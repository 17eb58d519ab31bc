"""Render diagnostics as SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0), which code hosts show inline."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from inspect import cleandoc
from urllib.parse import quote as percent_encoded

from modelyard import __version__
from modelyard.diagnostics import Diagnostic, codes, explain_command
from modelyard.printing.redact import redacted


def sarif(diagnostics: tuple[Diagnostic, ...], providers: Iterable[str] = ()) -> str:
    """Render a SARIF run with a rule for each reported code. `providers` are packages with providers' diagnostics."""
    rules, documented = sorted({diagnostic.code for diagnostic in diagnostics}), codes(providers)
    driver = {
        "name": "modelyard",
        "version": __version__,
        "rules": [_rule(code, documented.get(code)) for code in rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(diagnostic, rules.index(diagnostic.code)) for diagnostic in diagnostics],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: str, constructor: Callable[..., Diagnostic] | None) -> dict[str, object]:
    page = cleandoc(constructor.__doc__ or "") if constructor else ""
    title = page.split("\n", 1)[0] or code
    rule: dict[str, object] = {"id": code, "shortDescription": {"text": title}}
    if constructor:
        rule["name"] = "".join(word.capitalize() for word in constructor.__name__.split("_"))
        command = explain_command(code)
        rule["help"] = {"text": f"{page}\n\n{command}", "markdown": f"{page}\n\n`{command}`"}
    return rule


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, object]:
    text = ". ".join(part for part in (redacted(diagnostic.message), redacted(diagnostic.hint)) if part)
    result: dict[str, object] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity.value,
        "message": {"text": text},
    }
    if diagnostic.span:
        span = diagnostic.span
        region = {"startLine": span.line, "startColumn": span.column, "endColumn": span.end_column}
        artifact = {"uri": _uri(span.file)}
        result["locations"] = [{"physicalLocation": {"artifactLocation": artifact, "region": region}}]
    return result


def _uri(path: str) -> str:
    encoded = percent_encoded(path.replace("\\", "/").encode("utf-8", "replace"), safe="/~")
    return f"file://{encoded}" if encoded.startswith("/") else encoded
