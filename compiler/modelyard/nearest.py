"""Find the known name that the user probably meant when typing an unknown name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from modelyard.patterns import pattern
from modelyard.synonyms import SYNONYMS

_COMPARED = 200
"""The maximum number of names to compare letter by letter for one error, after implausible names are excluded."""

_SHORTEST = 3
"""The minimum length of a prefix that is accepted in place of the whole name."""


_SLIPS: Final = 2
_WORDS: Final = pattern(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])")


def nearest_name(word: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to `word`, or None if none is close enough to suggest."""
    folded = _fold(word)
    if not folded or len(folded) > 80:
        return None
    names = [name for name in known if name != word]
    distance, near = _closest(folded, names)
    if distance == 0:
        return near
    return _synonym(folded, names) or near or _beginning(folded, names) or _part(word, names)


def is_typo(word: str, name: str) -> bool:
    """Return whether a word is probably a known name with at most two typos."""
    folded = _fold(word)
    most = min(_SLIPS, max(1, len(folded) // 3))
    return _distance(folded, _fold(name), most) <= most


def _closest(folded: str, known: Iterable[str]) -> tuple[int, str | None]:
    """Return the closest name and its edit distance."""
    allowed = max(1, len(folded) // 3)
    best: tuple[int, int, str] | None = None
    for at, name in enumerate(_plausible(folded, known, allowed)):
        bound = allowed if best is None else best[0]
        distance = _distance(folded, _fold(name), bound)
        if distance <= bound and (best is None or distance < best[0]):
            best = (distance, at, name)
            if distance == 0:
                break
    return (allowed, None) if best is None else (best[0], best[2])


def _synonym(folded: str, known: list[str]) -> str | None:
    """Return the known name that a synonym from another tool stands for."""
    return next((name for name in SYNONYMS.get(folded, ()) if name in known), None)


def _beginning(folded: str, known: list[str]) -> str | None:
    """Return the only known name that starts with the word or vice versa, e.g. `batch-inference` for `batch`."""
    if len(folded) < _SHORTEST or len(known) > _COMPARED:
        return None
    matches = [name for name in known if _begins(folded, _fold(name))]
    return matches[0] if len(matches) == 1 else None


def words_of(name: str) -> list[str]:
    """Split a name in camelCase or with separators into lower-case words."""
    return [part.lower() for part in _WORDS.findall(name)]


def _part(word: str, known: list[str]) -> str | None:
    """Return the only known name that is part of the word, e.g. `p99` for `latency_p99`."""
    parts = set(words_of(word))
    if len(parts) == 1 or len(known) > _COMPARED:
        return None
    matches = [name for name in known if len(name) >= _SHORTEST and name.lower() in parts]
    return matches[0] if len(matches) == 1 else None


def _begins(word: str, name: str) -> bool:
    return name.startswith(word) or (len(name) >= _SHORTEST and word.startswith(name))


def nearest(word: str, known: Iterable[str], hint: str) -> str:
    """Insert the closest known name, quoted, into `hint` at `{}`, or return "" if no name is close enough."""
    name = nearest_name(word, known)
    return "" if name is None else hint.format(f"'{name}'")


def _fold(name: str) -> str:
    """Remove case and separators so that `max_replicas` equals `maxReplicas`."""
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()


def _plausible(folded: str, known: Iterable[str], allowed: int) -> list[str]:
    """Return the names that may be within the allowed distance, judging by length and letters."""
    letters = set(folded)
    result: list[str] = []
    for name in known:
        if abs(len(name) - len(folded)) > allowed + 3:
            continue
        if len(letters.symmetric_difference(_fold(name))) <= 2 * allowed:
            result.append(name)
            if len(result) == _COMPARED:
                break
    return result


def _distance(left: str, right: str, bound: int) -> int:
    """Return the edit distance between two words, counting swaps as one edit, up to `bound` + 1."""
    if left == right:
        return 0
    if abs(len(left) - len(right)) > bound:
        return bound + 1
    before: list[int] = []
    previous = list(range(len(right) + 1))
    for row, letter in enumerate(left, 1):
        current = [row]
        for column, other in enumerate(right, 1):
            cost = min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == right[column - 2] and left[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        if min(current) > bound:
            return bound + 1
        before, previous = previous, current
    return previous[-1]
