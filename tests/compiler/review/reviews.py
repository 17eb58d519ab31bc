"""Invented reviews for tests of output formats."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.review.comparing import Review
from modelyard.review.findings import Finding, Level
from modelyard.source import Span


def a_finding(code: str, level: Level, name: str, line: int = 1, **others: object) -> Finding:
    """Return a finding about a field of the model `name` on a line in system.yaml."""
    fields: dict[str, object] = {
        "message": f"{name} passes its gate with less",
        "before": "0.8",
        "after": "0.7",
        "environments": ("default",),
        "now_at": Span("system.yaml", line, 3, 9),
        **others,
    }
    return Finding(code, level, ("models", name), **fields)  # type: ignore[arg-type] # the fields of a finding


def a_review(findings: Iterable[Finding], system: str = "shop") -> Review:
    """Return a review of one environment with the given findings."""
    return Review(system, tuple(findings), ("default",))


def hostile(text: str) -> Review:
    """Return a review with the given text in every place that a spec can fill."""
    levels = (Level.DANGER, Level.REVIEW, Level.NOTE)
    findings = [
        Finding("R201", level, ("models", text), text, text, text, text, (text,), (text,), (text,), Span(text, 1, 1, 1))
        for level in levels
    ]
    return Review(text, tuple(findings), (text, "default"))
