"""Tests that hints describe a name's lookalike letter, and never suggest the name without it."""

from __future__ import annotations

import pytest

from modelyard.lookalikes import lookalike_hint
from tests.diagnosing import Question, examine
from tests.specs import VALID_SPEC


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("hell\u043e", "letter 5 is CYRILLIC SMALL LETTER O (U+043E); type the Latin 'o'"),
        ("\u0441hurn@champion", "letter 1 is CYRILLIC SMALL LETTER ES (U+0441); type the Latin 'c'"),
        ("fr\u03b1ud-xgb", "letter 3 is GREEK SMALL LETTER ALPHA (U+03B1); type the Latin 'a'"),
        ("tr\u200bain", "character 3 is an invisible ZERO WIDTH SPACE (U+200B); remove it"),
        ("gr\u00f6\u00dfe", "letter 3 is LATIN SMALL LETTER O WITH DIAERESIS (U+00F6); use only a to z"),
        ("18000 \u20ac", ""),
        ("churn", ""),
    ],
)
def test_the_lookalike_letter_is_named(name: str, hint: str) -> None:
    assert lookalike_hint(name) == hint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  fraud-xgb:", "  fr\u0430ud-xgb:"),
        ("fraud-xgb@champion}", "fr\u0430ud-xgb@champion}"),
        ("nightly:", "night\u200bly:"),
    ],
)
def test_no_hint_offers_the_name_without_the_letter(old: str, new: str) -> None:
    """If a hint dropped the letter, users would correct only one occurrence of the name."""
    diagnostics = examine(Question(VALID_SPEC.replace(old, new, 1)))
    hints = " ".join(diagnostic.hint for diagnostic in diagnostics)

    assert "letter 3 is CYRILLIC SMALL LETTER A" in hints or "invisible ZERO WIDTH SPACE" in hints
    assert "did you mean" not in hints
