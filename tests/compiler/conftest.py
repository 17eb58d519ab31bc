"""Fixtures for the first compiler stages: functions that return a text's document or its diagnostics."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

from modelyard.diagnostics import Diagnostic, has_errors, in_order
from modelyard.load import load
from modelyard.overlay import overlay
from modelyard.source import Document
from modelyard.validate import validate
from modelyard.variables import substitute

Loaded: TypeAlias = Callable[[str], Document]
Examined: TypeAlias = Callable[[str], tuple[Diagnostic, ...]]


@pytest.fixture
def loaded() -> Loaded:
    """Return a function that loads YAML text, which must cause no diagnostics."""

    def document(text: str) -> Document:
        result, problems = load(text, "system.yaml")
        assert result is not None, problems
        assert problems == ()
        return result

    return document


@pytest.fixture
def examined() -> Examined:
    """Return a function that runs all stages up to schema validation and returns the diagnostics of a spec."""

    def diagnostics(text: str) -> tuple[Diagnostic, ...]:
        document, problems = load(text, "system.yaml")
        if document is None:
            return problems
        document, problems = overlay(document, None)
        document, more = substitute(document, {})
        problems += more
        return in_order(problems if has_errors(problems) else (*problems, *validate(document)))

    return diagnostics
