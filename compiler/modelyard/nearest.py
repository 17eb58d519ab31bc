"""The known name that a mistyped one was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable

_COMPARED = 200
"""Names that are compared letter by letter for one mistake; the others were ruled out by length and letters."""


def nearest_name(word: str, known: Iterable[str]) -> str | None:
    """The known name closest to `word`, or None when nothing is close enough to be suggested."""
    folded = _fold(word)
    if not folded or len(folded) > 80:
        return None
    allowed = max(1, len(folded) // 3)
    best: tuple[int, int, str] | None = None
    for at, name in enumerate(_plausible(folded, known, allowed)):
        bound = allowed if best is None else best[0]
        distance = _distance(folded, _fold(name), bound)
        if distance <= bound and name != word and (best is None or distance < best[0]):
            best = (distance, at, name)
            if distance == 0:
                break
    return None if best is None else best[2]


def nearest(word: str, known: Iterable[str], hint: str) -> str:
    """`hint` with the closest known name in quotes for its `{}`, or an empty text."""
    name = nearest_name(word, known)
    return "" if name is None else hint.format(f"'{name}'")


def _fold(name: str) -> str:
    """Spelling without case and separators, so that `max_replicas` is `maxReplicas`."""
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()


def _plausible(folded: str, known: Iterable[str], allowed: int) -> list[str]:
    """Names that can be within the allowed distance, by length and by the letters that they use."""
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
    """Insertions, deletions, replacements and swaps of neighbours between two words; more than `bound` is bound + 1."""
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
