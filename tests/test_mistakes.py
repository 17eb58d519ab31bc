"""Tests that common user errors are marked, cause no follow-up errors, and have a hint that fixes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from modelyard.api import compile_text
from modelyard.diagnostics import Diagnostic, Severity
from modelyard.inputs import InputFile, Inputs
from modelyard.overlay import environments
from modelyard.pipeline import opened, understand
from modelyard.survey import survey
from modelyard_targets import TARGETS

FOLDER = Path(__file__).parent / "mistakes"
RIGHT = (FOLDER / "system.yaml").read_text(encoding="utf-8")
_MARK = "«"
_SUGGESTED = re.compile(r"did you mean '([^']+)'")


@dataclass(frozen=True)
class Mistake:
    """An entry in the table of mistakes."""

    what: str
    right: str
    wrong: str
    told: tuple[str, ...]
    mended: str

    def spec(self, part: str) -> str:
        """Return the correct spec with one part replaced with `part`."""
        assert RIGHT.count(self.right) == 1
        return RIGHT.replace(self.right, part)


def _mistakes() -> list[Mistake]:
    text = (FOLDER / "cases.yaml").read_text(encoding="utf-8")
    entries = cast("list[dict[str, Any]]", yaml.safe_load(text))
    return [
        Mistake(
            entry["what"], entry["right"], entry["wrong"], tuple(entry["told"]), entry.get("mended", entry["right"])
        )
        for entry in entries
    ]


def errors_in(text: str | bytes) -> list[Diagnostic]:
    """Return the errors found by `modelyard validate` in the base and all environments."""
    inputs = Inputs(InputFile("system.yaml", text))
    spec = opened(inputs)
    names = environments(spec.document) if spec.document is not None else ()
    diagnostics = (
        survey(inputs, spec, names, TARGETS).diagnostics if names else understand(inputs, TARGETS, spec).diagnostics
    )
    return [diagnostic for diagnostic in diagnostics if diagnostic.severity is Severity.ERROR]


def marked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return a text without its marks, with the line and column that each mark precedes."""
    places: list[tuple[int, int]] = []
    while _MARK in text:
        before, text_after = text.split(_MARK, 1)
        places.append((before.count("\n") + 1, len(before) - before.rfind("\n")))
        text = before + text_after
    return text, places


@pytest.mark.parametrize("mistake", _mistakes(), ids=lambda mistake: mistake.what)
def test_common_errors_are_marked_and_have_a_working_hint(mistake: Mistake) -> None:
    """Only this error is reported, at the right position, and following its hint yields a valid spec."""
    wrong, places = marked(mistake.spec(mistake.wrong))
    errors = errors_in(wrong)

    assert [f"{error.code} {error.hint}".strip() for error in errors] == list(mistake.told)
    assert [(error.span.line, error.span.column) for error in errors if error.span is not None] == places
    for suggestion in (snippet for error in errors for snippet in _SUGGESTED.findall(error.hint)):
        assert suggestion in mistake.mended
    assert errors_in(mistake.spec(mistake.mended)) == []


@pytest.mark.parametrize(
    "text", [f"\ufeff{RIGHT}", RIGHT.replace("\n", "\r\n"), RIGHT.replace("\n", "\r")], ids=["mark", "CRLF", "CR"]
)
def test_byte_order_marks_and_crlf_change_nothing(text: str) -> None:
    """Byte order marks and CRLF from Windows editors change neither the output nor error positions."""
    assert errors_in(text.encode()) == []
    assert compile_text(text.encode()).files == compile_text(RIGHT).files
    (typo,) = errors_in(text.replace("replicas:", "replcias:", 1).encode())
    assert typo.span is not None
    assert (typo.span.line, typo.span.column) == marked(RIGHT.replace("replicas:", f"{_MARK}replicas:", 1))[1][0]
