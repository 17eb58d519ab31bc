"""Tests that every diagnostic code has a spec that triggers it and prints exactly the expected text."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.diagnostics import codes
from modelyard.diagnostics.registry import CODE
from modelyard_targets import TARGETS
from tests.diagnosing import diagnose, examine, question_in

FAILING = Path(__file__).parent / "failing"
FOLDERS = sorted(folder for folder in FAILING.iterdir() if folder.is_dir())

SHOWN_ELSEWHERE = {
    "E0114": "a file of more than 64 MiB; tests/compiler/test_load.py lowers the limit",
    "E0116": "more than 1,250,000 values; tests/compiler/test_load.py lowers the limit",
    "E0120": "a thousand mistakes; tests/compiler/test_load.py counts them",
    "E0147": "16 MiB of text; tests/compiler/test_variables.py makes it",
    "E0970": "a file beside the spec; tests/compiler/cli/test_signed.py writes some",
    "E0978": "files beside the spec; tests/compiler/cli/test_signed.py writes some",
    "W0971": "a file beside the spec; tests/compiler/cli/test_signed.py writes some",
    "E0213": "what the schema of the spec never leads to; tests/compiler/test_validate.py has another schema",
}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_failing_spec_prints_the_expected_text(folder: Path, accept: bool) -> None:
    """The printed text is as expected, and includes the code that the folder is named after."""
    printed = diagnose(question_in(folder))
    expected = folder / "expected.txt"
    if accept:
        expected.write_text(printed, encoding="utf-8")

    assert printed == expected.read_text(encoding="utf-8")
    assert _code(folder) in {diagnostic.code for diagnostic in examine(question_in(folder))}


def _code(folder: Path) -> str:
    match = CODE.match(folder.name)
    return match[0] if match else ""


OURS = [code for code in codes() if code[1:3] in ("01", "02", "03", "04", "08", "09")]


@pytest.mark.parametrize("code", [*OURS, *(code for code in codes(TARGETS.diagnostics()) if "-" in code)])
def test_every_code_has_a_failing_spec(code: str) -> None:
    """Every code of these stages and of the providers has a spec in tests/failing."""
    if code in {
        "E0877",
        "E0885",
        "E0886",
        "E0887",
        "E0888",
        "E0889",
    }:  # tested in test_run.py and test_trying.py
        return
    if code in {
        "E0150",
        "E0151",
        "E0152",
        "E0153",
        "E0154",
        "E0155",
        "E0156",
        "E0157",
        "E0172",
        "E0173",
        "E0174",
        "E0175",
    }:
        return
    covered = {_code(folder) for folder in FOLDERS}

    assert (code in covered) != (code in SHOWN_ELSEWHERE)
