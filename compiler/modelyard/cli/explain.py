"""`modelyard explain`: explain a diagnostic code, a schema field, or an address in a spec."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping
from inspect import cleandoc
from pathlib import Path
from typing import cast

import modelyard_schemas
from modelyard.cli.addresses import explain_address
from modelyard.cli.console import report, say
from modelyard.cli.inputs import gather, spec_path
from modelyard.diagnostics import codes, nearest, quote
from modelyard.diagnostics.registry import former_codes
from modelyard.patterns import pattern
from modelyard.pipeline import Outcome, understand
from modelyard.printing.fields import field, field_lines
from modelyard.shape import Schema
from modelyard.source import Json
from modelyard_targets import TARGETS

_CODE = pattern(r"(?:[A-Z]{2,5}-)?[EW][0-9]{3,4}|R[0-9]{3}", re.IGNORECASE)
SECTIONS_WITH_ADDRESSES = ("inference", "pipelines", "monitors", "stores", "models", "data", "compute", "channels")
"""Sections of the spec whose entries have addresses."""
_ADDED = ("promoter", "starter")
"""Workloads that are not in the spec because the compiler adds them."""
_SHOWN = 10


def run(arguments: argparse.Namespace) -> int:
    """Explain a code, a field or an address. Returns 1 if it does not exist."""
    what: str = arguments.what.strip()
    if _CODE.fullmatch(what):
        return _explain_code(what.upper())
    section, _, rest = what.partition(".")
    is_address = section in {*SECTIONS_WITH_ADDRESSES, "registry", "deployment"} or what in _ADDED
    if is_address and "*" not in rest and os.path.isfile(spec_path(str(arguments.spec))):
        code = _explain_in_spec(arguments, what)
        if code is not None:
            return code
    return _explain_field(what)


def _schema() -> Schema:
    return cast("Schema", modelyard_schemas.load("system"))


def _explain_code(code: str) -> int:
    if code.startswith("R"):
        return _explain_finding(code)
    providers = TARGETS.diagnostics()
    known = codes(providers)
    if code not in known and (new := former_codes(providers).get(code)):
        print(f"{code} is {new} now.\n")
        code = new
    if code not in known:
        say(
            f"error: no diagnostic has the code {code}"
            + (f"\n  = {near}" if (near := nearest(code, known, "did you mean {}?")) else "")
        )
        return 1
    print(f"{code}: {cleandoc(known[code].__doc__ or '')}")
    return 0


def _explain_finding(code: str) -> int:
    from modelyard.review.codes import codes as findings
    from modelyard.review.codes import explained

    if code not in findings():
        near = nearest(code, findings(), "did you mean {}?")
        say(f"error: no finding has the code {code}" + (f"\n  = {near}" if near else ""))
        return 1
    print(explained(code))
    return 0


def _explain_field(what: str) -> int:
    path = tuple(step for step in what.split(".") if step)
    definition, problem = field(_schema(), path)
    if definition is None:
        say(f"error: {problem}")
        return 1
    print("\n".join(field_lines(".".join(path), definition)))
    return 0


def _entries(entries: Mapping[str, Json]) -> str:
    names = sorted(entries)
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return f"its entries are {shown}" if names else "it has no entries"


def _explain_in_spec(arguments: argparse.Namespace, address: str) -> int | None:
    """Explain an address and return the exit code, or None if the spec doesn't contain it.

    Such an address may still be a schema field.
    """
    inputs, problems = gather(arguments)
    if inputs is None:
        report(problems, (), "text", arguments.color)
        return 1
    outcome: Outcome = understand(inputs, TARGETS)
    lines = explain_address(outcome, address)
    if lines:
        print("\n".join(lines))
        return 0
    if outcome.failed:
        report(outcome.diagnostics, inputs.files(), "text", arguments.color)
        return 1
    section, _, name = address.partition(".")
    entries = outcome.document.value.get(section) if outcome.document else None
    if name and isinstance(entries, dict) and "." not in name:
        hint = nearest(name, entries, "did you mean {}?") or _entries(entries)
        say(f"error: {section} in {Path(inputs.spec.path)} has no entry {quote(name)}\n  = {hint}")
        return None if field(_schema(), (section, name))[0] and not entries else 1
    return None
