"""Helpers that return a spec's diagnostics in a form that tests can compare."""

from __future__ import annotations

from modelyard.checks import check
from modelyard.diagnostics import Diagnostic, in_order
from modelyard.pipeline import InputFile, Inputs, read
from modelyard.resolve import resolve
from modelyard.validate import validate
from modelyard_targets import TARGETS
from tests.diagnosing import places


def diagnostics_of(spec: str, environment: str | None = None) -> tuple[Diagnostic, ...]:
    """Resolve and check a spec that fits the schema, and return its diagnostics in order."""
    document = read(Inputs(InputFile("system.yaml", spec), environment)).document
    assert document is not None
    assert validate(document) == ()
    system, diagnostics = resolve(document, environment or "default", TARGETS)
    return in_order(diagnostics if system is None else check(system, TARGETS.rules(system)))


SHARED_KEY = "W0864"
"""The code of the warning about captures in a store with a shared key, which the valid spec causes.

Every test with high risk or a regulated industry would have to expect it, so the helpers below leave it out.
tests/failing/W0864-captures-by-one-key covers it.
"""


def places_in(spec: str) -> list[str]:
    """Return the position and code of all diagnostics except W0864, as `line:column code`."""
    return places(diagnostic for diagnostic in diagnostics_of(spec) if diagnostic.code != SHARED_KEY)


def codes_in(spec: str, environment: str | None = None) -> list[str]:
    """Return the codes of all diagnostics except W0864."""
    return [diagnostic.code for diagnostic in diagnostics_of(spec, environment) if diagnostic.code != SHARED_KEY]


def where(spec: str, text: str, code: str) -> str:
    """Return `line:column code` for a diagnostic pointing at the last occurrence of `text` in the spec."""
    before = spec[: spec.rindex(text)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))} {code}"
