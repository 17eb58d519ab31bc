"""What the rules say of a spec, as tests of them compare it."""

from __future__ import annotations

from modelyard.checks import check
from modelyard.diagnostics import Diagnostic, in_order
from modelyard.pipeline import Given, Inputs, read
from modelyard.resolve import resolve
from modelyard.validate import validate
from modelyard_targets import TARGETS
from tests.diagnosing import places


def told_of(spec: str) -> tuple[Diagnostic, ...]:
    """What resolve and the rules say about a spec that fits the schema; what comes after them is not asked."""
    document = read(Inputs(Given("system.yaml", spec))).document
    assert document is not None
    assert validate(document) == ()
    system, found = resolve(document, "default", TARGETS)
    return in_order(found if system is None else check(system, TARGETS.rules(system)))


SHARED_KEY = "W0864"
"""The valid spec keeps captures in a store with one key, which is pointed out wherever a test makes its risk high or
its industry a regulated one; tests/failing/W0864-captures-by-one-key is about that.
"""


def found_in(spec: str) -> list[str]:
    """Everything that is said about a spec but that key, as `line:column code`."""
    return places(found for found in told_of(spec) if found.code != SHARED_KEY)


def codes_in(spec: str) -> list[str]:
    """The codes of everything that is said about a spec but that key."""
    return [found.code for found in told_of(spec) if found.code != SHARED_KEY]


def where(spec: str, text: str, code: str) -> str:
    """What is expected when `code` points at the last occurrence of a text."""
    before = spec[: spec.rindex(text)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))} {code}"
