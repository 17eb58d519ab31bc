"""Tests that every code has one constructor and one page, and that diagnostics have a fixed order."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from inspect import cleandoc, getfile
from pathlib import Path

import pytest

import modelyard.diagnostics
from modelyard.diagnostics import Diagnostic, Severity, codes, has_errors, in_order, quote
from modelyard.diagnostics.base import joined
from modelyard.diagnostics.capacity import no_room_for_upgrade
from modelyard.diagnostics.registry import CODE, collected, former_codes
from modelyard.load import load
from modelyard.source import Span
from modelyard_targets import TARGETS

FOLDER = Path(getfile(modelyard.diagnostics)).parent


def constructors() -> dict[str, str]:
    """Return the code that each constructor uses, read from the source text."""
    result: dict[str, str] = {}
    for file in FOLDER.rglob("*.py"):
        module = ".".join(file.relative_to(FOLDER).with_suffix("").parts)
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                used_codes = {
                    child.value
                    for child in ast.walk(node)
                    if isinstance(child, ast.Constant)
                    and isinstance(child.value, str)
                    and re.fullmatch(r"[EW]\d{4}", child.value)
                }
                assert len(used_codes) <= 1, (node.name, used_codes)
                assert not (used_codes and node.name.startswith("_")), f"{node.name} has a code, and is not public"
                result.update({f"{module}.{node.name}": code for code in used_codes})
    return result


def test_the_registry_finds_every_code() -> None:
    """The registry contains every code in the source text once and in order."""
    listed = {
        f"{constructor.__module__.removeprefix('modelyard.diagnostics.')}.{constructor.__name__}": code
        for code, constructor in codes().items()
    }

    assert listed == constructors()
    assert len(listed) == len(codes())
    assert list(codes()) == sorted(codes(), key=lambda code: (code[1:], code[0]))


def test_a_code_is_written_in_one_module() -> None:
    """A new code only needs a rule, a constructor and a spec that causes it, without extending any list of codes.

    Three modules handle some codes specially: those about several environments, budgets and portability.
    """
    root, survey = FOLDER.parents[2], "compiler/modelyard/survey.py"
    special = {survey, "modelyard/cli/cost.py", "compiler/modelyard/portability.py"}
    modules: defaultdict[str, set[str]] = defaultdict(set)
    for source in ("compiler", "targets"):
        for file in (root / source).rglob("*.py"):
            if file.parts[-2:] == ("diagnostics", "__init__.py"):  # forwards former codes
                continue
            for code in set(re.findall(r'"((?:[A-Z]+-)?[EW]\d{3,4})"', file.read_text(encoding="utf-8"))):
                modules[code].add("/".join(file.parts[-3:]))

    assert set(modules) >= set(codes(TARGETS.diagnostics()))
    assert {code for code, written_in in modules.items() if len(written_in - special) > 1} == set()
    assert {code for code, written_in in modules.items() if survey in written_in} == {"W0412", "W0687"}


def test_a_provider_has_a_prefix_of_its_own() -> None:
    """A provider's codes have its prefix, a severity and a unique number."""
    assert all(CODE.fullmatch(code) for code in codes(TARGETS.diagnostics()))
    for package in TARGETS.diagnostics():
        own = [CODE.fullmatch(code) for code in collected((package,))]
        assert {match["provider"] for match in own if match} == {package.split(".")[-2].upper()}
        numbers = [match["number"] for match in own if match]
        assert len(set(numbers)) == len(numbers)


def test_former_codes_are_redirected_and_never_reused() -> None:
    former, known = former_codes(TARGETS.diagnostics()), codes(TARGETS.diagnostics())

    assert {*former.values()} <= {*known}
    assert not {*former} & {*known}


@pytest.mark.parametrize("code", codes(TARGETS.diagnostics()))
def test_every_page_has_a_wrong_and_a_right_spec(code: str) -> None:
    """The docstring is the page. It has a summary, a reason, and a wrong and a correct spec with readable YAML."""
    page = cleandoc(codes(TARGETS.diagnostics())[code].__doc__ or "")

    assert page.split("\n\n")[0].endswith((".", ":"))
    assert re.search(r"^Wrong:", page, re.MULTILINE)
    assert re.search(r"^Right:", page, re.MULTILINE)
    right = re.search(r"^Right:\n\n((?:    .*\n?|\n)+)", page, re.MULTILINE)
    if right and "…" not in right[1]:
        document, problems = load(cleandoc(right[1]), "right.yaml")
        assert document is not None, problems


def test_diagnostics_are_sorted_and_unique() -> None:
    """Diagnostics are sorted by file, line, column and code, starting with those without a position."""
    nowhere = Diagnostic("E0146", Severity.ERROR, "m", None)
    first = Diagnostic("E0203", Severity.ERROR, "m", Span("a", 2, 1, 2))
    second = Diagnostic("E0201", Severity.ERROR, "m", Span("a", 10, 1, 2))
    third = Diagnostic("W0135", Severity.WARNING, "m", Span("b", 1, 1, 2))

    assert in_order([third, second, first, nowhere, first]) == (nowhere, first, second, third)
    assert has_errors([third, first])
    assert not has_errors([third])


def test_quotes_are_shortened() -> None:
    """A quote contains only the beginning of a long value."""
    assert quote("a" * 40) == f"'{'a' * 40}'"
    assert quote("a" * 41) == f"'{'a' * 39}…'"


def test_names_are_joined_as_in_a_sentence() -> None:
    assert [joined("a"), joined("ab"), joined("abc"), joined("abc", "or")] == [
        "a",
        "a and b",
        "a, b and c",
        "a, b or c",
    ]


def test_verb_agrees_with_the_number_of_pods() -> None:
    messages = [no_room_for_upgrade(Span("a", 1, 1, 2), "s", "main", count, "1 CPU").message for count in (1, 2)]

    assert "1 Pod with 1 CPU does not fit" in messages[0]
    assert "2 Pods with 1 CPU each do not fit" in messages[1]
