"""Explain which lookalike letter a name contains, without dropping or guessing letters."""

from __future__ import annotations

from typing import Final

_FOREIGN: Final = "асеорхуіјѕһԁԛԝӏАВСЕНІЈКМОРЅТХοαιυνκρχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"
_LATIN: Final = dict(zip(_FOREIGN, "aceopxyijshdqwlABCEHIJKMOPSTXoaiuvkpxABEZHIKMNOPTYX", strict=True))
"""Cyrillic and Greek letters and their Latin lookalikes, from confusables.txt in Unicode 17."""

_LETTERS_AND_INVISIBLE: Final = ("L", "M", "Cf")


def lookalike_hint(text: str) -> str:
    """Suggest a replacement for the first non-ASCII letter or invisible character, or return "" if there is none."""
    if text.isascii():
        return ""
    from unicodedata import category, name

    for at, character in enumerate(text):
        if not character.isascii() and category(character).startswith(_LETTERS_AND_INVISIBLE):
            description = f"{name(character, 'a character')} (U+{ord(character):04X})"
            if category(character) == "Cf":
                return f"character {at + 1} is an invisible {description}; remove it"
            if character in _LATIN:
                return f"letter {at + 1} is {description}; type the Latin '{_LATIN[character]}'"
            return f"letter {at + 1} is {description}; use only a to z"
    return ""


def in_latin(text: str) -> str:
    """Replace each letter with its Latin lookalike, and remove invisible characters."""
    if text.isascii():
        return text
    from unicodedata import category

    return "".join(_LATIN.get(character, character) for character in text if category(character) != "Cf")
